// benchmarks/workloads/matmul/taskscope.cpp - fork_join of four quarters, twice per level.
// SPDX-License-Identifier: MIT
#include "matmul.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;
namespace m = matmul_workload;

ts::task<> multiply(m::factor a, m::factor b, m::product c) {
    if (a.size <= m::smallest) {
        m::multiply_small(a, b, c);
        co_return;
    }
    for (unsigned k = 0; k < 2; ++k) {
        co_await ts::fork_join(multiply(a.quarter(0, k), b.quarter(k, 0), c.quarter(0, 0)),
                               multiply(a.quarter(0, k), b.quarter(k, 1), c.quarter(0, 1)),
                               multiply(a.quarter(1, k), b.quarter(k, 0), c.quarter(1, 0)),
                               multiply(a.quarter(1, k), b.quarter(k, 1), c.quarter(1, 1)));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return m::run(o, [&](m::factor a, m::factor b, m::product c) { ex.run(multiply(a, b, c)); });
}
