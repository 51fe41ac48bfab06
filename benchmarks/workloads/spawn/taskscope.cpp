// benchmarks/workloads/spawn/taskscope.cpp - task_scope::spawn of a coroutine.
// SPDX-License-Identifier: MIT
#include "spawn.hpp"

#include <taskscope/taskscope.hpp>

#include <atomic>

namespace {

namespace ts = taskscope;

ts::task<> child(std::atomic<long>& sum) {
    sum.fetch_add(1, std::memory_order_relaxed);
    co_return;
}

ts::task<long> spawn_all(long n) {
    std::atomic<long> sum{0};
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (long i = 0; i < n; ++i) s.spawn(child(sum));
        co_return;
    });
    co_return sum.load(std::memory_order_relaxed);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return spawn_workload::run(o, [&](long n) { return ex.run(spawn_all(n)); });
}
