// <taskscope/detail/current.hpp> - on whose behalf this thread is running just now.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/worker.hpp>

namespace taskscope::detail {

/// The task a thread works for that is no worker: one of run_blocking()'s.
extern constinit thread_local task_context* outside_context;

/// Context of the task this thread is running, or nullptr. Never keep it across a suspension.
inline task_context* current_context() noexcept {
    const worker* w = this_worker();
    return w != nullptr ? w->context : outside_context;
}

}  // namespace taskscope::detail
