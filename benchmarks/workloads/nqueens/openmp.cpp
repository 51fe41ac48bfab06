// benchmarks/workloads/nqueens/openmp.cpp - a task per queen placed, the first on the spot.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "nqueens.hpp"

namespace {

namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    if (p.count == 0) return 0;
    return bench::openmp_sum(std::array<long, q::widest>{}, p.count, [&](std::size_t i) {
        return solve(q::with_queen(b, row, p.columns[i]), row + 1, size);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return q::run(o, [&](const q::board& b, int row, int size) {
        return bench::run_in_team(o.threads, [&] { return solve(b, row, size); });
    });
}
