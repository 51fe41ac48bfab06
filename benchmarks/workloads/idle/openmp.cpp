// benchmarks/workloads/idle/openmp.cpp - a team between two regions.
// SPDX-License-Identifier: MIT
#include "idle.hpp"

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return idle_workload::run(o, [&] {
        int sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(o.threads)
        for (int i = 0; i < 1000; ++i) ++sum;
        return sum == 1000;
    });
}
