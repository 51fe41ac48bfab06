// benchmarks/workloads/spawn/taskscope_plain.cpp - task_scope::spawn of a function, as most contenders have it.
// SPDX-License-Identifier: MIT
#include "harness/threads.hpp"
#include "spawn.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;

void spawn_children(ts::task_scope& s, long n, bench::tally& sum) {
    for (long i = 0; i < n; ++i) s.spawn([&sum] { sum.add(1); });
}

ts::task<> from_inside(unsigned producers, long each, bench::tally& sum) {
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (unsigned p = 0; p < producers; ++p) s.spawn([&] { spawn_children(s, each, sum); });
        co_return;
    });
}

void from_outside(ts::executor& ex, unsigned producers, long each, bench::tally& sum) {
    ts::task_scope s{ex};
    bench::on_threads(producers, [&](unsigned) { spawn_children(s, each, sum); });
    s.blocking_join();
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, spawn_workload::all_shapes);
    ts::executor ex{{.workers = o.threads}};
    return spawn_workload::run(o,
                               [&](bool foreign, unsigned producers, long each, bench::tally& sum) {
                                   if (foreign) {
                                       from_outside(ex, producers, each, sum);
                                   } else {
                                       ex.run(from_inside(producers, each, sum));
                                   }
                               });
}
