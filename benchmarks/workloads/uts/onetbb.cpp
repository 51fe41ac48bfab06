// benchmarks/workloads/uts/onetbb.cpp - a task_group per inner node.
// SPDX-License-Identifier: MIT
#include "harness/onetbb.hpp"

#include "uts.hpp"

#include <tbb/task_group.h>

#include <vector>

namespace {

namespace u = uts_workload;

long count(u::node n);

/// The first branch is counted by the caller.
template <class Results>
long count_branches(u::node n, Results& results) {
    tbb::task_group group;
    for (unsigned i = 1; i < results.size(); ++i) {
        group.run([&results, n, i] { results[i] = count(u::child(n, i)); });
    }
    results[0] = count(u::child(n, 0));
    group.wait();
    long sum = 0;
    for (const long r : results) sum += r;
    return sum;
}

long count(u::node n) {
    if (!u::is_inner(n)) return 1;
    std::array<long, u::branches> results{};
    return 1 + count_branches(n, results);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    bench::tbb_arena arena(o);
    return u::run(o, [&](unsigned width) {
        std::vector<long> results(width);
        return arena.run([&] { return count_branches(u::root, results); });
    });
}
