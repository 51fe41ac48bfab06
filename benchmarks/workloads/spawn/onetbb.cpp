// benchmarks/workloads/spawn/onetbb.cpp - task_group::run of a function object.
// SPDX-License-Identifier: MIT
#include "spawn.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <atomic>

namespace {

long spawn_all(long n) {
    std::atomic<long> sum{0};
    tbb::task_group group;
    for (long i = 0; i < n; ++i) {
        group.run([&sum] { sum.fetch_add(1, std::memory_order_relaxed); });
    }
    group.wait();
    return sum.load(std::memory_order_relaxed);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, o.threads);
    tbb::task_arena arena(static_cast<int>(o.threads));
    return spawn_workload::run(o,
                               [&](long n) { return arena.execute([n] { return spawn_all(n); }); });
}
