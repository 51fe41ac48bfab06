// examples/guide.cpp - the snippets of docs/guide.md, as one program.
// SPDX-License-Identifier: MIT
//
// Shows   what those who come from asyncio, trio, Kotlin, folly or oneTBB know, in the words of this library.
// Run     guide
// Prints  a line or two for each
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

ts::task<std::string> fetch(std::string url) {
    co_await ts::sleep_for(1ms);
    if (url == "bad") throw std::runtime_error("cannot fetch " + url);
    co_return "<" + url + ">";
}

ts::task<std::string> both_pages() {
    std::string a;
    std::string b;
    co_await ts::with_group([&](ts::task_group& g) -> ts::task<> {
        g.spawn([&]() -> ts::task<> { a = co_await fetch("a"); });
        g.spawn([&]() -> ts::task<> { b = co_await fetch("b"); });
        co_return;
    });
    co_return a + b;
}

ts::task<> all_or_nothing() {
    try {
        co_await ts::with_group([](ts::task_group& g) -> ts::task<> {
            g.spawn(fetch, "a");
            g.spawn(fetch, "bad");
            co_return;
        });
    } catch (const ts::exception_group& e) {
        if (const auto failed = e.match<std::runtime_error>())
            std::cout << ts::describe(failed->errors()[0].error) << '\n';
    }
}

ts::task<> with_handles() {
    auto [a, b] = co_await ts::gather(fetch("a"), fetch("b"));
    std::cout << a << b << '\n';
}

ts::task<> in_time() {
    const auto page = co_await ts::move_on_after(5s, fetch("a"));
    std::cout << (page ? "in time" : "too late") << '\n';
}

ts::task<> two_times() {
    co_await ts::with_scope([](ts::task_scope& nursery) -> ts::task<> {
        nursery.spawn([]() -> ts::task<> { co_await ts::sleep_for(24h); });
        co_await ts::sleep_for(1ms);
        nursery.request_stop();
    });
    std::cout << "stopped and joined\n";
}

ts::task<> supervised() {
    const ts::scope_options options{.name = "jobs", .policy = [](const ts::error_context& e) {
                                        std::cout << e.scope_path << ": " << ts::describe(e.error)
                                                  << '\n';
                                    }};
    co_await ts::with_scope(options, [](ts::task_scope& s) -> ts::task<> {
        s.spawn(fetch, "bad");
        s.spawn(fetch, "good");
        co_return;
    });
}

class service {
public:
    explicit service(ts::task_scope& app) : requests_(app, {.name = "requests"}) {}

    void handle(std::string url) { requests_.spawn(fetch, std::move(url)); }
    ts::task<> close() {
        requests_.close();
        co_await requests_.join();
    }

private:
    ts::task_scope requests_;
};

ts::task<long> fib(int n) {
    if (n < 2) co_return n;
    auto [a, b] = co_await ts::fork_join(fib(n - 1), fib(n - 2));
    co_return a + b;
}

long fib_without_frames(int n) {
    if (n < 2) return n;
    auto [a, b] = ts::parallel_invoke([n] { return fib_without_frames(n - 1); },
                                      [n] { return fib_without_frames(n - 2); });
    return a + b;
}

ts::task<> all() {
    std::cout << co_await both_pages() << '\n';
    co_await all_or_nothing();
    co_await with_handles();
    co_await in_time();
    co_await two_times();
    co_await supervised();
    service s(ts::current_scope());
    s.handle("a");
    co_await s.close();
    std::cout << co_await fib(20) << ' ' << fib_without_frames(20) << '\n';
}

}  // namespace

int main() {
    ts::executor ex;
    ex.run(all());
    const ts::shutdown_report report = ex.root().blocking_shutdown({.drain = 5s, .stop = 2s});
    std::cout << (report.complete() ? "all ended\n" : report.text());
}
