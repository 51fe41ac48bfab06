// examples/admission.cpp - a scope that admits two children at a time, with a short line in front of it.
// SPDX-License-Identifier: MIT
//
// Shows   admission; waiting for a place, being refused, and why; limits that change; what a dump says.
// Run     admission
// Prints  who gets in; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<> handle(int number, std::chrono::milliseconds takes) {
    co_await ts::sleep_for(takes);
    std::cout << "request " << number << " answered\n";
}

ts::task<> arrive(ts::admission& door, int number, std::chrono::milliseconds takes) {
    try {
        const ts::spawn_options named{.name = "request"};
        co_await door.spawn_when_admitted(named, handle, number, takes);
        std::cout << "request " << number << " admitted\n";
    } catch (const ts::admission_refused& e) {
        std::cout << "request " << number << " refused: " << e.what() << '\n';
    }
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ts::task_scope connections(ex);
    ts::task_scope handlers(ex, {.name = "handlers"});
    ts::admission door(handlers, {.max_live = 2, .max_waiting = 2, .max_wait = 100ms});

    // Two get in, two wait, the fifth is sent away at once.
    connections.spawn(arrive(door, 1, 50ms));
    connections.spawn(arrive(door, 2, 300ms));
    connections.spawn(arrive(door, 3, 300ms));
    connections.spawn(arrive(door, 4, 10ms));
    connections.spawn(arrive(door, 5, 10ms));
    connections.blocking_join();

    // Nobody waits here: take it or leave it.
    const ts::spawn_options named{.name = "request"};
    if (!door.try_spawn(named, handle, 6, 10ms)) std::cout << "request 6 is one too many\n";
    door.set_limits({.max_live = 3});
    if (door.try_spawn(named, handle, 6, 10ms)) std::cout << "request 6 is welcome now\n";

    const ts::admission_counts c = door.counts();
    std::cout << c.live << " live, " << c.admitted << " admitted, " << c.refused()
              << " refused: " << c.full << " full, " << c.queue_full << " queue full, "
              << c.too_late << " too late\n";
    handlers.blocking_join();
}
