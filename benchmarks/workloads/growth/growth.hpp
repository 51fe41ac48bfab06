// benchmarks/workloads/growth/growth.hpp - what a task costs when there are ever more, deeper down, on more threads.
// SPDX-License-Identifier: MIT
//
// A series is a shape and what grows; a point of it is a variant, such as fork_tasks/1000. run.py runs each point in
// a process of its own, plot.py draws a line for each contender.
#pragma once

#include "harness/bench.hpp"

#include <charconv>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace growth_workload {

/// A fork makes two tasks, down to so many leaves; about twice as many tasks in all.
inline constexpr std::string_view fork_tasks = "fork_tasks";
/// One task spawns so many into one scope, and waits for each `burst`.
inline constexpr std::string_view spawn_tasks = "spawn_tasks";
/// A task awaits a task, which awaits a task: so deep.
inline constexpr std::string_view await_depth = "await_depth";
/// A child opens a scope, whose only child opens a scope: so deep.
inline constexpr std::string_view scope_depth = "scope_depth";
/// As fork_tasks and spawn_tasks with a fixed number of tasks, on so many threads, however few processors there are.
inline constexpr std::string_view fork_workers = "fork_workers";
inline constexpr std::string_view spawn_workers = "spawn_workers";

inline constexpr long burst = 1024;

struct series {
    std::string_view name;
    long last;  ///< where it ends
};

/// The points of the series, in order: powers of ten, of two for workers.
inline std::vector<bench::variant> points(std::span<const series> all) {
    static std::deque<std::string> names;
    std::vector<bench::variant> found;
    for (const series& s : all) {
        const bool workers = s.name.ends_with("_workers");
        const bool depth = s.name.ends_with("_depth");
        for (long x = workers ? 1 : depth ? 10 : 1000; x <= s.last; x *= workers ? 2 : 10) {
            names.push_back(std::string(s.name) + '/' + std::to_string(x));
            const unsigned threads = workers ? static_cast<unsigned>(x) : 0;
            found.push_back({names.back(), threads, x <= 10'000'000});
        }
    }
    return found;
}

/// Contenders have those members of `shapes` that they list in their series:
/// long tree(long n), bursts(long n), chain(long depth, long times), nest(long depth, long times), each giving how
/// many it was.
template <class Shapes>
int run(const bench::options& o, Shapes& shapes) {
    const std::string_view name = o.variant.substr(0, o.variant.find('/'));
    const std::string_view number = o.variant.substr(name.size() + 1);
    long x = 0;
    std::from_chars(number.begin(), number.end(), x);
    const auto measure = [&](long n, long warm_up, auto shape, double tasks_each = 1) {
        return bench::measure(
            n, tasks_each * static_cast<double>(n), [&] { return shape(n); },
            [&] { shape(warm_up); });
    };
    const auto fork = [&](long n) { return shapes.tree(n); };
    const auto spawn = [&](long n) { return shapes.bursts(n); };
    const long fixed = o.quick ? 1'000'000 : 10'000'000;
    if (name == fork_tasks) return measure(x, 1000, fork, 2);
    if (name == spawn_tasks) return measure(x, 1000, spawn);
    if (name == fork_workers) return measure(fixed, 1000, fork, 2);
    if (name == spawn_workers) return measure(fixed, 1000, spawn);
    const long levels = 1'000'000;  // in chains of x
    if constexpr (requires { shapes.chain(x, 1); }) {
        if (name == await_depth) {
            return measure(levels, x, [&](long n) { return shapes.chain(x, n / x); });
        }
    }
    return measure(levels, x, [&](long n) { return shapes.nest(x, n / x); });
}

}  // namespace growth_workload
