// benchmarks/workloads/growth/onetbb.cpp - task_group: a fork, bursts of children, groups in groups.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "growth.hpp"
#include "harness/tally.hpp"

#include <tbb/task_group.h>

#include <array>

namespace {

long tree(long n) {
    if (n == 1) return 1;
    return bench::tbb_sum(std::array<long, 2>{}, 2,
                          [=](std::size_t i) { return tree(i == 0 ? n / 2 : n - n / 2); });
}

// A task cannot give way to those it has made; it waits for them.
void bursts(long n, bench::tally& sum) {
    tbb::task_group children;
    for (long i = 1; i <= n; ++i) {
        children.run([&sum] { sum.add(1); });
        if (i % growth_workload::burst == 0) children.wait();
    }
    children.wait();
}

void nest(long depth, long& levels) {
    ++levels;
    tbb::task_group group;
    if (depth > 1) group.run([&levels, depth] { nest(depth - 1, levels); });
    group.wait();
}

struct shapes {
    bench::tbb_arena& arena;

    long tree(long n) {
        return arena.run([=] { return ::tree(n); });
    }
    long bursts(long n) {
        bench::tally sum;
        arena.run([&] { ::bursts(n, sum); });
        return sum.sum();
    }
    long nest(long depth, long n) {
        long levels = 0;
        arena.run([&] {
            for (long i = 0; i < n; ++i) ::nest(depth, levels);
        });
        return levels;
    }
};

}  // namespace

int main(int argc, char** argv) {
    using namespace growth_workload;
    // An await is a function call here, and a level some 500 bytes of a thread's 8 MiB: not a million.
    constexpr std::array all{
        series{fork_tasks, 100'000'000}, series{spawn_tasks, 100'000'000},
        series{scope_depth, 1'000},      series{fork_workers, 64},
        series{spawn_workers, 64},
    };
    const bench::options o = bench::parse(argc, argv, points(all));
    bench::tbb_arena arena(o);
    shapes s{arena};
    return run(o, s);
}
