// benchmarks/workloads/uts/openmp.cpp - a task per branch.
// SPDX-License-Identifier: MIT
#include "harness/openmp.hpp"

#include "uts.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace {

namespace u = uts_workload;

long count(u::node n) {
    if (!u::is_inner(n)) return 1;
    const auto branch = [n](std::size_t i) { return count(u::child(n, i)); };
    return 1 + bench::openmp_sum(std::array<long, u::branches>{}, u::branches, branch);
}

long count_children(std::size_t width) {
    const auto branch = [](std::size_t i) { return count(u::child(u::root, i)); };
    return bench::openmp_sum(std::vector<long>(width), width, branch);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    return u::run(o, [&](unsigned width) {
        return bench::run_in_team(o.threads, [=] { return count_children(width); });
    });
}
