// tests/model/support/scope.hpp - a scope as its owner treats it.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/scope_state.hpp>
#include <taskscope/task_scope.hpp>

#include <memory>
#include <model/support/machine.hpp>

namespace model {

/// Joins and destroys it.
inline void join(std::unique_ptr<taskscope::task_scope>& s, machine& m) {
    taskscope::detail::scope_state& state = taskscope::detail::scope_access::state(*s);
    state.want_join();
    check(state.ended.blocking_wait(m), "it has ended");
    s.reset();
}

}  // namespace model
