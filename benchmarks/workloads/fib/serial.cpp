// benchmarks/workloads/fib/serial.cpp - plain functions, not inlined.
// SPDX-License-Identifier: MIT
#include "fib.hpp"

namespace {

[[gnu::noinline]] long fib(unsigned n) {
    return n < 2 ? static_cast<long>(n) : fib(n - 1) + fib(n - 2);
}

}  // namespace

int main(int argc, char** argv) { return fib_workload::run(bench::parse(argc, argv), fib); }
