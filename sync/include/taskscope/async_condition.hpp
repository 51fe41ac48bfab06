// <taskscope/async_condition.hpp> - waiting until something that an async_mutex guards has become true.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/async_mutex.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <mutex>
#include <type_traits>
#include <utility>

namespace taskscope {

class async_condition;

namespace detail {

class [[nodiscard]] condition_waiter final : public waiter {
public:
    condition_waiter(async_condition& c, async_mutex::guard& held) noexcept
        : condition_(c), held_(held) {}
    static void await_resume() noexcept {}

private:
    bool take_or_join() noexcept override;
    void withdraw() noexcept override;

    async_condition& condition_;
    async_mutex::guard& held_;
};

}  // namespace detail

/// Tasks wait for what another task makes true, and tells.
///
///     auto has_work = [&] { return !jobs.empty(); };
///     ts::async_mutex::guard held = co_await m.lock();
///     co_await c.wait(held, has_work);            // unlocked while it waits
///
/// Who changes what predicates look at does so while it holds the mutex, and notifies then or later.
///
/// Stop: a wait() ends as stopped, without the mutex. If it had been notified already, the notification goes to
///   another waiter.
/// Thread safety: all members from any thread. It may be destroyed when nobody waits and every call has returned.
/// Allocates: wait() a frame, the rest nothing.
class async_condition {
public:
    async_condition() noexcept = default;
    async_condition(const async_condition&) = delete;
    async_condition& operator=(const async_condition&) = delete;

    /// `co_await c.wait(held, predicate)` goes on, with the mutex, when `predicate()` has been true under the mutex.
    /// At once, if it is. What it throws comes out, and the mutex is held then too.
    template <class Predicate>
        requires std::predicate<std::decay_t<Predicate>&>
    task<> wait(async_mutex::guard& held, Predicate&& predicate) {
        TASKSCOPE_CHECK_AWAIT_ARGUMENT(Predicate);
        return wait_until_true(held, std::decay_t<Predicate>(std::forward<Predicate>(predicate)));
    }

    /// The one that has waited longest looks again.
    void notify_one() noexcept;

    /// All who wait look again.
    void notify_all() noexcept;

private:
    friend detail::condition_waiter;

    // Passes a notification on if the task is stopped before it has the mutex back.
    class notification {
    public:
        explicit notification(async_condition& c) noexcept : condition_(&c) {}
        notification(const notification&) = delete;
        notification& operator=(const notification&) = delete;
        ~notification() {
            if (condition_ != nullptr) condition_->notify_one();
        }
        void arrived() noexcept { condition_ = nullptr; }

    private:
        async_condition* condition_;
    };

    template <class Predicate>
    task<> wait_until_true(async_mutex::guard& held, Predicate predicate) {
        async_mutex* const mutex = held.mutex();
        detail::contract_check(mutex != nullptr, "a condition was awaited without its mutex");
        while (!predicate()) {
            detail::condition_waiter notified(*this, held);
            co_await notified;
            notification pending(*this);
            async_mutex::guard again = co_await mutex->lock();
            pending.arrived();
            held = std::move(again);
        }
    }

    std::mutex mutex_;  // guards the list
    detail::wait_list<detail::condition_waiter> waiters_;
};

}  // namespace taskscope
