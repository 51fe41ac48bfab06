// benchmarks/workloads/skynet/taskscope_invoke.cpp - parallel_invoke of ten calls per node: plain functions.
// SPDX-License-Identifier: MIT
#include "skynet.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;

long skynet(long n, long size) {
    if (size == 1) return n;
    const long s = size / skynet_workload::branches;
    const auto branch = [n, s](long i) { return [=] { return skynet(n + i * s, s); }; };
    auto [a, b, c, d, e, f, g, h, i, j] =
        ts::parallel_invoke(branch(0), branch(1), branch(2), branch(3), branch(4), branch(5),
                            branch(6), branch(7), branch(8), branch(9));
    return a + b + c + d + e + f + g + h + i + j;
}

ts::task<long> skynet_on_a_worker(long n, long size) { co_return skynet(n, size); }

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return skynet_workload::run(
        o, [&](long n, long size) { return ex.run(skynet_on_a_worker(n, size)); });
}
