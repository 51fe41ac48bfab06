// benchmarks/workloads/uts/openmp.cpp - a task per branch.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "uts.hpp"

#include <array>
#include <vector>

namespace {

namespace u = uts_workload;

long count(u::node n);

/// The first branch is counted by the caller.
template <class Results>
long count_branches(u::node n, Results& results) {
    for (unsigned i = 1; i < results.size(); ++i) {
#pragma omp task shared(results)
        results[i] = count(u::child(n, i));
    }
    results[0] = count(u::child(n, 0));
#pragma omp taskwait
    long sum = 0;
    for (const long r : results) sum += r;
    return sum;
}

long count(u::node n) {
    if (!u::is_inner(n)) return 1;
    std::array<long, u::branches> results{};
    return 1 + count_branches(n, results);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return u::run(o, [&](unsigned width) {
        std::vector<long> results(width);
        return bench::run_in_team(o.threads, [&] { return count_branches(u::root, results); });
    });
}
