// benchmarks/workloads/fib/taskscope_invoke.cpp - parallel_invoke of the two calls: plain functions.
// SPDX-License-Identifier: MIT
#include "fib.hpp"

#include <taskscope/taskscope.hpp>

namespace {

long fib(unsigned n) {
    if (n < 2) return static_cast<long>(n);
    auto [a, b] =
        taskscope::parallel_invoke([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

taskscope::task<long> fib_on_a_worker(unsigned n) { co_return fib(n); }

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    taskscope::executor ex{{.workers = o.threads}};
    return fib_workload::run(o, [&](unsigned n) { return ex.run(fib_on_a_worker(n)); });
}
