// benchmarks/workloads/spawn/spawn.hpp - tiny children spawned one by one into one scope, then joined, by whom it may be.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"
#include "harness/cache_line.hpp"
#include "harness/tally.hpp"

#include <array>
#include <functional>

namespace spawn_workload {

inline constexpr std::array inside_shapes{
    bench::variant{"one_task"}, bench::variant{"every_worker"}, bench::variant{"shared_by_8", 8}};
inline constexpr std::array all_shapes{
    bench::variant{"one_task"}, bench::variant{"every_worker"}, bench::variant{"shared_by_8", 8},
    bench::variant{"one_foreign"}, bench::variant{"four_foreign"}};

/// `spawn(foreign, producers, each, tally)`: `producers` tasks, or else foreign threads, spawn `each` children
/// into one scope, which is joined. A child adds 1 to the tally.
template <class Spawn>
int run(const bench::options& o, Spawn spawn) {
    const bool foreign = o.variant == "one_foreign" || o.variant == "four_foreign";
    const unsigned producers = o.variant == "four_foreign"                             ? 4
                               : o.variant == "one_task" || o.variant == "one_foreign" ? 1
                                                                                       : o.threads;
    const long each = (o.quick ? 1'000'000 : 10'000'000) / producers;
    const long children = each * producers;
    const auto spawn_all = [&](long n) {
        bench::tally sum;
        spawn(foreign, producers, n, sum);
        return sum.sum();
    };
    return bench::measure(
        children, static_cast<double>(children), [&] { return spawn_all(each); },
        [&] { spawn_all(1000); }, {{"line_ns", bench::cache_line_ns()}});
}

}  // namespace spawn_workload
