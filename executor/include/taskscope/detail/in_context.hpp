// <taskscope/detail/in_context.hpp> - awaiting a task in a context that differs in something from one's own.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/context.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <coroutine>
#include <utility>

namespace taskscope::detail {

/// Runs the task in a copy of the awaiting task's context to which `Change` is applied, and completes as it does.
/// What `Change` keeps outlives the task and its arguments.
template <class T, class Change>
class [[nodiscard]] in_context_awaiter : relay {
public:
    using taskscope_awaiter = void;

    in_context_awaiter(Change change, task<T>&& t)
        : relay([](receiver& r, promise_base* p) noexcept -> job* {
              promise_base& waiting = *static_cast<in_context_awaiter&>(r).parent;
              if (p == nullptr) waiting.result = outcome::stopped;
              return &waiting;
          }),
          change_(std::move(change)),
          task_(std::move(t)) {}
    in_context_awaiter(const in_context_awaiter&) = delete;
    in_context_awaiter& operator=(const in_context_awaiter&) = delete;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent = &h.promise();
        context_ = *parent->context;
        change_(context_);
        promise_base& child = task_access::promise(task_);
        child.context = &context_;
        child.reports_to = completion::relay;
        child.recv = this;
        child.owner = &task_access::frame(task_);
        return this_worker()->bounce(child);  // through the loop, which switches to its context
    }
    T await_resume() { return task_access::promise(task_).take(); }

private:
    Change change_;
    task_context context_;
    task<T> task_;
};

/// The same as a task.
template <class T, class Change>
task<T> run_in_context(Change change, task<T> t) {
    in_context_awaiter<T, Change> awaiter(std::move(change), std::move(t));
    co_return co_await awaiter;
}

}  // namespace taskscope::detail
