// tests/compile_fail/channel_of_throwing_moves.cpp - a move that throws would lose the value between two tasks.
// SPDX-License-Identifier: MIT
// expect: taskscope: what goes through a channel must be movable without exceptions.
#include <taskscope/channel.hpp>

struct value {
    value(value&&);
};

taskscope::channel<value> c{1};
