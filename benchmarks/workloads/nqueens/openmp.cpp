// benchmarks/workloads/nqueens/openmp.cpp - a task per queen placed.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "nqueens.hpp"

namespace {

namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    std::array<long, q::widest> ways{};
    for (std::size_t i = 0; i < p.count; ++i) {
#pragma omp task shared(b, p, ways)
        ways[i] = solve(q::with_queen(b, row, p.columns[i]), row + 1, size);
    }
#pragma omp taskwait
    long sum = 0;
    for (const long w : ways) sum += w;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return q::run(o, [&](const q::board& b, int row, int size) {
        return bench::run_in_team(o.threads, [&] { return solve(b, row, size); });
    });
}
