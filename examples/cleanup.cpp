// examples/cleanup.cpp - cleanup that awaits: in a shield, after a task, and for what a whole scope uses.
// SPDX-License-Identifier: MIT
//
// Shows   shield, finally, defer, and a time limit for cleanup; depends_on for the order among scopes.
// Run     cleanup
// Prints  what is done after the stop, in order
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<> say_goodbye(std::string to) {
    co_await ts::sleep_for(1ms);  // a message to the other side
    std::cout << "goodbye, " << to << '\n';
}

ts::task<> wait_for_ever() { co_await ts::sleep_for(24h); }

// A stop ends the wait; the goodbye is said all the same.
ts::task<> session() {
    const auto goodbye = [] { return say_goodbye("client"); };
    co_await ts::finally(wait_for_ever(), goodbye);
}

// Once begun, a transaction is finished.
ts::task<> transaction(ts::async_event& begun) {
    const auto steps = [&]() -> ts::task<> {
        begun.set();
        co_await ts::sleep_for(2ms);
        std::cout << "committed\n";
    };
    co_await ts::shield(steps());
    co_await ts::checkpoint();
    std::cout << "never: here the stop is seen\n";
}

ts::task<> client() {
    ts::async_event begun;
    co_await ts::with_scope("client", [&](ts::task_scope& s) -> ts::task<> {
        // Called when both children have left, the last one first.
        s.defer([] { return say_goodbye("server"); });
        s.defer([]() -> ts::task<> {
            const auto in_time = co_await ts::move_on_after(1ms, wait_for_ever());
            std::cout << (in_time ? "logged out\n" : "gave up logging out\n");
        });
        s.spawn(session);
        s.spawn(transaction, std::ref(begun));
        co_await begun.wait();
        s.request_stop();
    });
}

// What the handlers use is ended after them.
void in_order(ts::executor& ex) {
    ts::task_scope app{ex, {.name = "app"}};
    ts::task_scope handlers{app, {.name = "handlers"}};
    ts::task_scope pool{app, {.name = "pool"}};
    handlers.depends_on(pool);
    const auto until_stopped = [](std::string name) -> ts::task<> {
        const auto end = [name] { return say_goodbye(name); };
        co_await ts::finally(wait_for_ever(), end);
    };
    pool.spawn(until_stopped, "pool");
    handlers.spawn(until_stopped, "handlers");
    const ts::shutdown_report r = app.blocking_shutdown({.drain = 0s, .stop = 2s});
    std::cout << (r.complete() ? "all ended\n" : r.text());
}

}  // namespace

int main() {
    ts::manual_executor ex;  // a clock of its own: who says goodbye first is no accident
    ex.run(client());
    in_order(ex);
}
