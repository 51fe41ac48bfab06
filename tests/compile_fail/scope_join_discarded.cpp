// tests/compile_fail/scope_join_discarded.cpp - a join that nobody awaits joins nothing.
// SPDX-License-Identifier: MIT
// expect: nodiscard
#include <taskscope/taskscope.hpp>

taskscope::task<> end(taskscope::task_scope& s) {
    s.join();
    co_return;
}
