// benchmarks/harness/onetbb.hpp - a oneTBB arena of exactly so many threads, and forking in it.
// SPDX-License-Identifier: MIT
#pragma once

#include "bench.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <cstddef>
#include <numeric>
#include <utility>

namespace bench {

/// The thread that calls run() is one of them.
class tbb_arena {
public:
    explicit tbb_arena(const options& o) : tbb_arena(static_cast<int>(o.threads), 1) {}

    /// All of them are oneTBB's own, for those who only hand work in.
    static tbb_arena of_workers(const options& o) {
        return tbb_arena(static_cast<int>(o.threads), 0);
    }

    template <class F>
    auto run(F f) {
        return arena_.execute(f);
    }
    template <class Deferred>
    void enqueue(Deferred&& d) {
        arena_.enqueue(std::forward<Deferred>(d));
    }

private:
    tbb_arena(int threads, unsigned callers)
        : limit_(tbb::global_control::max_allowed_parallelism,
                 static_cast<std::size_t>(threads) + 1 - callers),
          arena_(threads, callers) {}

    tbb::global_control limit_;
    tbb::task_arena arena_;
};

/// The sum of `branch(0)` ... `branch(count - 1)`, the first on this thread, the others in a task_group. `results` has
/// room for them.
template <class Results, class Branch>
long tbb_sum(Results results, std::size_t count, const Branch& branch) {
    tbb::task_group group;
    for (std::size_t i = 1; i < count; ++i) {
        group.run([&results, &branch, i] { results[i] = branch(i); });
    }
    results[0] = branch(0);
    group.wait();
    return std::accumulate(results.begin(), results.end(), 0L);
}

}  // namespace bench
