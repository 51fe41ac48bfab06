// benchmarks/workloads/reduce/serial.cpp - a loop.
// SPDX-License-Identifier: MIT
#include "reduce.hpp"

int main(int argc, char** argv) {
    return reduce_workload::run(bench::parse(argc, argv), reduce_workload::sum_of_squares);
}
