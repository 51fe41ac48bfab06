// examples/timers.cpp - functions called at regular times, and what happens when they take too long.
// SPDX-License-Identifier: MIT
//
// Shows   every with three policies; figures of a timer; errors that a timer survives; a scope that drains.
// Run     timers
// Prints  when ticks begin; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

// The first tick takes two and a half periods.
void show(const char* name, ts::missed_tick policy) {
    ts::manual_executor ex;
    const auto start = ex.now();
    ts::timer_counts counts;
    int ticks = 0;
    std::cout << name << ':';
    const auto tick = [&]() -> ts::task<> {
        std::cout
            << ' '
            << std::chrono::duration_cast<std::chrono::milliseconds>(ex.now() - start).count();
        if (++ticks == 1) co_await ts::sleep_for(25ms);
    };
    ts::task_scope timers{ex, {.name = "timers", .policy = {}}};
    const ts::timer_options options{.period = 10ms, .when_missed = policy, .counts = &counts};
    timers.spawn(ts::every(options, tick));
    ex.advance(44ms);
    timers.close();  // nothing new begins; what runs may end
    timers.blocking_join();
    std::cout << " (" << counts.late << " late, " << counts.missed << " missed)\n";
}

// An error of a tick goes where errors of the scope go, and the next tick comes.
void show_errors() {
    ts::manual_executor ex;
    const auto report = [](const ts::error_context& e) {
        std::cout << e.scope_path << ": " << ts::describe(e.error) << '\n';
    };
    ts::task_scope timers{ex, {.name = "timers", .policy = report}};
    int ticks = 0;
    const auto tick = [&ticks] {
        if (++ticks == 2) throw std::runtime_error("the second tick failed");
    };
    timers.spawn(ts::every(1s, ts::missed_tick::skip, tick));
    ex.advance(3500ms);
    timers.request_stop();
    timers.blocking_join();
    std::cout << ticks << " ticks\n";
}

}  // namespace

int main() {
    show("overlap ", ts::missed_tick::overlap);
    show("skip    ", ts::missed_tick::skip);
    show("coalesce", ts::missed_tick::coalesce);
    show("burst   ", ts::missed_tick::burst);
    show("delay   ", ts::missed_tick::delay);
    show("cancel_previous", ts::missed_tick::cancel_previous);
    show_errors();
}
