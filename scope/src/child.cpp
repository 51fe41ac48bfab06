// scope/src/child.cpp - the beginning and the end of a child.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/detail/child.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/with_scope.hpp>

#include <new>

namespace taskscope::detail {

bool try_enter(child& c) noexcept {
    const scope_state::place place = c.scope->try_enter();
    c.counted_apart = place != scope_state::in_word;
    c.stripe = static_cast<std::uint16_t>(place);
    if (place == scope_state::refused) {
        c.scope->count.refused.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    enlist(c);
    return true;
}

void enlist(child& c) noexcept { c.scope->count_spawned(c.membership()); }

void trace_awaits(child_of_task& c) noexcept {
    // Without memory there is no trace.
    if (c.scope->runtime.trace_awaits) [[unlikely]]
        c.trace = new (std::nothrow) await_trace;
}

void unregister(child& c) noexcept {
    c.scope->count_spawned(c.membership(), -1);
    c.scope->runtime.registry.remove(c);
}

namespace {

void give(child_of_task& c, promise_base& p, task_context& context) noexcept {
    p.context = &context;
    p.reports_to = completion::traced;
    p.recv = &c;
    p.owner = &p.awaiting;  // no task object has it: a word of its own, unwound after its last use
    if (context.stop.stop_requested()) p.result = outcome::stopped;  // never runs
}

// A function of its own, so that the others save no registers for it.
[[gnu::noinline]] void give_observed(child_of_task& c, promise_base& p,
                                     task_context& context) noexcept {
    give(c, p, c.scope->runtime.all_observers->spawned(c, context));
}

}  // namespace

void adopt(child_of_task& c, promise_base& p, task_context& context) noexcept {
    trace_awaits(c);
    if (c.scope->runtime.observed.load(std::memory_order_relaxed)) [[unlikely]]
        give_observed(c, p, context);
    else
        give(c, p, context);
    list(c);
}

void list(child& c) noexcept { c.scope->runtime.registry.add(c); }

void complete(child& c, outcome how, const std::exception_ptr* error) noexcept {
    if (how == outcome::stopped) c.scope->count.stopped.fetch_add(1, std::memory_order_relaxed);
    if (how == outcome::error) {
        c.scope->child_failed(c, *error);
    } else if (c.scope->all_watched.load(std::memory_order_relaxed)) {
        c.scope->child_ended(how == outcome::value ? completion_kind::value
                                                   : completion_kind::stopped);
    }
    if (c.is_observed()) [[unlikely]]
        c.scope->runtime.all_observers->completed(c, how, error);
    c.scope->runtime.registry.remove(c);
}

void complete(child& c, promise_base* p) noexcept {
    if (p == nullptr) return complete(c, outcome::stopped, nullptr);
    complete(c, p->result, p->result == outcome::error ? &p->error : nullptr);
    p->handle().destroy();
}

void body_ends(child& c, promise_base* p) noexcept {
    if (p == nullptr) c.scope->count.stopped.fetch_add(1, std::memory_order_relaxed);
    c.scope->runtime.registry.remove(c);
    c.scope->leave(c.membership());
}

void throw_scope_closed(scope_state& s) {
    throw scope_closed("taskscope: scope " + s.path() +
                       " is closed: nothing can be spawned into it");
}

void throw_empty_task() {
    throw misuse_error("taskscope: spawn() was given a task that was moved from");
}

void throw_closure_task() {
    throw misuse_error(
        "taskscope: spawn() was given a task made by calling a lambda with captures. The lambda, "
        "and its "
        "captures, would be gone before the task is. Spawn the lambda itself: "
        "scope.spawn([x]() -> task<> {...}), without calling it");
}

}  // namespace taskscope::detail
