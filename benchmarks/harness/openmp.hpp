// benchmarks/harness/openmp.hpp - a team of exactly so many threads, and forking in it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <numeric>

namespace bench {

/// What `f()` gives, called by one thread of the team; the others take the tasks it makes.
template <class F>
auto run_in_team(unsigned threads, F f) {
    decltype(f()) result{};
#pragma omp parallel num_threads(threads)
#pragma omp single
    result = f();
    return result;
}

/// The sum of `branch(0)` ... `branch(count - 1)`, the first on this thread, a task for each of the others. `results`
/// has room for them.
template <class Results, class Branch>
long openmp_sum(Results results, std::size_t count, const Branch& branch) {
    for (std::size_t i = 1; i < count; ++i) {
#pragma omp task shared(results, branch)
        results[i] = branch(i);
    }
    results[0] = branch(0);
#pragma omp taskwait
    return std::accumulate(results.begin(), results.end(), 0L);
}

}  // namespace bench
