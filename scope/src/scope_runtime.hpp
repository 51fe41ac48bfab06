// scope/src/scope_runtime.hpp - what the scope room adds to an executor: the root, and who is where.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/child.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/task_scope.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <vector>

namespace taskscope::detail {

/// Such as "server.cpp:41".
std::string place(const std::source_location& at);

/// Finds the live children of a scope. They are listed by the worker that spawned them, not by scope: a
/// scope with a million children costs the spawning worker an uncontended lock each, and an idle scope
/// nothing. Walking all lists is the price, paid by dumps and reports alone.
class child_registry {
public:
    explicit child_registry(unsigned workers);

    void add(child& c) noexcept;
    void remove(child& c) noexcept;

    /// Calls `f(const child&)` for every live child of the executor, under one list's lock at a time.
    template <class F>
    void for_each(F f) const {
        for (const auto& s : stripes_) {
            const std::lock_guard lock{s->mutex};
            for (const child* c = s->first; c != nullptr; c = c->next) f(*c);
        }
    }

private:
    struct alignas(cache_line_pair) stripe {
        std::mutex mutex;
        child* first = nullptr;
    };

    std::vector<std::unique_ptr<stripe>> stripes_;  // one per worker, and one for all other threads
};

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
    child_registry registry;

    /// Whoever runs in it belongs to no tree, and so can end every tree.
    scope_state& system() noexcept { return scope_access::state(*system_); }

private:
    std::unique_ptr<task_scope> root_;
    std::unique_ptr<task_scope> system_;
};

}  // namespace taskscope::detail
