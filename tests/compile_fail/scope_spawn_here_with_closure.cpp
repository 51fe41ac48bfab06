// tests/compile_fail/scope_spawn_here_with_closure.cpp - the same for a child that runs at once.
// SPDX-License-Identifier: MIT
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression
#include <taskscope/taskscope.hpp>

#include <string>

taskscope::task<> serve(taskscope::task_scope& s, std::string name) {
    co_await s.spawn_here([name]() -> taskscope::task<> { co_return; });
}
