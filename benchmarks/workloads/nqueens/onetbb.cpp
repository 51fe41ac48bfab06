// benchmarks/workloads/nqueens/onetbb.cpp - a task_group per board, a function object per queen placed.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "nqueens.hpp"

#include <tbb/task_group.h>

namespace {

namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    std::array<long, q::widest> ways{};
    tbb::task_group group;
    for (std::size_t i = 0; i < p.count; ++i) {
        group.run([&, i] { ways[i] = solve(q::with_queen(b, row, p.columns[i]), row + 1, size); });
    }
    group.wait();
    long sum = 0;
    for (const long w : ways) sum += w;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return q::run(o, [&](const q::board& b, int row, int size) {
        return arena.run([&] { return solve(b, row, size); });
    });
}
