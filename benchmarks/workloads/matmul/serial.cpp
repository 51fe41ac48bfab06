// benchmarks/workloads/matmul/serial.cpp - plain recursion.
// SPDX-License-Identifier: MIT
#include "matmul.hpp"

int main(int argc, char** argv) {
    return matmul_workload::run(bench::parse(argc, argv), matmul_workload::multiply_serially);
}
