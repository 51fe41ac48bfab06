// benchmarks/workloads/spawn/taskscope_here.cpp - task_scope::spawn_here of a coroutine: the child runs first.
// SPDX-License-Identifier: MIT
#include "spawn.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;

ts::task<> child(bench::tally& sum) {
    sum.add(1);
    co_return;
}

ts::task<> producer(ts::task_scope& s, long n, bench::tally& sum) {
    for (long i = 0; i < n; ++i) co_await s.spawn_here(child(sum));
}

ts::task<> from_inside(unsigned producers, long each, bench::tally& sum) {
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (unsigned p = 0; p < producers; ++p) s.spawn(producer(s, each, sum));
        co_return;
    });
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, spawn_workload::inside_shapes);
    ts::executor ex{{.workers = o.threads}};
    return spawn_workload::run(o, [&](bool, unsigned producers, long each, bench::tally& sum) {
        ex.run(from_inside(producers, each, sum));
    });
}
