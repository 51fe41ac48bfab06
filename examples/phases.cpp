// examples/phases.cpp - tasks that start together, work in phases, and tell when there is something to do.
// SPDX-License-Identifier: MIT
//
// Shows   async_latch: nobody begins before all are ready; async_barrier: no phase begins before the last has ended;
//         async_auto_event: one who works off what has come in, however often he is told.
// Run     phases
// Prints  a line of cells, phase by phase, and what the collector has found
#include <taskscope/taskscope.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <iostream>
#include <string>

namespace ts = taskscope;

namespace {

constexpr std::size_t width = 15;
using row = std::array<bool, width>;

void print(const row& r) {
    std::string line;
    for (const bool cell : r) line += cell ? '#' : '.';
    std::cout << line << '\n';
}

// Each task computes every third cell of the next row (rule 90: the exclusive or of the neighbours), then waits
// for the others. The one that came last prints.
ts::task<> automaton(std::size_t part, std::array<row, 2>& rows, ts::async_latch& ready,
                     ts::async_barrier& phase) {
    ready.count_down();
    co_await ready.wait();
    for (std::size_t n = 0; n < 4; ++n) {
        const row& now = rows[n % 2];
        row& next = rows[(n + 1) % 2];
        for (std::size_t i = part; i < width; i += 3) {
            next[i] = now[(i + width - 1) % width] != now[(i + 1) % width];
        }
        const bool last = co_await phase.arrive_and_wait();
        if (last) print(next);
        co_await phase.arrive_and_wait();
    }
}

ts::task<> cells() {
    std::array<row, 2> rows{};
    rows[0][width / 2] = true;
    print(rows[0]);
    ts::async_latch ready{3};
    ts::async_barrier phase{3};
    co_await ts::fork_join(automaton(0, rows, ready, phase), automaton(1, rows, ready, phase),
                           automaton(2, rows, ready, phase));
}

ts::task<> collecting() {
    ts::async_auto_event something;
    std::atomic<int> waiting{0};
    int collected = 0;
    co_await ts::with_group([&](ts::task_group& office) -> ts::task<> {
        office.spawn([&]() -> ts::task<> {
            while (collected < 100) {
                co_await something.wait();
                collected += waiting.exchange(0);
            }
        });
        for (int i = 0; i < 100; ++i) {
            office.spawn([&]() -> ts::task<> {
                ++waiting;
                something.set();
                co_return;
            });
        }
        co_return;
    });
    std::cout << "collected " << collected << '\n';
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(cells());
    ex.run(collecting());
}
