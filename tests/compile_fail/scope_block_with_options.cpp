// tests/compile_fail/scope_block_with_options.cpp - options in an await: g++ 12 would destroy the policy twice.
// SPDX-License-Identifier: MIT
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression
#include <taskscope/taskscope.hpp>

taskscope::task<> serve() {
    co_await taskscope::with_scope(taskscope::scope_options{.name = "block"},
                                   [](taskscope::task_scope&) -> taskscope::task<> { co_return; });
}
