// benchmarks/workloads/timers/timers.hpp - a million timers armed for an hour, then stopped, then waited for.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

#include <chrono>

namespace timers_workload {

/// Not all the same: a queue should have something to sort.
inline std::chrono::milliseconds delay(long i) {
    return std::chrono::hours(1) + std::chrono::milliseconds(i * 7919 % 1'000'003);
}

/// `arm_and_stop(n)` returns how many came back stopped.
template <class F>
int run(const bench::options& o, F arm_and_stop) {
    const long n = o.quick ? 100'000 : 1'000'000;
    return bench::measure(
        n, static_cast<double>(n), [&] { return arm_and_stop(n); }, [&] { arm_and_stop(100); });
}

}  // namespace timers_workload
