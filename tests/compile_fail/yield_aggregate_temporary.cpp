// tests/compile_fail/yield_aggregate_temporary.cpp - g++ 12 would destroy the element that is yielded twice.
// SPDX-License-Identifier: MIT
//
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_yield expression.
#include <taskscope/generator.hpp>

#include <string>

struct message {
    std::string text;
};

taskscope::generator<message> messages() { co_yield message{"a text"}; }
