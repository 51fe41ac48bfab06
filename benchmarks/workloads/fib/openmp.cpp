// benchmarks/workloads/fib/openmp.cpp - a task for one branch, the other inline.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "fib.hpp"

namespace {

long fib(unsigned n) {
    if (n < 2) return static_cast<long>(n);
    long a = 0;
#pragma omp task shared(a)
    a = fib(n - 1);
    const long b = fib(n - 2);
#pragma omp taskwait
    return a + b;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return fib_workload::run(
        o, [&](unsigned n) { return bench::run_in_team(o.threads, [n] { return fib(n); }); });
}
