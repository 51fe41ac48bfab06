// benchmarks/micro/tbb_guest.cpp - what it costs to lend a worker to oneTBB, beside what oneTBB then does.
// SPDX-License-Identifier: MIT
#include <taskscope/bridges/tbb_guest.hpp>

#include <benchmark/benchmark.h>

namespace {

namespace ts = taskscope;

ts::task<> call_loop(ts::tbb_guest& guest, benchmark::State& state) {
    for (auto _ : state) co_await guest.run([] {});
}
void tbb_guest_calls_nothing(benchmark::State& state) {
    ts::executor ex{{.workers = static_cast<unsigned>(state.range(0))}};
    ts::tbb_guest guest(ex, ex.workers());
    ex.run(call_loop(guest, state));
}
BENCHMARK(tbb_guest_calls_nothing)->ArgName("workers")->Arg(1)->Arg(2)->MeasureProcessCPUTime();

}  // namespace
