// executor/src/task_bridge.cpp - a bridge begins in a task.
// SPDX-License-Identifier: MIT
#include <taskscope/errors.hpp>
#include <taskscope/task_bridge.hpp>

namespace taskscope::detail {

task_context& context_to_bridge() {
    task_context* const context = current_context();
    if (context == nullptr) {
        throw misuse_error(
            "taskscope: a task_bridge was made on a thread that runs no task. Make it in the task "
            "whose work goes to other threads.");
    }
    return *context;
}

}  // namespace taskscope::detail
