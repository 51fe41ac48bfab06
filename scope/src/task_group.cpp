// scope/src/task_group.cpp - a group is a scope with two policies.
// SPDX-License-Identifier: MIT
#include <taskscope/task_group.hpp>

namespace taskscope {

scope_options detail::in_group(const group_options& options) {
    return {.name = options.name,
            .policy = stack(fail_fast{}, collect_errors(options.single_error))};
}

task_group::task_group(task_scope& parent, const group_options& options, std::source_location where)
    : scope_(parent, detail::in_group(options), where) {}

task_group::task_group(executor& home, const group_options& options, std::source_location where)
    : task_group(home.root(), options, where) {}

}  // namespace taskscope
