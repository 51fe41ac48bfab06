// benchmarks/workloads/matmul/matmul.hpp - product of two square matrices of integers, by recursive quartering.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

#include <cstddef>
#include <new>
#include <vector>

namespace matmul_workload {

using number = unsigned;  // wraps around, so that any order of additions gives the same product

/// A square part of a matrix with rows of `stride` numbers.
template <class T>
struct square {
    T* first;
    std::size_t size;
    std::size_t stride;

    square quarter(unsigned down, unsigned right) const {
        const std::size_t half = size / 2;
        return {first + down * half * stride + right * half, half, stride};
    }
};
using factor = square<const number>;
using product = square<number>;

inline constexpr std::size_t smallest = 32;  ///< from here on plain loops

// noinline: inside a coroutine clang does not vectorize it.
[[gnu::noinline]] inline void multiply_small(factor a, factor b, product c) {
    const std::size_t n =
        c.size;  // not the constant, which makes clang unroll what it should vectorize
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n; ++k) {
            const number x = a.first[i * a.stride + k];
            const number* const row = b.first + k * b.stride;
            number* const __restrict sums = c.first + i * c.stride;
            for (std::size_t j = 0; j < n; ++j) sums[j] += x * row[j];
        }
    }
}

inline void multiply_serially(factor a, factor b, product c) {
    if (a.size <= smallest) return multiply_small(a, b, c);
    for (const unsigned k : {0U, 1U}) {
        for (const unsigned i : {0U, 1U}) {
            for (const unsigned j : {0U, 1U}) {
                multiply_serially(a.quarter(i, k), b.quarter(k, j), c.quarter(i, j));
            }
        }
    }
}

/// Rows begin at the same place in a cache line with whatever malloc a contender brings: it is a third of the time.
template <class T>
struct page_aligned {
    using value_type = T;

    T* allocate(std::size_t n) {
        return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{4096}));
    }
    void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, std::align_val_t{4096}); }
    bool operator==(const page_aligned&) const = default;
};
using numbers = std::vector<number, page_aligned<number>>;

/// Entries without a pattern that would hide an error.
inline numbers noise(std::size_t count, number seed) {
    numbers v(count);
    for (number& x : v) x = seed = seed * 1664525 + 1013904223;
    return v;
}

inline numbers times(factor m, const numbers& v) {
    numbers result(m.size);
    for (std::size_t i = 0; i < m.size; ++i) {
        for (std::size_t j = 0; j < m.size; ++j) result[i] += m.first[i * m.stride + j] * v[j];
    }
    return result;
}

/// Freivalds: C is A B, unless luck is extraordinary, if C v is A (B v) for a random v.
inline bool is_product(factor a, factor b, factor c) {
    const numbers v = noise(a.size, 3);
    return times(c, v) == times(a, times(b, v));
}

/// `multiply(a, b, c)` adds the product of a and b to c.
template <class F>
int run(const bench::options& o, F multiply) {
    const std::size_t n = o.quick ? 512 : 2048;
    const numbers a = noise(n * n, 1);
    const numbers b = noise(n * n, 2);
    numbers c(n * n);
    const factor fa{a.data(), n, n};
    const factor fb{b.data(), n, n};
    const auto small = [&](const number* m) { return factor{m, 2 * smallest, n}; };
    return bench::measure_checked(
        static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n),
        [&] { multiply(fa, fb, product{c.data(), n, n}); },
        [&] {
            multiply(small(a.data()), small(b.data()), product{c.data(), 2 * smallest, n});
            c.assign(n * n, 0);
        },
        [&] { return is_product(fa, fb, factor{c.data(), n, n}); });
}

}  // namespace matmul_workload
