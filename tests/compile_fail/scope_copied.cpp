// tests/compile_fail/scope_copied.cpp - a scope has children that know where it is: it stays where it is.
// SPDX-License-Identifier: MIT
// expect: deleted
// cases: T013
#include <taskscope/taskscope.hpp>

#include <utility>

void take(taskscope::task_scope s);

void move_it(taskscope::task_scope& s) { take(std::move(s)); }
