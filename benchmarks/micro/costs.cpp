// benchmarks/micro/costs.cpp - the cost of single operations, on one worker. Google Benchmark.
// SPDX-License-Identifier: MIT
#include <taskscope/taskscope.hpp>

#include <benchmark/benchmark.h>

namespace {

namespace ts = taskscope;

// Runs `once(state)` as a task; it loops over the state itself.
template <class F>
void on_worker(benchmark::State& state, F once) {
    ts::executor ex{{.workers = 1}};
    ex.run(once(state));
}

ts::task<int> value(int x) { co_return x; }
ts::task<> nothing() { co_return; }

ts::task<> await_loop(benchmark::State& state) {
    for (auto _ : state) {
        int x = co_await value(1);
        benchmark::DoNotOptimize(x);
    }
}
void await_a_task(benchmark::State& state) { on_worker(state, await_loop); }
BENCHMARK(await_a_task);

ts::task<> fork_loop(benchmark::State& state) {
    for (auto _ : state) co_await ts::fork_join(nothing(), nothing());
}
void fork_join_of_two(benchmark::State& state) { on_worker(state, fork_loop); }
BENCHMARK(fork_join_of_two);

ts::task<> scope_loop(benchmark::State& state) {
    for (auto _ : state) {
        co_await ts::with_scope([](ts::task_scope& s) -> ts::task<> {
            s.spawn(nothing());
            co_return;
        });
    }
}
void scope_with_one_child(benchmark::State& state) { on_worker(state, scope_loop); }
BENCHMARK(scope_with_one_child);

ts::task<> yield_loop(benchmark::State& state) {
    for (auto _ : state) co_await ts::yield();
}
void yield_to_nobody(benchmark::State& state) { on_worker(state, yield_loop); }
BENCHMARK(yield_to_nobody);

ts::task<> yield_below(int depth, benchmark::State& state) {
    if (depth == 0) {
        co_await yield_loop(state);
    } else {
        co_await yield_below(depth - 1, state);
    }
}
// Where awaits are traced each suspension goes up to the child.
void yield_in_a_child(benchmark::State& state) {
    ts::executor ex{{.workers = 1, .trace_awaits = state.range(1) != 0}};
    ex.run(ts::with_scope([&state](ts::task_scope& scope) -> ts::task<> {
        scope.spawn(yield_below(static_cast<int>(state.range(0)), state));
        co_return;
    }));
}
BENCHMARK(yield_in_a_child)->ArgNames({"depth", "traced"})->ArgsProduct({{0, 16, 200}, {0, 1}});

ts::task<> checkpoint_loop(benchmark::State& state) {
    for (auto _ : state) co_await ts::checkpoint();
}
void checkpoint(benchmark::State& state) { on_worker(state, checkpoint_loop); }
BENCHMARK(checkpoint);

}  // namespace
