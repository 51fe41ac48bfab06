// tests/compile_fail/send_aggregate_temporary.cpp - g++ 12 would destroy the value that is sent twice.
// SPDX-License-Identifier: MIT
//
// compiler: GNU
// expect: taskscope: g++ 12 destroys this temporary twice inside a co_await expression.
#include <taskscope/channel.hpp>
#include <taskscope/task.hpp>

#include <string>

struct message {
    std::string text;
};

taskscope::task<> body(taskscope::channel<message>& c) { co_await c.send(message{"a text"}); }
