// benchmarks/workloads/skynet/taskscope.cpp - fork_join of ten tasks per node.
// SPDX-License-Identifier: MIT
#include "skynet.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;

ts::task<long> skynet(long n, long size) {
    if (size == 1) co_return n;
    const long s = size / skynet_workload::branches;
    auto [a, b, c, d, e, f, g, h, i, j] = co_await ts::fork_join(
        skynet(n, s), skynet(n + s, s), skynet(n + 2 * s, s), skynet(n + 3 * s, s),
        skynet(n + 4 * s, s), skynet(n + 5 * s, s), skynet(n + 6 * s, s), skynet(n + 7 * s, s),
        skynet(n + 8 * s, s), skynet(n + 9 * s, s));
    co_return a + b + c + d + e + f + g + h + i + j;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return skynet_workload::run(o, [&](long n, long size) { return ex.run(skynet(n, size)); });
}
