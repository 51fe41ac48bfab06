// benchmarks/workloads/reduce/async.cpp - std::async: an equal share for each thread.
// SPDX-License-Identifier: MIT
#include "reduce.hpp"

#include <future>

int main(int argc, char** argv) {
    namespace r = reduce_workload;
    const bench::options o = bench::parse(argc, argv);
    return r::run(o, [&](r::numbers all) {
        std::vector<std::future<std::uint64_t>> shares;
        const std::size_t share = all.size() / o.threads;
        for (unsigned i = 0; i < o.threads; ++i) {
            const std::size_t first = i * share;
            const std::size_t count = i + 1 == o.threads ? all.size() - first : share;
            shares.push_back(
                std::async(std::launch::async, r::sum_of_squares, all.subspan(first, count)));
        }
        std::uint64_t sum = 0;
        for (auto& s : shares) sum += s.get();
        return sum;
    });
}
