// tests/compile_fail/copy_task.cpp - a coroutine has one owner.
// SPDX-License-Identifier: MIT
//
// expect: delete
#include <taskscope/task.hpp>

taskscope::task<int> twice(const taskscope::task<int>& t) { return t; }
