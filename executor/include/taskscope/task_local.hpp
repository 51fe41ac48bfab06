// <taskscope/task_local.hpp> - values that a task, and everything it calls and spawns, can see.
// SPDX-License-Identifier: MIT
//
//     const task_local<std::string> request_id;                       // at namespace scope: a key
//
//     co_await with_local(request_id, "r-17", handle(request));       // bound for handle() and all it does
//     log(request_id.get_or("-"), "accepted");                        // wherever it is
#pragma once

#include <taskscope/detail/current.hpp>
#include <taskscope/detail/in_context.hpp>
#include <taskscope/detail/locals.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace taskscope {

namespace detail {

template <class T>
struct bound_local final : local_binding {
    template <class U>
    bound_local(const void* k, const local_binding* around, U&& v)
        : local_binding(k, around, &bound_local::free), value(std::forward<U>(v)) {}

    static void free(const local_binding& b) noexcept {
        delete static_cast<const bound_local*>(&b);
    }

    const T value;
};

struct with_locals {
    local_chain locals;
    void operator()(task_context& c) const noexcept { c.locals = locals.get(); }
};

}  // namespace detail

/// A key for a value that belongs to tasks, as a thread_local belongs to threads. See with_local().
///
/// Found in the task that it was bound for, and in what that awaits, forks, spawns, or calls by run_blocking() or
/// through a task_bridge, on whatever thread. A child sees what its spawner saw when it spawned; the children of
/// with_scope() what their body saw. One that a foreign thread spawns sees what the scope was opened with.
/// A value never changes, so siblings do not see of each other. Bind again, for a smaller part, to have another one.
/// Lifetime: it outlives the tasks that it is bound for. Usually an object at namespace scope.
/// Thread safety: all members from any thread.
/// Complexity: linear in the number of bindings around the task.
template <class T>
class task_local {
    static_assert(
        std::is_object_v<T> && !std::is_const_v<T>,
        "taskscope: a task_local is of a plain type of objects; its value is const anyway");

public:
    using value_type = T;

    constexpr task_local() noexcept = default;
    task_local(const task_local&) = delete;
    task_local& operator=(const task_local&) = delete;

    /// What it is bound to in the running task; nullptr if it is not, or there is no task. Good as long as that task,
    /// or another one with the same binding, has not ended.
    const T* find() const noexcept {
        const detail::task_context* context = detail::current_context();
        if (context == nullptr) return nullptr;
        for (const detail::local_binding* b = context->locals; b != nullptr; b = b->outer) {
            if (b->key == this) return &static_cast<const detail::bound_local<T>*>(b)->value;
        }
        return nullptr;
    }

    /// The same; throws misuse_error if it is not bound.
    const T& get() const {
        if (const T* value = find()) return *value;
        throw misuse_error(
            "taskscope: a task_local was read where it is not bound. Run the task by with_local(), "
            "or ask find() or get_or()");
    }

    /// A copy of it, or `otherwise`.
    template <class U>
        requires std::constructible_from<T, U>
    T get_or(U&& otherwise) const {
        const T* value = find();
        return value != nullptr ? *value : T(std::forward<U>(otherwise));
    }
};

/// `co_await with_local(key, value, t)` runs `t`, in which `key` is bound to `value`, and gives what `t` gives.
///
/// The value lives until `t`, and every child spawned meanwhile, has ended.
/// Errors, stops: go through.
/// Allocates: a frame, and the binding.
template <class T, class R>
task<R> with_local(const task_local<T>& key, std::type_identity_t<T> value, task<R> t) {
    const detail::task_context& here = co_await detail::get_context();
    detail::local_chain chain(new detail::bound_local<T>(&key, here.locals, std::move(value)));
    detail::in_context_awaiter<R, detail::with_locals> awaiter({std::move(chain)}, std::move(t));
    co_return co_await awaiter;
}

}  // namespace taskscope
