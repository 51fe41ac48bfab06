// benchmarks/workloads/nqueens/onetbb.cpp - a function object per queen placed, the first on the spot.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "nqueens.hpp"

namespace {

namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    if (p.count == 0) return 0;
    return bench::tbb_sum(std::array<long, q::widest>{}, p.count, [&](std::size_t i) {
        return solve(q::with_queen(b, row, p.columns[i]), row + 1, size);
    });
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return q::run(o, [&](const q::board& b, int row, int size) {
        return arena.run([&] { return solve(b, row, size); });
    });
}
