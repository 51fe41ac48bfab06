// tests/compile_fail/await_aggregate_temporary.cpp - g++ 12 would destroy this function object twice.
// SPDX-License-Identifier: MIT
//
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression.
#include <taskscope/run_blocking.hpp>

#include <string>

struct length {
    std::string text;
    std::size_t operator()() const { return text.size(); }
};

taskscope::task<std::size_t> body() {
    const std::size_t n = co_await taskscope::run_blocking(length{"a text"});
    co_return n;
}
