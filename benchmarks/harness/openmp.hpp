// benchmarks/harness/openmp.hpp - a team of exactly so many threads, one of which begins.
// SPDX-License-Identifier: MIT
#pragma once

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

}  // namespace bench
