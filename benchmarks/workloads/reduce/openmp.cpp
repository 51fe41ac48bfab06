// benchmarks/workloads/reduce/openmp.cpp - a parallel loop over the chunks, with a reduction.
// SPDX-License-Identifier: MIT
#include "reduce.hpp"

int main(int argc, char** argv) {
    namespace r = reduce_workload;
    const bench::options o = bench::parse(argc, argv);
    return r::run(o, [&](r::numbers all) {
        std::uint64_t sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(o.threads)
        for (std::size_t i = 0; i < all.size() / r::grain; ++i) sum += r::chunk(all, i);
        return sum;
    });
}
