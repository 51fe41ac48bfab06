// examples/race.cpp - ask several, take the first answer, leave nobody behind.
// SPDX-License-Identifier: MIT
//
// Shows   race in both modes; staggered_race (happy eyeballs); hedge; retry with a budget.
// Run     race
// Prints  who wins; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

struct farewell {
    std::string name;
    ~farewell() { std::cout << "  " << name << " has ended\n"; }
};

ts::task<std::string> connect(std::string name, std::chrono::milliseconds takes, bool works) {
    const farewell on_exit{name};
    co_await ts::sleep_for(takes);
    if (!works) throw std::runtime_error(name + " refused");
    co_return name;
}

// Errors decide nothing while somebody can still win.
ts::task<> mirrors() {
    const auto won =
        co_await ts::race(ts::first_success, connect("mirror a", 10ms, false),
                          connect("mirror b", 20ms, true), connect("mirror c", 1h, true));
    std::cout << won.value << " wins, after " << won.errors.size()
              << " error: " << ts::describe(won.errors[0]) << '\n';
}

// The first end of any kind counts.
ts::task<> canary() {
    try {
        co_await ts::race(ts::first_completion, connect("work", 1h, true),
                          connect("canary", 5ms, false));
    } catch (const std::runtime_error& e) {
        std::cout << "the canary says: " << e.what() << '\n';
    }
}

// Each address gets a quarter of a second before the next one is tried.
ts::task<> happy_eyeballs() {
    const auto won =
        co_await ts::staggered_race(250ms, connect("IPv6", 1h, true), connect("IPv4", 30ms, true),
                                    connect("second IPv4", 30ms, true));
    std::cout << "connected by " << won.value << '\n';
}

// The same server again, if it is slow this time.
ts::task<> slow_sometimes() {
    int attempt = 0;
    const auto ask = [&attempt] {
        ++attempt;
        return connect("attempt " + std::to_string(attempt), attempt == 1 ? 1h : 10ms, true);
    };
    const auto won = co_await ts::hedge({.most = 2, .after = 50ms}, ask);
    std::cout << won.value << " was faster\n";
}

// Again after an error, but not forever, and not everybody at once.
ts::task<> fails_twice() {
    ts::retry_budget budget;
    int attempt = 0;
    const auto ask = [&attempt] {
        ++attempt;
        return connect("try " + std::to_string(attempt), 10ms, attempt == 3);
    };
    const ts::retry_options patient{.attempts = 5, .first_delay = 50ms, .budget = &budget};
    const std::string answer = co_await ts::retry(patient, ask);
    std::cout << answer << " worked\n";
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ex.run(mirrors());
    ex.run(canary());
    ex.run(happy_eyeballs());
    ex.run(slow_sometimes());
    ex.run(fails_twice());
}
