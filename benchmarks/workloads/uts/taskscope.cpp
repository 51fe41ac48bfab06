// benchmarks/workloads/uts/taskscope.cpp - fork_join of eight at an inner node, fork_join over a range at the root.
// SPDX-License-Identifier: MIT
#include "uts.hpp"

#include <taskscope/taskscope.hpp>

#include <ranges>

namespace {

namespace ts = taskscope;
namespace u = uts_workload;

ts::task<long> count(u::node n) {
    if (!u::is_inner(n)) co_return 1;
    const auto branch = [n](unsigned i) { return count(u::child(n, i)); };
    auto branches = std::views::iota(0U, 8U) | std::views::transform(branch);
    const auto parts = co_await ts::fork_join<8>(branches);
    long sum = 1;
    for (const long p : parts) sum += p;
    co_return sum;
}

ts::task<long> count_children(unsigned width) {
    const auto branch = [](unsigned i) { return count(u::child(u::root, i)); };
    const auto parts =
        co_await ts::fork_join(std::views::iota(0U, width) | std::views::transform(branch));
    long sum = 0;
    for (const long p : parts) sum += p;
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return u::run(o, [&](unsigned width) { return ex.run(count_children(width)); });
}
