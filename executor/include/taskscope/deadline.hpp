// <taskscope/deadline.hpp> - a point in time at which a task is asked to stop; and how much time is left.
// SPDX-License-Identifier: MIT
//
// Deadlines nest. A task knows the innermost one it runs under, each knows the one above, and the earliest of
// the chain counts. Scopes opened under a deadline pass it on to their children, as they do with stops.
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/context.hpp>
#include <taskscope/detail/timer.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stop_token.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <mutex>
#include <optional>
#include <utility>

namespace taskscope {

namespace detail {
template <class T>
class settle_by_awaiter;
}

/// A deadline for one task: see settle_by(). It can be moved while the task runs.
///
/// Lifetime: it outlives the task; the destructor terminates with a message otherwise.
/// Thread safety: move_to(), get() and expired() from any thread.
class deadline : detail::timer_entry {
public:
    using clock = std::chrono::steady_clock;

    /// None yet, until it is moved.
    deadline() noexcept : deadline(clock::time_point::max()) {}
    explicit deadline(clock::time_point at) noexcept;
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;
    ~deadline();

    /// Moves it, to earlier or later; time_point::max() means never. A time that has passed asks the task to stop
    /// as soon as a worker comes by.
    ///
    /// Returns: false, and does nothing, if the task was asked to stop because of it, or has ended.
    /// Throws: std::bad_alloc if the timer queue cannot grow. The task has no deadline then.
    bool move_to(clock::time_point at);

    clock::time_point get() const noexcept {
        return clock::time_point(clock::duration(at_.load(std::memory_order_relaxed)));
    }

    /// Whether the task was asked to stop because of this deadline, and not because of a stop that was requested
    /// before, from above. Final when the task has ended.
    bool expired() const noexcept { return expired_.load(std::memory_order_relaxed); }

private:
    template <class T>
    friend class detail::settle_by_awaiter;
    friend clock::time_point current_deadline() noexcept;

    /// `p` is about to await a task in our context. Throws std::bad_alloc, misuse_error.
    void begin(detail::promise_base& p);
    /// That task has ended. False: the timer is just firing, and will schedule who awaits it.
    bool end(bool stopped) noexcept;

    void arm();
    void fire() noexcept;
    void finish() noexcept;

    detail::atomic<clock::rep> at_;
    detail::atomic<bool> expired_{false};

    std::mutex mutex_;          // guards what follows, except that those below read it
    detail::suspension claim_;  // between the timer queue and whoever disarms; fresh for each arm()
    detail::promise_base* parent_ = nullptr;  // null: not yet in use
    detail::task_context context_;
    const deadline* up_ = nullptr;
    std::optional<stop_source> source_;
    stop_source* stop_ = nullptr;  // that in source_
    bool armed_ = false;           // in the timer queue, or about to fire, or firing
    bool requested_ = false;       // firing, or has fired
    bool over_ = false;            // the task has ended
    bool stopped_ = false;         // as stopped
};

/// The earliest deadline that the running task, and every one that waits for it, runs under, its own or an
/// inherited one; time_point::max() if there is none, or no task. Also in functions called by run_blocking().
deadline::clock::time_point current_deadline() noexcept;

/// The time until current_deadline(), by the clock of the task's executor: negative once it has passed,
/// duration::max() if there is none.
deadline::clock::duration remaining() noexcept;

namespace detail {

/// Awaits a task in the context of a deadline.
template <class T>
class [[nodiscard]] settle_by_awaiter : relay {
public:
    using taskscope_awaiter = void;

    settle_by_awaiter(deadline& d, task<T>&& t) noexcept
        : relay([](receiver& r, promise_base* p) noexcept -> job* {
              auto& self = static_cast<settle_by_awaiter&>(r);
              promise_base* const waiting = self.parent;
              return self.limit_.end(p == nullptr) ? waiting : nullptr;  // *this may be gone
          }),
          limit_(d),
          task_(std::move(t)) {}
    settle_by_awaiter(const settle_by_awaiter&) = delete;
    settle_by_awaiter& operator=(const settle_by_awaiter&) = delete;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        parent = &h.promise();
        limit_.begin(*parent);
        promise_base& child = task_access::promise(task_);
        child.context = &limit_.context_;
        child.reports_to = completion::relay;
        child.recv = this;
        child.owner = &task_access::frame(task_);
        return this_worker()->bounce(child);  // through the loop, which switches to its context
    }
    settled<T> await_resume() noexcept { return settled<T>::of(task_); }

private:
    deadline& limit_;
    task<T> task_;
};

}  // namespace detail

/// `co_await settle_by(d, t)` runs `t`, which is asked to stop when the caller is, or when `d` has passed, and gives
/// how it ended. If that is stopped, d.expired() says whether `d` was the reason.
///
/// A deadline that has passed already does not keep `t` from starting: its first suspension is stopped.
/// Stop: as settle(): the caller goes on, and sees its stop at its next suspension.
/// Throws: std::bad_alloc if the timer queue cannot grow; misuse_error if `d` was used before.
/// Allocates: a place in the executor's timer queue.
template <class T>
detail::settle_by_awaiter<T> settle_by(deadline& d, task<T> t) noexcept {
    return detail::settle_by_awaiter<T>(d, std::move(t));
}

}  // namespace taskscope
