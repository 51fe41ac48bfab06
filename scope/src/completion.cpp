// scope/src/completion.cpp - what has completed is told to policies: the scope's own, then those above.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/detail/child.hpp>
#include <taskscope/detail/scope_state.hpp>
#include <taskscope/fatal_error.hpp>
#include <taskscope/task_scope.hpp>

#include <cstdio>
#include <new>
#include <string>
#include <utility>

namespace taskscope {

bool is_fatal(const std::exception_ptr& error) noexcept {
    if (!fatal_error::exist_.load(std::memory_order_relaxed)) return false;
    try {
        std::rethrow_exception(error);
    } catch (const fatal_error&) {
        return true;
    } catch (...) {
        return false;
    }
}

namespace detail {
namespace {

void print(const error_context& e) noexcept {
    std::string what;
    try {
        what = describe(e.error);
    } catch (...) {
        what = "out of memory";
    }
    std::fprintf(
        stderr,
        "taskscope: unhandled error in scope %.*s: %s\n  task       %.*s\n  spawned at %s:%u\n",
        static_cast<int>(e.scope_path.size()), e.scope_path.data(), what.c_str(),
        static_cast<int>(e.task_name.size()), e.task_name.data(), e.spawned_at.file_name(),
        static_cast<unsigned>(e.spawned_at.line()));
}

std::string path_or_nothing(scope_state& s) noexcept {
    try {
        return s.path();
    } catch (const std::bad_alloc&) {
        return {};
    }
}

void stop_everything(scope_runtime& r, const std::exception_ptr& fatal) noexcept {
    std::string what;
    try {
        what = describe(fatal);
    } catch (...) {
        what.clear();  // then without
    }
    r.root().request_stop(stop_kind::fatal, what);
}

}  // namespace

void scope_state::set_policy(scope_policy policy) {
    const std::lock_guard lock{mutex_};
    all_watched.store(policy_access::wants_all(policy), std::memory_order_relaxed);
    std::swap(policy_, policy);  // the old one is destroyed without the lock: parameters go last
}

scope_policy scope_state::policy() noexcept {
    const std::lock_guard lock{mutex_};
    return policy_;
}

void scope_state::child_failed(const child& c, std::exception_ptr failure) noexcept {
    count.failed.fetch_add(1, std::memory_order_relaxed);
    set_error();
    if (is_fatal(failure)) stop_everything(runtime, failure);
    if (policy_access::ignores(policy())) return;
    const std::string where = path_or_nothing(*this);
    hand_on({std::move(failure), facade(), where, c.name(), c.spawned_at()});
}

void scope_state::child_ended(completion_kind kind) noexcept {
    const scope_policy chosen = policy();
    const auto& asked = policy_access::get(chosen);
    if (asked == nullptr) return;  // exchanged just now
    try {
        asked->child_completed({kind, facade(), nullptr});
    } catch (...) {
        policy_failed(chosen, nullptr);
    }
}

void scope_state::body_ended(completion_kind kind, std::exception_ptr failure) noexcept {
    // Whoever awaits the block may get it in an exception_group, which is not fatal.
    if (failure != nullptr && is_fatal(failure)) stop_everything(runtime, failure);
    const scope_policy chosen = policy();
    const auto& asked = policy_access::get(chosen);
    if (asked == nullptr) return;
    const std::string where = path_or_nothing(*this);
    const error_context e{std::move(failure), facade(), where, {}, opened_at};
    const bool failed = kind == completion_kind::error;
    try {
        asked->body_completed({kind, facade(), failed ? &e : nullptr});
    } catch (...) {
        policy_failed(chosen, nullptr);
    }
}

// To this scope's policy as the error of a child, then to those above: as that of a scope below, or, if the policy
// before said so, as that of a child of theirs.
void scope_state::hand_on(const error_context& e) noexcept {
    bool own = true;
    for (auto at = scope_reference::retain(*this); at; at = scope_reference(at->parent())) {
        const scope_policy chosen = at->policy();
        if (own && at.get() != this) {
            at->count.failed.fetch_add(1, std::memory_order_relaxed);
            at->set_error();
        }
        if (own && policy_access::ignores(chosen)) return;
        const auto& asked = policy_access::get(chosen);
        disposition d = disposition::pass_on;
        try {
            if (asked != nullptr) {
                d = own ? asked->child_completed({completion_kind::error, at->facade(), &e})
                        : asked->error_below(e);
            }
        } catch (...) {
            return policy_failed(chosen, &e);
        }
        if (d == disposition::handled) return;
        own = d == disposition::escalate;
    }
    print(e);
}

void scope_state::tell_unhandled(const error_context& e) noexcept {
    const scope_policy last = policy();
    try {
        const auto& asked = policy_access::get(last);
        if (asked != nullptr && asked->error_below(e) == disposition::handled) return;
    } catch (...) {
        count.handler_failures.fetch_add(1, std::memory_order_relaxed);
    }
    print(e);
}

// `failed` threw, about `e` if that is not null. Neither error may be lost.
void scope_state::policy_failed(const scope_policy& failed, const error_context* e) noexcept {
    count.handler_failures.fetch_add(1, std::memory_order_relaxed);
    const scope_policy last = scope_access::state(runtime.root()).policy();
    const auto tell = [&](const error_context& lost) {
        try {
            const auto& asked = policy_access::get(last);
            if (asked != nullptr && asked != policy_access::get(failed) &&
                asked->error_below(lost) == disposition::handled)
                return;
        } catch (...) {
            count.handler_failures.fetch_add(1, std::memory_order_relaxed);
        }
        print(lost);
    };
    std::exception_ptr thrown = std::current_exception();
    if (e != nullptr) {
        tell(*e);
        tell({std::move(thrown), e->scope, e->scope_path, e->task_name, e->spawned_at});
    } else {
        const std::string where = path_or_nothing(*this);
        tell({std::move(thrown), facade(), where, {}, opened_at});
    }
}

}  // namespace detail
}  // namespace taskscope
