// tests/compile_fail/discard_await.cpp - what the library gives to co_await does nothing unless awaited.
// SPDX-License-Identifier: MIT
//
// expect: nodiscard
#include <taskscope/yield.hpp>

taskscope::task<> body() {
    taskscope::yield();
    co_return;
}
