// benchmarks/workloads/nqueens/serial.cpp - plain recursion.
// SPDX-License-Identifier: MIT
#include "nqueens.hpp"

namespace {

namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    long sum = 0;
    for (std::size_t i = 0; i < p.count; ++i) {
        sum += solve(q::with_queen(b, row, p.columns[i]), row + 1, size);
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) { return q::run(bench::parse(argc, argv), solve); }
