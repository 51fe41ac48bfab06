// tests/compile_fail/generator_awaits.cpp - a loop cannot wait for a task.
// SPDX-License-Identifier: MIT
// expect: taskscope: a generator awaits nothing. Make it an async_generator.
#include <taskscope/generator.hpp>
#include <taskscope/yield.hpp>

taskscope::generator<int> numbers() {
    co_await taskscope::yield();
    co_yield 1;
}
