// benchmarks/micro/observers.cpp - what a child costs, and a step of it, with no, one and three observers.
// SPDX-License-Identifier: MIT
//
// Claim: with none as much as before there were observers. With some: so much for the first, less for each other.
#include <taskscope/taskscope.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace {

namespace ts = taskscope;

struct nobody final : ts::observer {};

struct with_slot final : ts::observer {
    void child_spawned(ts::observed_child& c) override { c.emplace_slot<int>(0); }
    void child_completed(const ts::observed_child& c, const ts::child_end&) override {
        benchmark::DoNotOptimize(*c.slot<int>());
    }
};

template <class Observer>
std::vector<ts::observation> observe(ts::executor& ex, std::int64_t n) {
    std::vector<ts::observation> all;
    for (std::int64_t i = 0; i < n; ++i)
        all.push_back(ts::observe(ex, std::make_shared<Observer>()));
    return all;
}

ts::task<> nothing() { co_return; }

// Children that do nothing, run here one after the other.
template <class Observer>
void spawn_a_child(benchmark::State& state) {
    ts::executor ex{{.workers = 1}};
    const auto observers = observe<Observer>(ex, state.range(0));
    ex.run([](benchmark::State& s) -> ts::task<> {
        const auto body = [&s](ts::task_scope& scope) -> ts::task<> {
            for (auto _ : s) co_await scope.spawn_here(nothing());
        };
        co_await ts::with_scope(body);
    }(state));
}
BENCHMARK(spawn_a_child<nobody>)
    ->Name("spawn_a_child")
    ->ArgName("observers")
    ->Arg(0)
    ->Arg(1)
    ->Arg(3);
BENCHMARK(spawn_a_child<with_slot>)
    ->Name("spawn_a_child_with_slot")
    ->ArgName("observers")
    ->Arg(1)
    ->Arg(3);

// A child that lets others go first, which nobody wants.
void step_of_a_child(benchmark::State& state) {
    ts::executor ex{{.workers = 1}};
    const auto observers = observe<nobody>(ex, state.range(0));
    const auto loop = [&state]() -> ts::task<> {
        for (auto _ : state) co_await ts::yield();
    };
    ex.run(ts::with_scope([&loop](ts::task_scope& scope) -> ts::task<> {
        scope.spawn(loop);
        co_return;
    }));
}
BENCHMARK(step_of_a_child)->ArgName("observers")->Arg(0)->Arg(1)->Arg(3);

}  // namespace
