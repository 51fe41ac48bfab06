// benchmarks/workloads/timers/taskscope.cpp - a child per timer, which sleeps; a stop of their scope.
// SPDX-License-Identifier: MIT
#include "timers.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;

ts::task<> sleeper(long i) { co_await ts::sleep_for(timers_workload::delay(i)); }

// All of them, so none is left unarmed when the stop comes.
long arm_and_stop(ts::executor& ex, long n) {
    ts::task_scope sleepers{ex};
    for (long i = 0; i < n; ++i) sleepers.spawn(sleeper(i));
    while (ex.statistics().timers != static_cast<std::uint64_t>(n)) {
    }
    sleepers.request_stop();
    sleepers.blocking_join();
    return static_cast<long>(sleepers.counts().stopped);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return timers_workload::run(o, [&](long n) { return arm_and_stop(ex, n); });
}
