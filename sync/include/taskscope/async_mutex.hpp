// <taskscope/async_mutex.hpp> - one task at a time; the others wait suspended and in line.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/guard.hpp>
#include <taskscope/detail/wait_list.hpp>

#include <mutex>

namespace taskscope {

class async_mutex;

namespace detail {
class mutex_waiter;
}

/// Mutual exclusion between tasks.
///
///     const ts::async_mutex::guard held = co_await m.lock();      // until the end of the block
///
/// A guard may be held across awaits; that is what this is for. (A std::mutex may not: the task could go on on
/// another thread, and while it waits the worker runs tasks that want the same mutex and can never get it. Where
/// nothing is awaited while it is held, a std::mutex is right, and cheaper.)
///
/// Order: first come, first served. unlock() makes the first in line the owner, so nobody gets past.
/// Stop: a lock() that waits ends as stopped and leaves the line at once; one that has not begun does not begin.
///   A stopped owner unlocks when its guard is destroyed.
/// Thread safety: all members from any thread. It may be destroyed when it is free, nobody waits, and every
///   call has returned; destroyed earlier it terminates with a message.
/// Allocates: nothing.
class async_mutex {
    void release() noexcept;

public:
    using guard = detail::guard<async_mutex, &async_mutex::release>;

    async_mutex() noexcept = default;
    async_mutex(const async_mutex&) = delete;
    async_mutex& operator=(const async_mutex&) = delete;
    ~async_mutex();

    /// `co_await m.lock()` waits until the mutex is the caller's, and gives its guard.
    /// Not recursive: a task that locks what it holds waits for itself, until it is stopped.
    detail::mutex_waiter lock() noexcept;

    /// A guard that holds the mutex, if it was free, or nothing.
    guard try_lock() noexcept;

private:
    friend detail::mutex_waiter;

    guard held() noexcept { return guard(*this); }
    bool begin_lock(detail::mutex_waiter& w) noexcept;
    void withdraw(detail::mutex_waiter& w) noexcept;

    std::mutex mutex_;  // guards all below
    bool locked_ = false;
    detail::wait_list<detail::mutex_waiter> waiters_;  // only while it is locked
};

namespace detail {

class [[nodiscard]] mutex_waiter final : public waiter {
public:
    explicit mutex_waiter(async_mutex& m) noexcept : mutex_(m) {}

    async_mutex::guard await_resume() const noexcept { return mutex_.held(); }

private:
    bool take_or_join() noexcept override { return mutex_.begin_lock(*this); }
    void withdraw() noexcept override { mutex_.withdraw(*this); }

    async_mutex& mutex_;
};

}  // namespace detail

inline detail::mutex_waiter async_mutex::lock() noexcept { return detail::mutex_waiter(*this); }

}  // namespace taskscope
