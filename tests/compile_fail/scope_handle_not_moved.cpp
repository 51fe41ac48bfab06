// tests/compile_fail/scope_handle_not_moved.cpp - awaiting a handle uses it up: co_await std::move(h).
// SPDX-License-Identifier: MIT
// expect: await_transform
#include <taskscope/taskscope.hpp>

taskscope::task<int> wait(taskscope::child_handle<int> h) {
    const int value = co_await h;
    co_return value;
}
