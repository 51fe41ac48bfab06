// <taskscope/detail/deferred.hpp> - the record of a function that is called when the members of a scope are gone.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/child.hpp>
#include <taskscope/task_bridge.hpp>

#include <exception>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope::detail {

/// A child that has not begun, on the scope's stack of them.
struct deferred_child : child_of_task {
    using child_of_task::child_of_task;

    deferred_child* below = nullptr;
    /// Makes it a running child; the caller's membership becomes its own. False if it failed to begin: then it is gone.
    bool (*begin)(deferred_child&) noexcept = nullptr;
};

/// Counts and registers it, and schedules its task, out of the reach of stops.
void launch_deferred(deferred_child& d, promise_base& p) noexcept;
/// What calling its function has thrown.
void fail_deferred(deferred_child& d, std::exception_ptr error) noexcept;

template <class Record>
bool begin_deferred(deferred_child& d) noexcept {
    auto& record = static_cast<Record&>(d);
    // The function is the scope's. What this thread works for is a child that has left, and may be gone, or who joins.
    const on_behalf of_the_scope(&d.scope->cleanup_context);
    try {
        auto t = task_of(record);
        if (!t) throw_empty_task();
        launch_deferred(record, release_frame(t));
        return true;
    } catch (...) {
        fail_deferred(record, std::current_exception());
        record_memory<Record>::destroy(&record);
        return false;
    }
}

/// Throws scope_closed if the scope has ended, and what copying throws.
template <class F, class... Args>
void defer(scope_state& s, std::string_view name, std::source_location at, F&& f, Args&&... args) {
    using record = callable_record<deferred_child, std::decay_t<F>, std::decay_t<Args>...>;
    auto* d = record_memory<record>::make(s, at, std::forward<F>(f), std::forward<Args>(args)...);
    d->begin = &begin_deferred<record>;
    try {
        if (!name.empty()) d->set_name(name);
        if (!s.defer(*d)) throw_scope_closed(s);
    } catch (...) {
        record_memory<record>::destroy(d);
        throw;
    }
}

}  // namespace taskscope::detail
