// <taskscope/task_bridge.hpp> - lets other threads call functions on behalf of a task that waits for them.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/current.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace taskscope {

namespace detail {

/// This thread runs on behalf of a task as long as it lives.
class on_behalf {
public:
    explicit on_behalf(task_context* context) noexcept
        : slot_(this_worker() != nullptr ? this_worker()->context : outside_context),
          before_(std::exchange(slot_, context)) {}
    on_behalf(const on_behalf&) = delete;
    on_behalf& operator=(const on_behalf&) = delete;
    ~on_behalf() { slot_ = before_; }

private:
    task_context*& slot_;
    task_context* before_;
};

/// That of the running task. Throws misuse_error if there is none.
task_context& context_to_bridge();

}  // namespace detail

/// Takes the task in which it is made to other threads: a function that these call through the bridge has the task's
/// current scope, task-locals and deadline, and what it spawns lands in that scope.
///
///     const task_bridge bridge;
///     tbb::parallel_for(0, n, [&](int i) { bridge([&] { work(i); }); });
///
/// For code that runs parts of a function on threads of its own and waits for them: oneTBB, OpenMP, std algorithms.
/// For callbacks that come when nobody waits any more: see portal.
/// Lifetime: the task does not end, and does not leave the with_local(), settle_by() or stop_when() it is in, while
///   somebody is on the bridge.
/// Thread safety: any number of threads at a time, also the task's own worker.
/// Allocates: nothing.
class task_bridge {
public:
    /// Throws misuse_error on a thread that runs no task.
    task_bridge() : context_(detail::context_to_bridge()) {}

    /// Calls `f()` and gives what it gives.
    template <class F>
        requires std::is_invocable_v<F>
    decltype(auto) operator()(F&& f) const {
        const detail::on_behalf of_the_task(&context_);
        return std::invoke(std::forward<F>(f));
    }

private:
    detail::task_context& context_;
};

}  // namespace taskscope
