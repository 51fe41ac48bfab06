// tests/compile_fail/wrong_result.cpp - what is returned must convert to the task's type.
// SPDX-License-Identifier: MIT
//
// expect: return_value
#include <taskscope/task.hpp>

taskscope::task<int> body() { co_return "text"; }
