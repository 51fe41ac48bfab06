// benchmarks/workloads/handoff/handoff.hpp - two tasks take turns: each waits for the other and wakes it.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"
#include "harness/cache_line.hpp"

namespace handoff_workload {

/// `play(rounds)` has the number go there and back so often, each side adding 1, and returns it.
template <class F>
int run(const bench::options& o, F play) {
    const long rounds = o.quick ? 20'000 : 200'000;
    return bench::measure(
        2 * rounds, 2.0 * static_cast<double>(rounds), [&] { return play(rounds); },
        [&] { play(1000); }, {{"line_ns", bench::cache_line_ns()}});
}

}  // namespace handoff_workload
