// benchmarks/workloads/wake/onetbb.cpp - enqueued in an arena.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "wake.hpp"

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena = bench::tbb_arena::of_workers(o);
    return wake_workload::run(o, [&](void (*f)(void*), void* a) { arena.enqueue([=] { f(a); }); });
}
