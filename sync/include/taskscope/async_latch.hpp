// <taskscope/async_latch.hpp> - tasks wait until something has happened so many times.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <cstddef>
#include <mutex>

namespace taskscope {

class async_latch;

namespace detail {

class [[nodiscard]] latch_waiter final : public waiter {
public:
    explicit latch_waiter(async_latch& l) noexcept : latch_(l) {}
    static void await_resume() noexcept {}

private:
    bool take_or_join() noexcept override;
    void withdraw() noexcept override;

    async_latch& latch_;
};

}  // namespace detail

/// Counts down to zero, once. std::latch, but those who wait are tasks.
///
/// Stop: a wait ends as stopped and leaves the line at once; one that has not begun does not begin.
/// Thread safety: all members from any thread. It may be destroyed when nobody waits and every call has returned.
/// Allocates: nothing.
class async_latch {
public:
    explicit async_latch(std::size_t expected) noexcept : left_(expected) {}
    async_latch(const async_latch&) = delete;
    async_latch& operator=(const async_latch&) = delete;

    /// Terminates with a message if that is more than is left.
    void count_down(std::size_t n = 1) noexcept;

    /// Whether the count is zero.
    bool try_wait() const noexcept;

    /// `co_await l.wait()` goes on when the count is zero.
    detail::latch_waiter wait() noexcept { return detail::latch_waiter(*this); }

private:
    friend detail::latch_waiter;

    mutable std::mutex mutex_;  // guards all below
    std::size_t left_;
    detail::wait_list<detail::latch_waiter> waiters_;  // only while something is left
};

}  // namespace taskscope
