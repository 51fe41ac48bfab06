// scope/src/task_scope.cpp - opening, ending and destroying a scope.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/scope_tree.hpp>

#include <utility>

namespace taskscope {

task_scope::task_scope(const detail::task_context& above, detail::scope_runtime& runtime,
                       detail::scope_state* parent, const scope_options& options,
                       std::source_location where, bool body)
    : state_(new detail::scope_state(above, runtime, parent, this, options, where, body)) {
    if (runtime.observed.load(std::memory_order_relaxed)) [[unlikely]]
        runtime.all_observers->opened(*state_);
}

task_scope::task_scope(task_scope& parent, const scope_options& options, std::source_location where)
    : task_scope(parent.state_->context, parent.state_->runtime, parent.state_, options, where) {}

task_scope::task_scope(executor& home, const scope_options& options, std::source_location where)
    : task_scope(home.root(), options, where) {}

namespace {

[[noreturn]] void destroyed_too_early(detail::scope_state& s) {
    const scope_counts c = s.counts();
    std::string message = "scope " + s.path() + " was destroyed with " + std::to_string(c.live) +
                          " children and " + std::to_string(c.scopes) +
                          " scopes still running\n  opened at    " + s.opened_at.file_name() + ':' +
                          std::to_string(s.opened_at.line());
    constexpr std::size_t most = 8;
    std::size_t listed = 0;
    s.runtime.registry.for_each([&](const detail::child& child) {
        if (child.scope != &s || ++listed > most) return;
        message += std::string("\n  running      ") +
                   std::string(child.name().empty() ? "task" : child.name()) + ", spawned at " +
                   child.spawned_at().file_name() + ':' + std::to_string(child.spawned_at().line());
    });
    message +=
        "\n  what to do   co_await join() before the scope goes, or open it with with_scope()";
    detail::contract_violation(message);
}

}  // namespace

task_scope::~task_scope() {
    if (!state_->try_end() && !state_->is_abandoned()) destroyed_too_early(*state_);
    state_->release();
}

void task_scope::close() noexcept { state_->close(); }

void task_scope::depends_on(task_scope& other) { state_->depends_on(*other.state_); }

detail::join_awaiter task_scope::join() {
    const detail::task_context* context = detail::current_context();
    // A task given to run() belongs to the root, and is no member of it: run() waits for it.
    if (context != nullptr && context->scope != nullptr) {
        auto at = detail::scope_reference::retain(detail::scope_access::current_state(*context));
        for (; at; at = detail::scope_reference(at->parent())) {
            if (at.get() == state_) {
                throw misuse_error(
                    "taskscope: a member of scope " + path() +
                    " called its join(), and would wait for itself. Join it from outside; "
                    "with_scope() joins by itself.");
            }
        }
    }
    return detail::scope_access::join(*this);
}

void task_scope::blocking_join() {
    detail::check_may_block();
    const scope_policy policy = state_->policy();
    state_->want_join();
    if (!state_->ended.blocking_wait(get_executor())) {
        detail::contract_violation(
            "a blocking join on a manual_executor waits for what can not happen:\n" + dump(*this));
    }
    if (const auto& p = detail::policy_access::get(policy)) p->result();
}

scope_counts task_scope::counts() const { return state_->counts(); }

task_scope* task_scope::parent() const noexcept {
    const detail::scope_reference up(state_->parent());
    return up ? &up->facade() : nullptr;
}

task_scope& task_scope::root_of(executor& home) {
    return detail::extension_of<detail::scope_runtime>(home).root();
}

namespace detail {

std::unique_ptr<task_scope> scope_access::make_root(executor& home, scope_runtime& runtime,
                                                    std::string_view name) {
    task_context nothing_above;
    nothing_above.home = &home;
    return std::unique_ptr<task_scope>(
        new task_scope(nothing_above, runtime, nullptr, {.name = name, .policy = {}}, {}));
}

void scope_access::make_view(scope_state& s, void* memory) noexcept {
    static_assert(sizeof(task_scope) == sizeof(void*));
    ::new (memory) task_scope(s);  // never destroyed: it owns nothing
}

scope_state& scope_access::current_state(const task_context& context) {
    if (context.scope != nullptr) return *static_cast<scope_state*>(context.scope);
    return state(context.home->root());
}

}  // namespace detail

task_scope& current_scope() {
    const detail::task_context* context = detail::current_context();
    if (context == nullptr) {
        throw misuse_error(
            "taskscope: there is no current scope here: this thread is running no task. Use a "
            "task_scope, or "
            "executor::root().");
    }
    return detail::scope_access::current_state(*context).facade();
}

}  // namespace taskscope
