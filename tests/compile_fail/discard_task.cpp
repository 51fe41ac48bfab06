// tests/compile_fail/discard_task.cpp - a task that nobody keeps never runs.
// SPDX-License-Identifier: MIT
//
// expect: nodiscard
#include <taskscope/task.hpp>

taskscope::task<> save();

void forgets_to_await() { save(); }
