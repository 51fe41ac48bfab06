// benchmarks/workloads/uts/uts.hpp - counts the nodes of a tree so unbalanced that no part foretells its size.
// SPDX-License-Identifier: MIT
//
// A binomial tree as in Olivier et al., UTS: An Unbalanced Tree Search Benchmark, LCPC 2006. We hash with splitmix64
// where they use SHA-1: the point is the shape.
#pragma once

#include "harness/bench.hpp"

#include <cstddef>
#include <cstdint>

namespace uts_workload {

using node = std::uint64_t;

inline constexpr unsigned branches = 8;

inline node child(node n, std::size_t i) {
    std::uint64_t z = n + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// Whether it has `branches` children, or none: 0.999 children on average.
inline bool is_inner(node n) { return static_cast<double>(n >> 11) * 0x1p-53 < 0.999 / branches; }

inline constexpr node root = 42;

/// `count_children(width)` counts all nodes but the root, which has `width` children.
template <class F>
int run(const bench::options& o, F count_children) {
    const unsigned width = o.quick ? 1000 : 10'000;
    const long expected = o.quick ? 1'510'608 : 19'608'120;
    return bench::measure(
        expected, static_cast<double>(expected), [&] { return count_children(width); },
        [&] { count_children(10); });
}

}  // namespace uts_workload
