// <taskscope/sleep.hpp> - suspending a task until a point in time.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/timer.hpp>
#include <taskscope/executor.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>

namespace taskscope {
namespace detail {

template <class Deadline>
class [[nodiscard]] sleep_awaiter : suspension, timer_entry, stop_registration {
public:
    using taskscope_awaiter = void;

    explicit sleep_awaiter(Deadline d) noexcept
        : timer_entry(*this, [](timer_entry& t) noexcept { t.wait.decide(outcome::value); }),
          stop_registration(&sleep_awaiter::on_stop),
          until_(d) {}
    sleep_awaiter(const sleep_awaiter&) = delete;
    sleep_awaiter& operator=(const sleep_awaiter&) = delete;
    ~sleep_awaiter() { deregister(); }

    static bool await_ready() noexcept { return false; }

    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    static void await_resume() noexcept {}

private:
    static void on_stop(stop_registration& r, stop_pass&) noexcept {
        auto& self = static_cast<sleep_awaiter&>(r);
        if (!self.try_claim()) return;
        disarm_timer(*self.task().context->home, self);
        self.decide(outcome::stopped);  // After this line self may be gone.
    }

    // noinline: the frame is published here; nothing of it may be kept in the coroutine's own registers.
    [[gnu::noinline]] std::coroutine_handle<> suspend(promise_base& p) {
        const task_context& context = *p.context;
        if (context.stop.stop_requested()) return stop_here(p);
        const clock::time_point now = context.home->now();
        if constexpr (std::same_as<Deadline, clock::time_point>) {
            deadline = until_;
        } else {
            deadline = saturating_add(now, until_);
        }
        if (deadline <= now) return this_worker()->transfer(p.handle(), p);
        begin(p);
        arm_timer(*context.home, *this);
        watch(context.stop);
        return arm();
    }

    Deadline until_;
};

}  // namespace detail

/// Suspends the task until `deadline` has passed on its executor's clock.
///
/// Effects: none if it has passed already. Deadlines are kept within the time a worker needs to come by:
///   at once when one is idle, else after at most 61 jobs.
/// Stop: completes as stopped, at once, and takes its timer out of the queue in O(log n).
/// Throws: std::bad_alloc if the timer queue cannot grow.
/// Allocates: a place in the executor's timer queue, which never shrinks.
inline detail::sleep_awaiter<detail::clock::time_point> sleep_until(
    detail::clock::time_point deadline) noexcept {
    return detail::sleep_awaiter<detail::clock::time_point>(deadline);
}

/// sleep_until() the time of the await plus `d`. Sums beyond the end of time are the end of time.
template <class Rep, class Period>
detail::sleep_awaiter<std::chrono::duration<Rep, Period>> sleep_for(
    std::chrono::duration<Rep, Period> d) noexcept {
    return detail::sleep_awaiter<std::chrono::duration<Rep, Period>>(d);
}

}  // namespace taskscope
