// benchmarks/workloads/nqueens/taskscope.cpp - fork_join over the free places of a row.
// SPDX-License-Identifier: MIT
#include "nqueens.hpp"

#include <taskscope/taskscope.hpp>

#include <ranges>
#include <span>

namespace {

namespace ts = taskscope;
namespace q = nqueens_workload;

ts::task<long> solve(q::board b, int row, int size) {
    if (row == size) co_return 1;
    const q::places p = q::free_places(b, row, size);
    const auto place = [&b, row, size](signed char column) {
        return solve(q::with_queen(b, row, column), row + 1, size);
    };
    auto branches = std::span(p.columns.data(), p.count) | std::views::transform(place);
    const auto ways = co_await ts::fork_join<q::widest>(branches);
    long sum = 0;
    for (const long w : ways) sum += w;
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return q::run(
        o, [&](const q::board& b, int row, int size) { return ex.run(solve(b, row, size)); });
}
