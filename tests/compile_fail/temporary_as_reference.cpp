// tests/compile_fail/temporary_as_reference.cpp - a reference to a temporary would outlive it.
// SPDX-License-Identifier: MIT
//
// expect: return_value
#include <taskscope/task.hpp>

taskscope::task<int&> body() { co_return 42; }
