// benchmarks/workloads/spawn/taskscope_plain.cpp - task_scope::spawn of a function, as most contenders have it.
// SPDX-License-Identifier: MIT
#include "taskscope.hpp"

int main(int argc, char** argv) {
    return spawn_workload::run_on_scopes(argc, argv,
                                         [](taskscope::task_scope& s, long n, bench::tally& sum) {
                                             for (long i = 0; i < n; ++i)
                                                 s.spawn([&sum] { sum.add(1); });
                                         });
}
