// benchmarks/workloads/wake/taskscope.cpp - a child spawned by a foreign thread.
// SPDX-License-Identifier: MIT
#include "wake.hpp"

#include <taskscope/taskscope.hpp>

namespace {

taskscope::task<> call(void (*f)(void*), void* argument) {
    f(argument);
    co_return;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    taskscope::executor ex{{.workers = o.threads}};
    taskscope::task_scope scope{ex};
    const int status =
        wake_workload::run(o, [&](void (*f)(void*), void* a) { scope.spawn(call(f, a)); });
    scope.blocking_join();
    return status;
}
