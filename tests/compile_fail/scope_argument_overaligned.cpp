// tests/compile_fail/scope_argument_overaligned.cpp - records of children are aligned to 16 bytes.
// SPDX-License-Identifier: MIT
// expect: taskscope: arguments of a child must not be aligned to more than 16 bytes
#include <taskscope/taskscope.hpp>

struct alignas(64) vector {
    float lane[16];
};

void serve(taskscope::task_scope& s) {
    s.spawn([](const vector&) {}, vector());
}
