// benchmarks/workloads/matmul/openmp.cpp - a task per quarter, twice per level.
// SPDX-License-Identifier: MIT
#include "matmul.hpp"

namespace {

namespace m = matmul_workload;

void multiply(m::factor a, m::factor b, m::product c) {
    if (a.size <= m::smallest) return m::multiply_small(a, b, c);
    for (unsigned k = 0; k < 2; ++k) {
        for (unsigned q = 0; q < 4; ++q) {
#pragma omp task
            multiply(a.quarter(q / 2, k), b.quarter(k, q % 2), c.quarter(q / 2, q % 2));
        }
#pragma omp taskwait
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return m::run(o, [&](m::factor a, m::factor b, m::product c) {
#pragma omp parallel num_threads(o.threads)
#pragma omp single
        multiply(a, b, c);
    });
}
