// tests/compile_fail/lock_discarded.cpp - a lock that nobody keeps is given up at once.
// SPDX-License-Identifier: MIT
//
// compiler: Clang
// expect: nodiscard
#include <taskscope/async_mutex.hpp>
#include <taskscope/task.hpp>

taskscope::task<> body(taskscope::async_mutex& m) { co_await m.lock(); }
