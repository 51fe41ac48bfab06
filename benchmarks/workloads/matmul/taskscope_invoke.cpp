// benchmarks/workloads/matmul/taskscope_invoke.cpp - parallel_invoke of four quarters, twice per level: plain functions.
// SPDX-License-Identifier: MIT
#include "matmul.hpp"

#include <taskscope/taskscope.hpp>

namespace {

namespace ts = taskscope;
namespace m = matmul_workload;

void multiply(m::factor a, m::factor b, m::product c) {
    if (a.size <= m::smallest) return m::multiply_small(a, b, c);
    for (unsigned k = 0; k < 2; ++k) {
        const auto quarter = [=](unsigned down, unsigned right) {
            return
                [=] { multiply(a.quarter(down, k), b.quarter(k, right), c.quarter(down, right)); };
        };
        ts::parallel_invoke(quarter(0, 0), quarter(0, 1), quarter(1, 0), quarter(1, 1));
    }
}

ts::task<> multiply_on_a_worker(m::factor a, m::factor b, m::product c) {
    multiply(a, b, c);
    co_return;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return m::run(
        o, [&](m::factor a, m::factor b, m::product c) { ex.run(multiply_on_a_worker(a, b, c)); });
}
