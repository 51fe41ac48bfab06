// tests/compile_fail/scope_try_spawn_discarded.cpp - who tries has to look whether it worked.
// SPDX-License-Identifier: MIT
// expect: nodiscard
#include <taskscope/taskscope.hpp>

void serve(taskscope::task_scope& s) {
    s.try_spawn([] {});
}
