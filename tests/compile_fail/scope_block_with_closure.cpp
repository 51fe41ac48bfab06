// tests/compile_fail/scope_block_with_closure.cpp - g++ 12 destroys a closure twice if it is made in an await.
// SPDX-License-Identifier: MIT
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression
// expect: Give it a name first
#include <taskscope/taskscope.hpp>

#include <string>

taskscope::task<> serve(std::string name) {
    co_await taskscope::with_scope(
        [name](taskscope::task_scope&) -> taskscope::task<> { co_return; });
}
