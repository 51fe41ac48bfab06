// benchmarks/workloads/idle/onetbb.cpp - an arena between two loops.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "idle.hpp"

#include <tbb/parallel_for.h>

#include <atomic>

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return idle_workload::run(o, [&] {
        std::atomic<int> sum{0};
        arena.run([&] { tbb::parallel_for(0, 1000, [&](int) { ++sum; }); });
        return sum == 1000;
    });
}
