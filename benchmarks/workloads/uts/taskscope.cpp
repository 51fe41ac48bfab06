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
    auto [a, b, c, d, e, f, g, h] = co_await ts::fork_join(
        count(u::child(n, 0)), count(u::child(n, 1)), count(u::child(n, 2)), count(u::child(n, 3)),
        count(u::child(n, 4)), count(u::child(n, 5)), count(u::child(n, 6)), count(u::child(n, 7)));
    co_return 1 + a + b + c + d + e + f + g + h;
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
