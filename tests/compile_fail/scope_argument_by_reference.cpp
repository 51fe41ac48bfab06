// tests/compile_fail/scope_argument_by_reference.cpp - arguments are copied; a reference is std::ref's business.
// SPDX-License-Identifier: MIT
// expect: spawn
#include <taskscope/taskscope.hpp>

taskscope::task<> count(int& n);

void serve(taskscope::task_scope& s) {
    int n = 0;
    s.spawn(count, n);
}
