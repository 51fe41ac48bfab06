// examples/readme.cpp - the program on the front page.
// SPDX-License-Identifier: MIT
//
// Shows   with_scope: children that borrow what outlives the scope; fork_join in a task.
// Run     readme
// Prints  610 987 1597
#include <taskscope/taskscope.hpp>

#include <cstddef>
#include <iostream>
#include <vector>

// [crawl]
namespace ts = taskscope;

ts::task<long> fib(int n) {
    if (n < 2) co_return n;
    auto [a, b] =
        co_await ts::fork_join(fib(n - 1), fib(n - 2));  // in parallel, if a worker is free
    co_return a + b;
}

ts::task<> answer(const std::vector<int>& questions, std::vector<long>& answers) {
    co_await ts::with_scope([&](ts::task_scope& children) -> ts::task<> {
        for (std::size_t i = 0; i < questions.size(); ++i) {
            children.spawn([&, i]() -> ts::task<> { answers[i] = co_await fib(questions[i]); });
        }
        co_return;
    });  // here every child has ended: it has returned, or failed, or was stopped
}
// [/crawl]

int main() {
    const std::vector<int> questions{15, 16, 17};
    std::vector<long> answers(questions.size());
    ts::executor ex;
    ex.run(answer(questions, answers));
    for (const long a : answers) std::cout << a << ' ';
    std::cout << '\n';
}
