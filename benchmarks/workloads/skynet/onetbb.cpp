// benchmarks/workloads/skynet/onetbb.cpp - a task_group of ten per node.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "skynet.hpp"

#include <tbb/task_group.h>

#include <array>

namespace {

long skynet(long number, long size) {
    if (size == 1) return number;
    const long part = size / skynet_workload::branches;
    std::array<long, skynet_workload::branches> results{};
    tbb::task_group group;
    for (unsigned i = 1; i < skynet_workload::branches; ++i) {
        group.run([&results, i, number, part] { results[i] = skynet(number + i * part, part); });
    }
    results[0] = skynet(number, part);
    group.wait();
    long sum = 0;
    for (const long r : results) sum += r;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return skynet_workload::run(
        o, [&](long n, long size) { return arena.run([=] { return skynet(n, size); }); });
}
