// examples/foreign_threads.cpp - a C library that calls back on threads of its own.
// SPDX-License-Identifier: MIT
//
// Shows   task_local and with_local; result_promise for an answer; portal for messages; task_bridge for a
//         library that runs parts of a function.
// Run     foreign_threads
// Prints  what each request did, with its name, whichever thread it was on
#include <taskscope/taskscope.hpp>

#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ts = taskscope;

// A library as there are many: it takes a function and a pointer, and calls back when it likes.
namespace legacy {

std::vector<std::thread> threads;

extern "C" using callback = void(*)(void* user_data, int value);

void ask(int question, callback f, void* user_data) {
    threads.emplace_back([=] { f(user_data, 6 * question); });
}
void deliver(int messages, callback f, void* user_data) {
    threads.emplace_back([=] {
        for (int i = 1; i <= messages; ++i) f(user_data, i);
    });
}
template <class F>
void in_parallel(const F& part) {
    std::thread other([&] { part(1); });
    part(2);
    other.join();
}
void finish() {
    for (std::thread& t : threads) t.join();
    threads.clear();
}

}  // namespace legacy

namespace {

const ts::task_local<std::string> request;

void print(const std::string& text) { std::cout << request.get_or("nobody") << ": " + text + '\n'; }

// One answer: the promise goes through the library as a pointer.
ts::task<int> ask(int question) {
    ts::pending_result<int> answer;
    void* const promise = answer.make_promise().release();
    legacy::ask(
        question,
        [](void* p, int value) { ts::result_promise<int>::take_back(p).set_value(value); },
        promise);
    co_return co_await answer;
}

ts::task<> handle_message(int number) {
    print("message " + std::to_string(number) + " in scope " + ts::current_scope().path());
    co_return;
}

// Several messages: each becomes a child of the scope, with the name of this request.
ts::task<> subscribe() {
    const auto body = [](ts::task_scope& inbox) -> ts::task<> {
        const ts::portal way_in(inbox);
        legacy::deliver(
            2,
            [](void* p, int value) {
                static_cast<const ts::portal*>(p)->spawn(handle_message, value);
            },
            const_cast<ts::portal*>(&way_in));
        co_await ts::run_blocking([] { legacy::finish(); });
    };
    co_await ts::with_scope("inbox", body);
}

ts::task<> compute() {
    std::atomic<int> sum{0};
    const ts::task_bridge bridge;
    legacy::in_parallel(
        [&](int part) { bridge([&] { sum += part * static_cast<int>(request.get().size()); }); });
    print("sum " + std::to_string(sum));
    co_return;
}

ts::task<> serve() {
    const int answer = co_await ask(7);
    print("answer " + std::to_string(answer));
    co_await subscribe();
    co_await compute();
}

}  // namespace

int main() {
    ts::executor ex{{.workers = 1}};  // so that messages are handled in order
    ex.run(ts::with_local(request, "alice", serve()));
    print("done");
}
