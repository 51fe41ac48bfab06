// examples/news.cpp - one who tells, many who listen.
// SPDX-License-Identifier: MIT
//
// Shows   watch: observers of a configuration see the latest; broadcast: subscribers see each event, or are told
//         how many they missed.
// Run     news
// Prints  what each of them has seen
#include <taskscope/taskscope.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

namespace ts = taskscope;

namespace {

// Changes of a configuration: only the last one counts.
ts::task<> configuration() {
    ts::watch<std::string> level{"info"};
    std::string applied;
    co_await ts::with_group([&](ts::task_group& server) -> ts::task<> {
        server.spawn([&]() -> ts::task<> {
            ts::watch<std::string>::observer changes = level.observe();
            while (const std::shared_ptr<const std::string> now = co_await changes.next()) {
                applied = *now;
            }
        });
        level.set("debug");
        level.set("warning");
        level.close();
        co_return;
    });
    std::cout << "applied: " << applied << '\n';
}

// Every event to everybody; who reads slowly gets the last eight.
ts::task<> events() {
    ts::broadcast<int> all{8};
    ts::broadcast<int>::subscriber attentive = all.subscribe();
    ts::broadcast<int>::subscriber slow = all.subscribe();
    int sum = 0;
    for (int i = 1; i <= 10; ++i) {
        all.send(i);
        const std::shared_ptr<const int> event = co_await attentive.next();
        sum += *event;
    }
    all.close();
    std::cout << "attentive: sum " << sum << ", missed " << attentive.missed() << '\n';

    sum = 0;
    while (const std::shared_ptr<const int> event = co_await slow.next()) sum += *event;
    std::cout << "slow: sum " << sum << ", missed " << slow.missed() << '\n';
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(configuration());
    ex.run(events());
}
