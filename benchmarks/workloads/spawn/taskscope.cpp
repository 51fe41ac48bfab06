// benchmarks/workloads/spawn/taskscope.cpp - task_scope::spawn of a coroutine.
// SPDX-License-Identifier: MIT
#include "taskscope.hpp"

namespace {

taskscope::task<> child(bench::tally& sum) {
    sum.add(1);
    co_return;
}

}  // namespace

int main(int argc, char** argv) {
    return spawn_workload::run_on_scopes(argc, argv,
                                         [](taskscope::task_scope& s, long n, bench::tally& sum) {
                                             for (long i = 0; i < n; ++i) s.spawn(child(sum));
                                         });
}
