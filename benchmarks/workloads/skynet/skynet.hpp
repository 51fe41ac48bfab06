// benchmarks/workloads/skynet/skynet.hpp - a tree with ten branches per node; the sum of the numbers of its leaves.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

namespace skynet_workload {

inline constexpr unsigned branches = 10;

template <class F>
int run(const bench::options& o, F skynet) {
    const long leaves = o.quick ? 1'000'000 : 100'000'000;
    return bench::measure(
        leaves * (leaves - 1) / 2, 10.0 / 9.0 * static_cast<double>(leaves),
        [&] { return skynet(0, leaves); }, [&] { skynet(0, 1000); });
}

}  // namespace skynet_workload
