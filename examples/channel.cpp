// examples/channel.cpp - a pipeline: who fetches never gets far ahead of who counts.
// SPDX-License-Identifier: MIT
//
// Shows   channel: bounded room, several senders and receivers, close; try_send from a thread that is no worker.
// Run     channel
// Prints  how many words the texts have, and what became of a value that nobody waits for
#include <taskscope/taskscope.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace ts = taskscope;

namespace {

constexpr std::array<std::string_view, 4> library{
    "a scope owns the tasks spawned into it", "and does not end before they do",
    "a channel owns nothing", "but what was sent and not received"};

// Waits whenever four texts are on their way.
ts::task<> fetch(std::size_t shelf, ts::channel<std::string>& texts) {
    for (std::size_t i = shelf; i < library.size(); i += 2) {
        const std::string text(library[i]);
        co_await texts.send(text);
    }
}

ts::task<> count(ts::channel<std::string>& texts, std::atomic<int>& words) {
    while (std::optional<std::string> text = co_await texts.receive()) {
        std::istringstream in(*text);
        words += static_cast<int>(std::distance(std::istream_iterator<std::string>(in),
                                                std::istream_iterator<std::string>()));
    }
}

ts::task<> pipeline() {
    ts::channel<std::string> texts{4};
    std::atomic<int> words{0};
    co_await ts::with_group([&](ts::task_group& counters) -> ts::task<> {
        counters.spawn(count(texts, words));
        counters.spawn(count(texts, words));
        co_await ts::fork_join(fetch(0, texts), fetch(1, texts));
        texts.close();  // the counters end when they have received everything
    });
    std::cout << words << " words\n";
}

// A sensor has a thread of its own, which must not wait: what finds no room is dropped.
ts::task<> sensor() {
    ts::channel<int> readings{2};
    std::thread driver([&] {
        int dropped = 0;
        for (int i = 1; i <= 5; ++i) dropped += readings.try_send(i) ? 0 : 1;
        readings.close();
        std::cout << "dropped " << dropped << '\n';
    });
    driver.join();
    while (std::optional<int> reading = co_await readings.receive()) {
        std::cout << "reading " << *reading << '\n';
    }
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(pipeline());
    ex.run(sensor());
}
