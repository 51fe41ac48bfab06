// <taskscope/stopped.hpp> - completing as stopped, noticing it, and asking a single task to stop.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/in_context.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

class [[nodiscard]] just_stopped_awaiter {
public:
    using taskscope_awaiter = void;

    just_stopped_awaiter() noexcept {}
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return stop_here(h.promise());
    }
    static void await_resume() noexcept {}
};

class [[nodiscard]] context_awaiter {
public:
    using taskscope_awaiter = void;

    context_awaiter() noexcept {}
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
        context_ = h.promise().context;
        return false;
    }
    task_context& await_resume() const noexcept { return *context_; }

protected:
    task_context* context_ = nullptr;
};

class [[nodiscard]] stop_token_awaiter : public context_awaiter {
public:
    stop_token await_resume() const noexcept { return context_->stop; }
};

/// `co_await get_context()`: for the rooms above.
inline context_awaiter get_context() noexcept { return {}; }

/// Awaits a task and goes on however it completes.
template <class T>
class [[nodiscard]] settled_awaiter : relay {
public:
    using taskscope_awaiter = void;

    explicit settled_awaiter(task<T>&& t) noexcept
        : relay([](receiver& r, promise_base*) noexcept -> job* {
              return static_cast<settled_awaiter&>(r).parent;
          }),
          task_(std::move(t)) {}
    settled_awaiter(const settled_awaiter&) = delete;
    settled_awaiter& operator=(const settled_awaiter&) = delete;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent = &h.promise();
        promise_base& child = task_access::promise(task_);
        child.context = parent->context;
        child.reports_to = completion::relay;
        child.recv = this;
        child.owner = &task_access::frame(task_);
        return this_worker()->transfer(child.handle(), child);
    }
    /// The completed task; empty if it was stopped.
    task<T>& await_resume() noexcept { return task_; }

private:
    task<T> task_;
};

/// Stops the task by a source of its own, below the one that was there.
class stop_too {
public:
    explicit stop_too(stop_token trigger) noexcept : trigger_(trigger) {}
    stop_too(stop_too&& other) noexcept : trigger_(other.trigger_) {}  // before it is used

    void operator()(task_context& c) noexcept {
        source_.emplace(c.stop);
        callback_.emplace(trigger_, request{&*source_});
        c.stop = source_->token();
    }

private:
    struct request {
        stop_source* source;
        void operator()() const noexcept { source->request_stop(); }
    };

    stop_token trigger_;
    std::optional<stop_source> source_;
    std::optional<stop_callback<request>> callback_;
};

}  // namespace detail

/// `co_await just_stopped();` completes the awaiting task as stopped: it does not go on.
inline detail::just_stopped_awaiter just_stopped() noexcept { return {}; }

/// `co_await get_stop_token()` is what asks the awaiting task to stop. Does not suspend.
inline detail::stop_token_awaiter get_stop_token() noexcept { return {}; }

/// Runs `t`; gives its value, or nothing if it was stopped. For a task<void>: whether it was not stopped.
/// Errors are rethrown. A stop that was meant for the caller too is still requested afterwards, and the
/// caller's next suspension sees it.
template <class T>
task<std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>> stopped_as_optional(task<T> t) {
    detail::settled_awaiter<T> settled(std::move(t));
    task<T>& done = co_await settled;
    if constexpr (std::is_void_v<T>) {
        if (!done) co_return false;
        detail::task_access::promise(done).take();
        co_return true;
    } else {
        if (!done) co_return std::optional<T>();
        co_return std::optional<T>(detail::task_access::promise(done).take());
    }
}

/// Runs `t`; throws stopped_error if it was stopped.
template <class T>
task<T> stopped_as_error(task<T> t) {
    detail::settled_awaiter<T> settled(std::move(t));
    task<T>& done = co_await settled;
    if (!done) throw stopped_error{};
    co_return detail::task_access::promise(done).take();
}

/// Runs `t`, which is asked to stop when the caller is, or when `trigger` is requested.
/// Stop: if `t` completes as stopped, for whichever reason, so does the caller.
template <class T>
task<T> stop_when(stop_token trigger, task<T> t) {
    return detail::run_in_context(detail::stop_too(trigger), std::move(t));
}

}  // namespace taskscope
