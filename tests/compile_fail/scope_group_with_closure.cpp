// tests/compile_fail/scope_group_with_closure.cpp - the same for groups, which also take a name.
// SPDX-License-Identifier: MIT
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression
#include <taskscope/taskscope.hpp>

#include <string>

taskscope::task<> serve(std::string name) {
    co_await taskscope::with_group(
        "group", [name](taskscope::task_group&) -> taskscope::task<> { co_return; });
}
