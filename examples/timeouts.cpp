// examples/timeouts.cpp - work that has to be done in time.
// SPDX-License-Identifier: MIT
//
// Shows   with_timeout and move_on_after; nested limits, and whose it was; remaining(); a deadline that moves.
// Run     timeouts
// Prints  what was done in time; on a virtual clock, so it takes none
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <optional>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<std::string> ask(std::string name, std::chrono::milliseconds takes) {
    co_await ts::sleep_for(takes);
    co_return name + " answers";
}

long milliseconds_left() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(ts::remaining()).count();
}

ts::task<> in_time_or_not() {
    std::cout << co_await ts::with_timeout(1s, ask("quick", 10ms)) << '\n';
    try {
        std::cout << co_await ts::with_timeout(1s, ask("slow", 1h)) << '\n';
    } catch (const ts::timeout_error&) {
        std::cout << "slow: no answer within a second\n";
    }
    const std::optional<std::string> nothing = co_await ts::move_on_after(1s, ask("slower", 2h));
    std::cout << "slower: " << nothing.value_or("never mind") << '\n';
}

// The children of a scope are under the limit of whoever opened it.
ts::task<> request() {
    const auto parts = [](ts::task_scope& s) -> ts::task<> {
        s.spawn([] { std::cout << "a child has " << milliseconds_left() << " ms\n"; });
        co_await ts::sleep_for(200ms);
        std::cout << "then there are " << milliseconds_left() << " ms\n";
        try {
            co_await ts::with_timeout(1h, ask("deep", 2h));  // the limit above comes first
        } catch (const ts::timeout_error&) {
            std::cout << "not reached: it is not this limit that was over\n";
        }
    };
    co_await ts::with_scope("request", parts);
}

ts::task<> nested() {
    try {
        co_await ts::with_timeout(500ms, request());
    } catch (const ts::timeout_error&) {
        std::cout << "the request: over after 500 ms\n";
    }
}

// Every sign of life gives another second.
ts::task<> watched(ts::deadline& patience, ts::executor& ex) {
    for (int sign = 1; sign <= 3; ++sign) {
        co_await ts::sleep_for(900ms);
        patience.move_to(ex.now() + 1s);
    }
    co_await ts::sleep_for(1h);
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ex.run(in_time_or_not());
    ex.run(nested());

    const auto began = ex.now();
    ts::deadline patience(began + 1s);
    ex.run(ts::move_on_at(patience, watched(patience, ex)));
    std::cout << "silent for a second, after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(ex.now() - began).count()
              << " ms\n";
}
