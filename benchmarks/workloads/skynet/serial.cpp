// benchmarks/workloads/skynet/serial.cpp - plain recursion.
// SPDX-License-Identifier: MIT
#include "skynet.hpp"

namespace {

[[gnu::noinline]] long skynet(long number, long size) {
    if (size == 1) return number;
    const long part = size / skynet_workload::branches;
    long sum = 0;
    for (unsigned i = 0; i < skynet_workload::branches; ++i) sum += skynet(number + i * part, part);
    return sum;
}

}  // namespace

int main(int argc, char** argv) { return skynet_workload::run(bench::parse(argc, argv), skynet); }
