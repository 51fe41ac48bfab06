// benchmarks/workloads/wake/wake.hpp - from handing work to a pool that sleeps until it runs; beside it a bare futex.
// SPDX-License-Identifier: MIT
//
// Both in the same process and in turn, so that they meet the same machine. The time of a run is that of one wake: the
// median, and the slowest of a hundred.
#pragma once

#include "harness/bench.hpp"

#include <functional>

namespace wake_workload {

/// Wakes the pool, having it call `f` soon.
using submit = std::function<void(void (*f)(void*), void* argument)>;

int run(const bench::options& o, const submit& hand_in);

}  // namespace wake_workload
