// benchmarks/workloads/spawn/onetbb.cpp - task_group::run of a function object; from outside, enqueued in the arena.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "harness/threads.hpp"
#include "spawn.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_group.h>

namespace {

void from_inside(unsigned producers, long each, bench::tally& sum) {
    tbb::task_group children;
    tbb::parallel_for(
        0U, producers,
        [&](unsigned) {
            for (long i = 0; i < each; ++i) children.run([&sum] { sum.add(1); });
        },
        tbb::simple_partitioner());
    children.wait();
}

void from_outside(bench::tbb_arena& arena, unsigned producers, long each, bench::tally& sum) {
    tbb::task_group children;
    bench::on_threads(producers, [&](unsigned) {
        for (long i = 0; i < each; ++i) arena.enqueue(children.defer([&sum] { sum.add(1); }));
    });
    arena.run([&] { children.wait(); });
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, spawn_workload::all_shapes);
    const bool outside = o.variant.ends_with("foreign");
    bench::tbb_arena arena = outside ? bench::tbb_arena::of_workers(o) : bench::tbb_arena(o);
    return spawn_workload::run(o,
                               [&](bool foreign, unsigned producers, long each, bench::tally& sum) {
                                   if (foreign) {
                                       from_outside(arena, producers, each, sum);
                                   } else {
                                       arena.run([&] { from_inside(producers, each, sum); });
                                   }
                               });
}
