// benchmarks/workloads/skynet/onetbb.cpp - a task_group of ten per node.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

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
    return bench::tbb_sum(std::array<long, skynet_workload::branches>{}, skynet_workload::branches,
                          branch);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return skynet_workload::run(
        o, [&](long n, long size) { return arena.run([=] { return skynet(n, size); }); });
}
