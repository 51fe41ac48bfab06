// examples/shutdown_tree.cpp - a tree of scopes that is ended by one call, within a time limit.
// SPDX-License-Identifier: MIT
//
// Shows   scopes as members; the tree as text; closing_token; shutdown with drain and stop, and its report.
// Run     shutdown_tree
// Prints  the tree while it runs, and what became of everyone
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

struct application {
    explicit application(ts::executor& ex)
        : all(ex, {.name = "app", .policy = {}}),
          requests(all, {.name = "requests", .policy = {}}),
          timers(all, {.name = "timers", .policy = {}}) {}

    ts::task_scope all;
    ts::task_scope requests;
    ts::task_scope timers;
};

ts::task<> sleep(std::chrono::milliseconds time) { co_await ts::sleep_for(time); }

// Ends by itself, before the drain is over.
ts::task<> quick_request() { co_await ts::sleep_for(20ms); }

// Takes longer than the drain: it is asked to stop, and does at once.
ts::task<> slow_request() { co_await ts::sleep_for(1h); }

// Ticks until its scope is closed, so that nobody has to wait for the end of the drain.
ts::task<> tick(ts::task_scope& timers) {
    bool open = true;
    while (open) {
        open = co_await ts::stopped_as_optional(ts::stop_when(timers.closing_token(), sleep(5ms)));
    }
}

}  // namespace

int main() {
    ts::manual_executor ex;  // a clock of its own: who takes how long is no accident
    application app(ex);
    app.requests.spawn({"quick"}, quick_request);
    app.requests.spawn({"slow"}, slow_request);
    app.timers.spawn({"tick"}, tick, std::ref(app.timers));

    for (const ts::scope_info& s : ts::snapshot(app.all).scopes) {
        std::cout << s.path << ": " << s.counts.live << " live\n";
    }
    const ts::shutdown_report report = app.all.blocking_shutdown({.drain = 200ms, .stop = 1s});
    std::cout << "asked to stop: " << report.stopped() << ", abandoned: " << report.abandoned()
              << '\n';
    for (const ts::scope_shutdown& s : report.scopes) {
        std::cout << s.path << (s.took >= 200ms ? " needed the whole drain\n" : " was quick\n");
    }
    return report.complete() ? 0 : 1;
}
