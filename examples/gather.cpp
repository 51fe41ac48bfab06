// examples/gather.cpp - several questions at once, and all the answers.
// SPDX-License-Identifier: MIT
//
// Shows   gather, all or an error; gather_settled, each as it ended; windowed_map, so many at a time.
// Run     gather
// Prints  the answers; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<int> stock_of(std::string item) {
    co_await ts::sleep_for(10ms);
    if (item == "unicorn") throw std::runtime_error("no " + item + " was ever in stock");
    co_return static_cast<int>(item.size());
}

ts::task<std::string> name_of(int customer) {
    co_await ts::sleep_for(20ms);
    co_return "customer " + std::to_string(customer);
}

// Different types: a tuple.
ts::task<> page() {
    auto [name, stock] = co_await ts::gather(name_of(7), stock_of("horse"));
    std::cout << name << " sees " << stock << " horses\n";
}

// All or nothing: nobody is waited for in vain.
ts::task<> offer() {
    const std::vector<std::string> items = {"horse", "unicorn", "griffin"};
    try {
        co_await ts::gather(items | std::views::transform(stock_of));
    } catch (const ts::exception_group& e) {
        std::cout << "no offer: " << ts::describe(e.errors()[0].error) << '\n';
    }
}

// As much as there is.
ts::task<> catalogue() {
    const std::vector<std::string> items = {"horse", "unicorn", "ox"};
    const auto all = co_await ts::gather_settled(items | std::views::transform(stock_of));
    for (const ts::settled<int>& stock : all) {
        if (stock.has_value()) {
            std::cout << "in stock: " << stock.value() << '\n';
        } else {
            std::cout << "an error: " << ts::describe(stock.error()) << '\n';
        }
    }
}

// A hundred questions, ten at a time: ten rounds of 20 ms.
ts::task<> census(ts::executor& ex) {
    const auto began = ex.now();
    const auto names = co_await ts::windowed_map(10, std::views::iota(0, 100), name_of);
    std::cout << names.size() << " names, the last one " << names.back() << ", in "
              << std::chrono::duration_cast<std::chrono::milliseconds>(ex.now() - began).count()
              << " ms\n";
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ex.run(page());
    ex.run(offer());
    ex.run(catalogue());
    ex.run(census(ex));
}
