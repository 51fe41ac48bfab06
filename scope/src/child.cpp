// scope/src/child.cpp - the beginning and the end of a child.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/detail/child.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/exception_group.hpp>
#include <taskscope/with_scope.hpp>

#include <cstdio>

namespace taskscope::detail {

bool try_enter(child& c) noexcept {
    if (!c.scope->try_enter()) {
        c.scope->count.refused.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    c.scope->count.spawned.fetch_add(1, std::memory_order_relaxed);
    c.scope->runtime.registry.add(c);
    return true;
}

void unregister(child& c) noexcept {
    c.scope->count.spawned.fetch_sub(1, std::memory_order_relaxed);
    c.scope->runtime.registry.remove(c);
}

void adopt(child& c, promise_base& p, task_context& context) noexcept {
    p.context = &context;
    p.reports_to = completion::receiver;
    p.recv = &c;
    p.owner = &c.frame;
    c.frame = &p;
    if (context.stop.stop_requested()) p.result = outcome::stopped;  // never runs
}

void complete(child& c, promise_base* p) noexcept {
    if (p == nullptr) c.scope->count.stopped.fetch_add(1, std::memory_order_relaxed);
    if (p != nullptr && p->result == outcome::error) c.scope->report(c, p->error);
    c.scope->runtime.registry.remove(c);
    if (p != nullptr) p->handle().destroy();
}

void body_begins(child& c) noexcept {
    c.scope->count.spawned.fetch_add(1, std::memory_order_relaxed);
    c.scope->runtime.registry.add(c);
}

void body_ends(child& c, promise_base* p) noexcept {
    if (p == nullptr) c.scope->count.stopped.fetch_add(1, std::memory_order_relaxed);
    c.scope->runtime.registry.remove(c);
    c.scope->leave();
}

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

}  // namespace

void scope_state::report(const child& c, std::exception_ptr failure) noexcept {
    count.failed.fetch_add(1, std::memory_order_relaxed);
    set_error();
    std::shared_ptr<const error_policy> chosen = policy();
    if (chosen->ignores()) return;
    std::string where;
    try {
        where = path();
    } catch (const std::bad_alloc&) {
        where.clear();  // then without
    }
    const error_context e{std::move(failure), facade(), where, c.name(), c.spawned_at()};
    // Our own handler, or that of the nearest scope above that has one to inherit.
    scope_reference at = scope_reference::retain(*this);
    while (chosen->inherits() || (at.get() != this && !chosen->inheritable())) {
        at = scope_reference(at->parent());
        if (!at) return print(e);
        chosen = at->policy();
    }
    try {
        chosen->handler()(e);
        return;
    } catch (...) {
        count.handler_failures.fetch_add(1, std::memory_order_relaxed);
    }
    // The handler failed: the error must not be lost.
    const std::shared_ptr<const error_policy> last = scope_access::state(runtime.root()).policy();
    try {
        if (last != chosen && last->inheritable()) return last->handler()(e);
    } catch (...) {
        count.handler_failures.fetch_add(1, std::memory_order_relaxed);
    }
    print(e);
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
