// benchmarks/workloads/spawn/spawn.hpp - tiny children spawned one by one into one scope by a task, then joined.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

namespace spawn_workload {

/// `spawn_all(n)` has every child add 1 somewhere and returns the sum.
template <class F>
int run(const bench::options& o, F spawn_all) {
    const long children = o.quick ? 1'000'000 : 10'000'000;
    return bench::measure(
        children, static_cast<double>(children), [&] { return spawn_all(children); },
        [&] { spawn_all(1000); });
}

}  // namespace spawn_workload
