// examples/as_completed.cpp - results one after the other, as they come.
// SPDX-License-Identifier: MIT
//
// Shows   as_completed over a fixed set, left early; with_completions, while each result makes new work.
// Run     as_completed
// Prints  results in the order in which they come; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<std::string> fetch(std::string page, std::chrono::milliseconds takes) {
    co_await ts::sleep_for(takes);
    if (page == "broken") throw std::runtime_error("404");
    co_return page;
}

// The first two pages are enough. What is still on its way is stopped when the body ends, and waited for.
ts::task<> first_two() {
    std::vector<ts::task<std::string>> pages;
    pages.push_back(fetch("slow", 1h));
    pages.push_back(fetch("broken", 10ms));
    pages.push_back(fetch("news", 30ms));
    pages.push_back(fetch("weather", 20ms));
    const auto read = [](ts::completions<std::string>& done) -> ts::task<> {
        for (int wanted = 2; wanted > 0;) {
            const auto next = co_await done.next();
            if (!next) co_return;
            if (next->result.has_error()) {
                std::cout << "page " << next->index
                          << " failed: " << ts::describe(next->result.error()) << '\n';
                continue;
            }
            std::cout << next->result.value() << '\n';
            --wanted;
        }
    };
    co_await ts::as_completed(std::move(pages), read);
}

// A crawler: what is found leads to more, until nothing is left.
ts::task<> crawl() {
    const auto read = [](ts::completions<std::string>& done) -> ts::task<> {
        done.spawn(fetch("/", 1ms));
        int pages = 0;
        for (;;) {
            const auto next = co_await done.next();
            if (!next) break;
            ++pages;
            const std::string& path = next->result.value();
            if (path.size() > 4) continue;  // deep enough
            for (const char* link : {"a/", "b/"}) done.spawn(fetch(path + link, 1ms));
        }
        std::cout << pages << " pages\n";
    };
    const ts::completions_options small{.capacity = 4, .when_full = ts::overflow::wait};
    co_await ts::with_completions<std::string>(small, read);
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ex.run(first_two());
    ex.run(crawl());
}
