// benchmarks/workloads/growth/taskscope.cpp - fork_join, spawn, chains of awaits and of scopes.
// SPDX-License-Identifier: MIT
#include "growth.hpp"
#include "harness/tally.hpp"

#include <taskscope/taskscope.hpp>

#include <array>

namespace {

namespace ts = taskscope;

ts::task<long> tree(long n) {
    if (n == 1) co_return 1;
    auto [a, b] = co_await ts::fork_join(tree(n / 2), tree(n - n / 2));
    co_return a + b;
}

ts::task<> child(bench::tally& sum) {
    sum.add(1);
    co_return;
}

ts::task<> bursts(long n, bench::tally& sum) {
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (long i = 1; i <= n; ++i) {
            s.spawn(child(sum));
            if (i % growth_workload::burst == 0) {
                while (sum.sum() != i) co_await ts::yield();
            }
        }
    });
}

ts::task<long> chain(long depth) {
    if (depth == 1) co_return 1;
    const long below = co_await chain(depth - 1);
    co_return below + 1;
}

ts::task<> nest(long depth, long& levels) {
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        ++levels;
        if (depth > 1) s.spawn(nest(depth - 1, levels));
        co_return;
    });
}

ts::task<long> nested(long depth) {
    long levels = 0;
    co_await nest(depth, levels);
    co_return levels;
}

// Many, so that coming in from outside does not count.
template <class Chain>
ts::task<long> times(long n, Chain chain) {
    long levels = 0;
    for (long i = 0; i < n; ++i) levels += co_await chain();
    co_return levels;
}

struct shapes {
    ts::executor& ex;

    long tree(long n) { return ex.run(::tree(n)); }
    long bursts(long n) {
        bench::tally sum;
        ex.run(::bursts(n, sum));
        return sum.sum();
    }
    long chain(long depth, long n) {
        return ex.run(times(n, [=] { return ::chain(depth); }));
    }
    long nest(long depth, long n) {
        return ex.run(times(n, [=] { return nested(depth); }));
    }
};

}  // namespace

int main(int argc, char** argv) {
    using namespace growth_workload;
    constexpr std::array all{
        series{fork_tasks, 100'000'000}, series{spawn_tasks, 100'000'000},
        series{await_depth, 1'000'000},  series{scope_depth, 1'000'000},
        series{fork_workers, 64},        series{spawn_workers, 64},
    };
    const bench::options o = bench::parse(argc, argv, points(all));
    ts::executor ex{{.workers = o.threads}};
    shapes s{ex};
    return run(o, s);
}
