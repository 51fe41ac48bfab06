// benchmarks/workloads/nqueens/taskscope_invoke.cpp - parallel_reduce over the free places of a row: plain functions.
// SPDX-License-Identifier: MIT
#include "nqueens.hpp"

#include <taskscope/taskscope.hpp>

#include <functional>

namespace {

namespace ts = taskscope;
namespace q = nqueens_workload;

long solve(const q::board& b, int row, int size) {
    if (row == size) return 1;
    const q::places p = q::free_places(b, row, size);
    const auto ways = [&](std::size_t i) {
        return solve(q::with_queen(b, row, p.columns[i]), row + 1, size);
    };
    return ts::parallel_reduce(std::size_t{0}, p.count, 0L, ways, std::plus{}, 1);
}

ts::task<long> solve_on_a_worker(const q::board& b, int row, int size) {
    co_return solve(b, row, size);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return q::run(o, [&](const q::board& b, int row, int size) {
        return ex.run(solve_on_a_worker(b, row, size));
    });
}
