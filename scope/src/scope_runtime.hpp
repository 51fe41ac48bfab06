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

/// Such as "server.cpp:41".
std::string place(const std::source_location& at);

/// Puts into a child_info or a straggler where `c` was last suspended. By a walker of the registry.
template <class Info>
void describe_suspension(const child& c, Info& info) {
    info.suspended_at = c.note.place();
    await_list list;
    const await_trace* const trace = c.note.trace();
    if (trace == nullptr || !trace->read(list)) return;
    info.await_chain.assign(list.places.begin(), list.places.begin() + list.count);
    info.awaits_unlisted = list.unlisted;
    if (list.count != 0) info.suspended_at = list.places.front();
}

/// Such as ", suspended at pool.hpp:30, awaited at session.cpp:88, server.cpp:12"; empty if it never was.
template <class Info>
std::string suspension_text(const Info& info) {
    if (info.suspended_at.line() == 0) return {};
    std::string text = ", suspended at " + place(info.suspended_at);
    for (std::size_t i = 1; i < info.await_chain.size(); ++i) {
        text += (i == 1 ? ", awaited at " : ", ") + place(info.await_chain[i]);
    }
    if (info.awaits_unlisted != 0) {
        text += " and " + std::to_string(info.awaits_unlisted) + " more";
    }
    return text;
}

class scope_runtime final : public executor_extension {
public:
    explicit scope_runtime(executor& home);
    ~scope_runtime() override;
    scope_runtime(const scope_runtime&) = delete;
    scope_runtime& operator=(const scope_runtime&) = delete;

    /// Asks everybody to stop and waits for them. A scope that nobody will ever join is a broken contract.
    void shut_down() noexcept override;

    task_scope& root() noexcept { return *root_; }

    executor& home;
    const bool trace_awaits;
    child_registry registry;

    /// Whoever runs in it belongs to no tree, and so can end every tree.
    scope_state& system() noexcept { return scope_access::state(*system_); }

private:
    std::unique_ptr<task_scope> root_;
    std::unique_ptr<task_scope> system_;
};

}  // namespace taskscope::detail
