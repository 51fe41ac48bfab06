// benchmarks/workloads/handoff/threads.cpp - two threads and std::atomic::wait.
// SPDX-License-Identifier: MIT
#include "harness/threads.hpp"

#include "handoff.hpp"

#include <atomic>

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return handoff_workload::run(o, [](long rounds) {
        std::atomic<long> number{0};
        bench::on_threads(2, [&](unsigned mine) {
            for (long i = mine; i < 2 * rounds; i += 2) {
                for (long seen = 0; (seen = number.load()) != i;) number.wait(seen);
                number.store(i + 1);
                number.notify_one();
            }
        });
        return number.load();
    });
}
