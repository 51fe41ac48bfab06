// tests/compile_fail/scope_handle_discarded.cpp - a handle that nobody keeps is a plain spawn.
// SPDX-License-Identifier: MIT
// expect: nodiscard
#include <taskscope/taskscope.hpp>

void serve(taskscope::task_scope& s) {
    s.spawn_future([]() -> taskscope::task<int> { co_return 1; });
}
