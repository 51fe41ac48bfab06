// <taskscope/detail/context.hpp> - what all frames of one child have in common.
// SPDX-License-Identifier: MIT
//
// A frame inherits the pointer from the frame that awaits it, so the current scope, the stop token and the
// executor travel with the task and never live in a thread-local that would survive a suspension.
#pragma once

#include <taskscope/stop_token.hpp>

namespace taskscope {
class deadline;
class executor;
}  // namespace taskscope

namespace taskscope::detail {

struct local_binding;

struct task_context {
    executor* home = nullptr;  ///< where the task resumes, whatever it awaited
    stop_token stop;           ///< what asks it to stop
    void* scope = nullptr;     ///< the current scope; the room above knows its type
    const deadline* limit =
        nullptr;  ///< the innermost deadline it runs under; like `stop`, of those above
    const local_binding* locals =
        nullptr;  ///< what its task-locals are bound to; whoever made the context keeps them alive
};

}  // namespace taskscope::detail
