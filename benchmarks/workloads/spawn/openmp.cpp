// benchmarks/workloads/spawn/openmp.cpp - a task per child in a parallel region. It has no tasks from outside.
// SPDX-License-Identifier: MIT
#include "spawn.hpp"

namespace {

void spawn(unsigned threads, unsigned producers, long each, bench::tally& sum) {
#pragma omp parallel num_threads(threads)
#pragma omp for schedule(static, 1) nowait
    for (unsigned p = 0; p < producers; ++p) {
        for (long i = 0; i < each; ++i) {
#pragma omp task shared(sum)
            sum.add(1);
        }
    }
    // The end of the region waits for all tasks.
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv, spawn_workload::inside_shapes);
    return spawn_workload::run(o, [&](bool, unsigned producers, long each, bench::tally& sum) {
        spawn(o.threads, producers, each, sum);
    });
}
