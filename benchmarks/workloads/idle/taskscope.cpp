// benchmarks/workloads/idle/taskscope.cpp - an executor between two tasks.
// SPDX-License-Identifier: MIT
#include "idle.hpp"

#include <taskscope/taskscope.hpp>

namespace {

taskscope::task<bool> work() { co_return true; }

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    taskscope::executor ex{{.workers = o.threads}};
    return idle_workload::run(o, [&] { return ex.run(work()); });
}
