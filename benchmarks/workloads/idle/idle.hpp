// benchmarks/workloads/idle/idle.hpp - what a pool takes from the machine that has nothing to do.
// SPDX-License-Identifier: MIT
//
// Told is the time of processors that it spends in a second. It begins after a first task, when all threads are there.
#pragma once

#include "harness/bench.hpp"

#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace idle_workload {

/// `work()` does something small in the pool and waits for it; it returns true.
template <class F>
int run(const bench::options& o, F work) {
    bool ok = work();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto switches = [] {
        rusage u{};
        getrusage(RUSAGE_SELF, &u);
        return u.ru_nvcsw;
    };
    const long before = switches();
    const bench::stopwatch watch;
    std::this_thread::sleep_for(std::chrono::milliseconds(o.quick ? 300 : 3000));
    const double cpu = watch.cpu();
    const double seconds = watch.seconds();
    const long waits = switches() - before - 1;  // one is our own
    ok = work() && ok;                           // it can still be woken
    return bench::report({cpu / seconds, cpu, 1, ok},
                         {{"waits_per_second", static_cast<double>(waits) / seconds}});
}

}  // namespace idle_workload
