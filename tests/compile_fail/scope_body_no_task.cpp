// tests/compile_fail/scope_body_no_task.cpp - the body of a block is a coroutine: it returns a task.
// SPDX-License-Identifier: MIT
// expect: scope_body
#include <taskscope/taskscope.hpp>

taskscope::task<> serve() {
    co_await taskscope::with_scope([](taskscope::task_scope&) {});
}
