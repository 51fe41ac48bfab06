// benchmarks/workloads/uts/serial.cpp - plain recursion.
// SPDX-License-Identifier: MIT
#include "uts.hpp"

namespace {

namespace u = uts_workload;

long count(u::node n) {
    long sum = 1;
    if (u::is_inner(n)) {
        for (unsigned i = 0; i < u::branches; ++i) sum += count(u::child(n, i));
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return u::run(bench::parse(argc, argv), [](unsigned width) {
        long sum = 0;
        for (unsigned i = 0; i < width; ++i) sum += count(u::child(u::root, i));
        return sum;
    });
}
