// benchmarks/workloads/skynet/openmp.cpp - a task for nine of the ten branches, one inline.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "skynet.hpp"

#include <array>

namespace {

long skynet(long number, long size) {
    if (size == 1) return number;
    const long part = size / skynet_workload::branches;
    std::array<long, skynet_workload::branches> results{};
    for (unsigned i = 1; i < skynet_workload::branches; ++i) {
#pragma omp task shared(results)
        results[i] = skynet(number + i * part, part);
    }
    results[0] = skynet(number, part);
#pragma omp taskwait
    long sum = 0;
    for (const long r : results) sum += r;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return skynet_workload::run(o, [&](long n, long size) {
        return bench::run_in_team(o.threads, [=] { return skynet(n, size); });
    });
}
