// <taskscope/shield.hpp> - a task that no stop from outside reaches.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/context.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <coroutine>
#include <utility>

namespace taskscope {
namespace detail {

template <class T>
class [[nodiscard]] shield_awaiter : receiver {
public:
    using taskscope_awaiter = void;

    explicit shield_awaiter(task<T>&& t) noexcept
        : receiver([](receiver& r, promise_base* p) noexcept -> job* {
              promise_base& parent = *static_cast<shield_awaiter&>(r).parent_;
              if (p == nullptr) parent.result = outcome::stopped;
              return &parent;
          }),
          task_(std::move(t)) {}
    shield_awaiter(const shield_awaiter&) = delete;
    shield_awaiter& operator=(const shield_awaiter&) = delete;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent_ = &h.promise();
        context_ = *parent_->context;
        context_.stop = {};
        context_.limit = nullptr;
        promise_base& child = task_access::promise(task_);
        child.context = &context_;
        child.reports_to = completion::receiver;
        child.recv = this;
        child.owner = &task_access::frame(task_);
        return this_worker()->bounce(child);  // through the loop, which switches to its context
    }
    T await_resume() { return task_access::promise(task_).take(); }

private:
    task<T> task_;
    promise_base* parent_ = nullptr;
    task_context context_;
};

template <class T>
task<T> run_shielded(task<T> t) {
    shield_awaiter<T> awaiter(std::move(t));
    co_return co_await awaiter;
}

}  // namespace detail

/// `co_await shield(t)` runs `t` to its end, whoever asks the caller to stop meanwhile: scopes, handles, deadlines from
/// outside. A stop stays requested, and the caller's next suspension sees it. Within `t` no stop is requested and no
/// deadline set, until it makes one: with_timeout() inside limits it, and shields may be nested.
///
/// Returns, Throws: as `t`. Stop: see above; if `t` completes as stopped by itself, so does the caller.
/// Children that `t` spawns belong to their scope, and are stopped with that. A shutdown that gives up is not held up.
/// Allocates: one frame.
template <class T>
task<T> shield(task<T> t) {
    return detail::run_shielded(std::move(t));
}

}  // namespace taskscope
