// examples/generators.cpp - sequences that are computed when somebody asks for them.
// SPDX-License-Identifier: MIT
//
// Shows   generator in a loop; async_generator, which awaits, and what becomes of it when nobody wants more.
// Run     generators
// Prints  some numbers, some pages, and the end of the connection
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::generator<long> fibonacci() {
    long a = 0;
    long b = 1;
    for (;;) {
        co_yield a;
        b += a;
        a = b - a;
    }
}

struct connection {
    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { std::cout << "connection closed\n"; }
};

// Page after page, for as long as somebody asks.
ts::async_generator<std::string> pages() {
    const connection open;
    for (int n = 1;; ++n) {
        co_await ts::sleep_for(1ms);
        std::string page = "page " + std::to_string(n);
        co_yield page;
    }
}

ts::task<> browse() {
    ts::async_generator<std::string> all = pages();
    while (const std::string* page = co_await all.next()) {
        std::cout << *page << '\n';
        if (page->ends_with('3')) break;
    }
    std::cout << "enough\n";
}  // the generator goes with its object

}  // namespace

int main() {
    for (const long n : fibonacci()) {
        if (n > 50) break;
        std::cout << n << ' ';
    }
    std::cout << '\n';

    ts::executor ex;
    ex.run(browse());
}
