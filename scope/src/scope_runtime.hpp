// scope/src/scope_runtime.hpp - what the scope room adds to an executor: the root, and who is where.
// SPDX-License-Identifier: MIT
#pragma once

#include "child_registry.hpp"

#include <taskscope/executor.hpp>
#include <taskscope/task_scope.hpp>

#include <memory>
#include <source_location>
#include <string>

namespace taskscope::detail {

class observers;

/// Such as "server.cpp:41".
std::string place(const std::source_location& at);

class scope_runtime final : public executor_extension {
public:
    explicit scope_runtime(executor& home);
    ~scope_runtime() override;
    scope_runtime(const scope_runtime&) = delete;
    scope_runtime& operator=(const scope_runtime&) = delete;

    /// Asks everybody to stop and waits for them. A scope that nobody will ever join is a broken contract.
    void shut_down() noexcept override;

    task_scope& root() noexcept { return *root_; }
    scope_state& root_state() noexcept { return scope_access::state(*root_); }

    executor& home;
    const bool trace_awaits;
    atomic<bool> observed{false};  ///< there is an observer
    child_registry registry;
    const std::shared_ptr<observers> all_observers;

    /// Whoever runs in it belongs to no tree, and so can end every tree.
    scope_state& system() noexcept { return scope_access::state(*system_); }

private:
    std::unique_ptr<task_scope> root_;
    std::unique_ptr<task_scope> system_;
};

}  // namespace taskscope::detail
