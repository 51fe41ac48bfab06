// benchmarks/workloads/uts/taskscope.cpp - fork_join of eight at an inner node, fork_join over a range at the root.
// SPDX-License-Identifier: MIT
#include "uts.hpp"

#include <taskscope/taskscope.hpp>

#include <numeric>
#include <ranges>

namespace {

namespace ts = taskscope;
namespace u = uts_workload;

ts::task<long> count(u::node n);

/// One task for each of `width` children.
auto children(u::node n, unsigned width) {
    return std::views::iota(0U, width) |
           std::views::transform([n](unsigned i) { return count(u::child(n, i)); });
}

long sum_of(const auto& parts) { return std::accumulate(parts.begin(), parts.end(), 0L); }

// All tasks of a level are there at once, and g++ gives each local of a coroutine a place in the frame: so there are none.
auto fork_children(u::node n) { return ts::fork_join<u::branches>(children(n, u::branches)); }

ts::task<long> count(u::node n) {
    if (!u::is_inner(n)) co_return 1;
    co_return 1 + sum_of(co_await fork_children(n));
}

ts::task<long> count_children(unsigned width) {
    co_return sum_of(co_await ts::fork_join(children(u::root, width)));
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return u::run(o, [&](unsigned width) { return ex.run(count_children(width)); });
}
