// tests/compile_fail/overaligned_result.cpp - frames are aligned to 16 bytes, and so is what they hold.
// SPDX-License-Identifier: MIT
//
// expect: taskscope: coroutine frames are aligned to 16 bytes. Return a pointer to it instead.
#include <taskscope/task.hpp>

struct alignas(64) cache_line {
    char bytes[64];
};

taskscope::task<cache_line> body() { co_return cache_line{}; }
