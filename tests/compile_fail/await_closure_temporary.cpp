// tests/compile_fail/await_closure_temporary.cpp - g++ 12 would destroy this closure twice.
// SPDX-License-Identifier: MIT
//
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression.
// expect: Give it a name first and pass that
#include <taskscope/run_blocking.hpp>

#include <memory>

taskscope::task<int> body(std::shared_ptr<int> p) {
    const int n = co_await taskscope::run_blocking([p] { return *p; });
    co_return n;
}
