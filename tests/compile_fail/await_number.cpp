// tests/compile_fail/await_number.cpp - not everything can be awaited.
// SPDX-License-Identifier: MIT
//
// expect: await_transform
#include <taskscope/task.hpp>

taskscope::task<> body() { co_await 42; }
