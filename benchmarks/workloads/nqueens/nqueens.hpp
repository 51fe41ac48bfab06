// benchmarks/workloads/nqueens/nqueens.hpp - in how many ways 14 queens stand on a board; a task per queen placed.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"

#include <array>
#include <cstddef>

namespace nqueens_workload {

inline constexpr std::size_t widest = 14;
using board = std::array<signed char, widest>;  ///< column of the queen in each row

struct places {
    std::array<signed char, widest> columns;
    std::size_t count = 0;
};

inline bool is_free(const board& b, int row, int column) {
    for (int r = 0; r < row; ++r) {
        const int taken = b[static_cast<std::size_t>(r)];
        if (taken == column || taken - column == row - r || column - taken == row - r) return false;
    }
    return true;
}

/// The columns where a queen can stand in `row`.
inline places free_places(const board& b, int row, int size) {
    places p;
    for (int c = 0; c < size; ++c) {
        if (is_free(b, row, c)) p.columns[p.count++] = static_cast<signed char>(c);
    }
    return p;
}

inline board with_queen(board b, int row, signed char column) {
    b[static_cast<std::size_t>(row)] = column;
    return b;
}

/// `solve(board, row, size)` counts the ways to complete a board of which `row` rows are filled.
template <class F>
int run(const bench::options& o, F solve) {
    const int size = o.quick ? 10 : 14;
    const long expected = o.quick ? 724 : 365'596;
    const double nodes = o.quick ? 35'539 : 27'358'553;  // boards seen, the empty one included
    return bench::measure(
        expected, nodes, [&] { return solve(board{}, 0, size); }, [&] { solve(board{}, 0, 6); });
}

}  // namespace nqueens_workload
