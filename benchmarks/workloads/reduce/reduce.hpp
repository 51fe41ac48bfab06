// benchmarks/workloads/reduce/reduce.hpp - the sum of the squares of an array of 2^25 numbers, ten times.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace reduce_workload {

using numbers = std::span<const std::uint32_t>;

inline constexpr std::size_t grain = 4096;  ///< what the smallest task adds up: about a microsecond
inline constexpr unsigned repeats = 10;

inline std::uint64_t sum_of_squares(numbers part) {
    std::uint64_t sum = 0;
    for (const std::uint64_t x : part) sum += x * x;
    return sum;
}

inline std::uint64_t chunk(numbers all, std::size_t i) {
    return sum_of_squares(all.subspan(i * grain, grain));
}

/// `reduce(numbers)` gives the sum of their squares; their count is a multiple of the grain.
template <class F>
int run(const bench::options& o, F reduce) {
    const std::uint64_t n = o.quick ? 1 << 20 : 1 << 25;
    std::vector<std::uint32_t> v(n);
    std::iota(v.begin(), v.end(), 0U);
    // Of 0 ... n - 1, modulo 2^64 as all of it: so it is divided by 6 first. n is a power of 2, and of these two one is a
    // multiple of 3.
    const std::uint64_t expected = (n - 1) % 3 == 0 ? n / 2 * ((n - 1) / 3) * (2 * n - 1)
                                                    : n / 2 * (n - 1) * ((2 * n - 1) / 3);
    return bench::measure(
        repeats * expected, static_cast<double>(repeats * n),
        [&] {
            std::uint64_t sum = 0;
            for (unsigned r = 0; r < repeats; ++r) sum += reduce(numbers(v));
            return sum;
        },
        [&] { reduce(numbers(v)); });
}

}  // namespace reduce_workload
