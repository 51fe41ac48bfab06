// examples/group_errors.cpp - children that have to succeed together, and children that need not.
// SPDX-License-Identifier: MIT
//
// Shows   with_group: the first error stops the siblings and comes out; a scope with an error handler, where
//         the others go on.
// Run     group_errors
// Prints  how both end
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<int> price_of(std::string item) {
    co_await ts::sleep_for(1ms);  // asking somebody
    if (item == "unicorn") throw std::runtime_error("no price for a " + item);
    co_return static_cast<int>(item.size());
}

// Either all prices or none. The sleeper shows that nobody is waited for who could only be late.
ts::task<> all_or_nothing() {
    int sum = 0;
    try {
        co_await ts::with_group("offer", [&](ts::task_group& offer) -> ts::task<> {
            offer.spawn([]() -> ts::task<> { co_await ts::sleep_for(1h); });
            for (const char* item : {"horse", "unicorn"}) {
                offer.spawn([item, &sum]() -> ts::task<> { sum += co_await price_of(item); });
            }
            co_return;
        });
        std::cout << "sum: " << sum << '\n';
    } catch (const ts::exception_group& e) {
        std::cout << "no offer: " << e.errors().size()
                  << " error: " << ts::describe(e.errors()[0].error) << '\n';
    }
}

// As many prices as there are. Errors go to the handler of the scope.
ts::task<> as_many_as_possible() {
    const ts::scope_options options{.name = "catalogue", .policy = [](const ts::error_context& e) {
                                        std::cout << "in " << e.scope_path << ", " << e.task_name
                                                  << ": " << ts::describe(e.error) << '\n';
                                    }};
    int horse = 0;
    co_await ts::with_scope(options, [&](ts::task_scope& catalogue) -> ts::task<> {
        catalogue.spawn({"unicorn"}, [] { return price_of("unicorn"); });
        catalogue.spawn({"horse"}, [&]() -> ts::task<> { horse = co_await price_of("horse"); });
        co_return;
    });
    std::cout << "horse: " << horse << '\n';
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(all_or_nothing());
    ex.run(as_many_as_possible());
}
