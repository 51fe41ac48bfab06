// tests/compile_fail/await_lvalue_task.cpp - a task is awaited once, so it is moved into the await.
// SPDX-License-Identifier: MIT
//
// expect: await_transform
#include <taskscope/task.hpp>

taskscope::task<int> body(taskscope::task<int> t) {
    const int n = co_await t;
    co_return n;
}
