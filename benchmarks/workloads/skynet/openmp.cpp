// benchmarks/workloads/skynet/openmp.cpp - a task for nine of the ten branches, one inline.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "skynet.hpp"

#include <array>
#include <cstddef>

namespace {

long skynet(long number, long size) {
    if (size == 1) return number;
    const long part = size / skynet_workload::branches;
    const auto branch = [=](std::size_t i) {
        return skynet(number + static_cast<long>(i) * part, part);
    };
    return bench::openmp_sum(std::array<long, skynet_workload::branches>{},
                             skynet_workload::branches, branch);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return skynet_workload::run(o, [&](long n, long size) {
        return bench::run_in_team(o.threads, [=] { return skynet(n, size); });
    });
}
