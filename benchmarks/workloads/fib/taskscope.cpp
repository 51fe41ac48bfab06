// benchmarks/workloads/fib/taskscope.cpp - fork_join of the two calls.
// SPDX-License-Identifier: MIT
#include "fib.hpp"

#include <taskscope/taskscope.hpp>

namespace {

taskscope::task<long> fib(unsigned n) {
    if (n < 2) co_return static_cast<long>(n);
    auto [a, b] = co_await taskscope::fork_join(fib(n - 1), fib(n - 2));
    co_return a + b;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    taskscope::executor ex{{.workers = o.threads}};
    return fib_workload::run(o, [&](unsigned n) { return ex.run(fib(n)); });
}
