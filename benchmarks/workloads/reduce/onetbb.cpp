// benchmarks/workloads/reduce/onetbb.cpp - parallel_reduce with its default partitioner.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "reduce.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>

#include <functional>

int main(int argc, char** argv) {
    namespace r = reduce_workload;
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return r::run(o, [&](r::numbers all) {
        return arena.run([&] {
            using range = tbb::blocked_range<std::size_t>;
            return tbb::parallel_reduce(
                range(0, all.size(), r::grain), std::uint64_t{0},
                [&](const range& part, std::uint64_t sum) {
                    return sum + r::sum_of_squares(all.subspan(part.begin(), part.size()));
                },
                std::plus<>());
        });
    });
}
