// benchmarks/workloads/matmul/onetbb.cpp - parallel_invoke of four quarters, twice per level.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "matmul.hpp"

#include <tbb/parallel_invoke.h>

namespace {

namespace m = matmul_workload;

void multiply(m::factor a, m::factor b, m::product c) {
    if (a.size <= m::smallest) return m::multiply_small(a, b, c);
    for (unsigned k = 0; k < 2; ++k) {
        const auto quarter = [=](unsigned i, unsigned j) {
            return [=] { multiply(a.quarter(i, k), b.quarter(k, j), c.quarter(i, j)); };
        };
        tbb::parallel_invoke(quarter(0, 0), quarter(0, 1), quarter(1, 0), quarter(1, 1));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return m::run(
        o, [&](m::factor a, m::factor b, m::product c) { arena.run([&] { multiply(a, b, c); }); });
}
