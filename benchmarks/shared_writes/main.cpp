// benchmarks/shared_writes/main.cpp - runs one workload on so many simulated workers; prints what was shared, as JSON.
// SPDX-License-Identifier: MIT
#include "shared_writes/machine.hpp"

#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace ts = taskscope;
namespace sw = shared_writes;

constexpr std::uint64_t body_ns = 500;  // what a child computes

/// A task for each call, and nothing computed in it.
ts::task<long> fib(int n) {
    if (n < 2) co_return 1;
    auto [a, b] = co_await ts::fork_join(fib(n - 1), fib(n - 2));
    co_return a + b + 1;
}

ts::task<> child() {
    sw::work(body_ns);
    co_return;
}
ts::task<> producer(ts::task_scope& s, long n, std::uint64_t pause_ns) {
    for (long i = 0; i < n; ++i) {
        s.spawn(child());
        if (pause_ns != 0) sw::work(pause_ns);
    }
    co_return;
}
/// `producers` tasks spawn `n` children in all into one scope.
ts::task<long> spawn(long n, unsigned producers, std::uint64_t pause_ns) {
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (unsigned p = 0; p < producers; ++p) s.spawn(producer(s, n / producers, pause_ns));
        co_return;
    });
    co_return n / producers* producers;
}

/// The same, but each into a scope of its own below that one.
ts::task<long> spawn_apart(long n, unsigned producers) {
    const auto produce = [each = n / producers](ts::task_scope& s) { return producer(s, each, 0); };
    co_await ts::with_scope([&](ts::task_scope& s) -> ts::task<> {
        for (unsigned p = 0; p < producers; ++p) s.spawn([&] { return ts::with_scope(produce); });
        co_return;
    });
    co_return n / producers* producers;
}

/// Gives how many tasks it has run.
long run(ts::executor& ex, std::string_view workload, bool warm_up) {
    if (workload == "fork_join") return ex.run(fib(warm_up ? 8 : 20));
    if (workload == "spawn") return ex.run(spawn(warm_up ? 1000 : 10'000, 1, 0));
    if (workload == "spawn_by_all") return ex.run(spawn(warm_up ? 1000 : 10'000, ex.workers(), 0));
    if (workload == "spawn_apart")
        return ex.run(spawn_apart(warm_up ? 1000 : 10'000, ex.workers()));
    if (workload == "wake") return ex.run(spawn(warm_up ? 20 : 1000, 1, 30'000));
    std::fprintf(stderr, "no workload '%s'\n", std::string(workload).c_str());
    std::exit(2);
}

void print(double tasks, const ts::statistics& before, const ts::statistics& after,
           const sw::report& r) {
    const auto each = [&](std::uint64_t n) { return static_cast<double>(n) / tasks; };
    std::printf("{\"writes\": %.4f, \"moved\": %.4f, \"taken_back\": %.4f, \"fetched\": %.4f, ",
                each(r.all.writes), each(r.all.moved), each(r.all.taken_back), each(r.all.fetched));
    std::printf("\"hottest_line\": %.4f, \"steals\": %.4f, \"wakes\": %.4f, \"barriers\": %.4f, ",
                each(r.hottest_line), each(after.steals - before.steals), each(r.wakes),
                each(r.barriers));
    std::printf("\"places\": {");
    const char* separator = "";
    for (const auto& [name, c] : r.by_place) {
        if (c.misses() == 0) continue;
        std::printf("%s\"%s\": %.4f", separator, name.c_str(), each(c.misses()));
        separator = ", ";
    }
    std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned long workers = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
    if (workers == 0 || workers > 100) {  // lines.hpp has room for some more threads
        std::fprintf(stderr, "usage: %s fork_join|spawn|spawn_by_all|spawn_apart|wake WORKERS\n",
                     argv[0]);
        return 2;
    }
    sw::begin();
    ts::executor ex{{.workers = static_cast<unsigned>(workers)}};
    run(ex, argv[1], true);
    sw::reset();
    const ts::statistics before = ex.statistics();
    const long tasks = run(ex, argv[1], false);
    const ts::statistics after = ex.statistics();
    const sw::report r = sw::end();
    print(static_cast<double>(tasks), before, after, r);
}
