// benchmarks/workloads/fib/onetbb.cpp - a task_group per call: one branch run in it, the other inline.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "fib.hpp"

#include <tbb/task_group.h>

namespace {

long fib(unsigned n) {
    if (n < 2) return static_cast<long>(n);
    long a = 0;
    tbb::task_group group;
    group.run([&a, n] { a = fib(n - 1); });
    const long b = fib(n - 2);
    group.wait();
    return a + b;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return fib_workload::run(o, [&](unsigned n) { return arena.run([n] { return fib(n); }); });
}
