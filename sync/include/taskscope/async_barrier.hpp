// <taskscope/async_barrier.hpp> - tasks that work in phases wait for each other at the end of each.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <cstddef>
#include <mutex>

namespace taskscope {

class async_barrier;

namespace detail {

class [[nodiscard]] barrier_waiter final : public waiter {
public:
    explicit barrier_waiter(async_barrier& b) noexcept : barrier_(b) {}
    bool await_resume() const noexcept { return last_; }

private:
    friend async_barrier;

    bool take_or_join() noexcept override;
    void withdraw() noexcept override;

    async_barrier& barrier_;
    bool last_ = false;
};

}  // namespace detail

/// So many participants; each phase ends when all of them have arrived. std::barrier, but those who wait are tasks.
///
/// Stop: a wait ends as stopped at once, and its arrival is taken back: the phase does not end without another in its
///   place. One that has not begun does not arrive. Participants that may be stopped alone give up their place with
///   a local whose destructor calls leave(), or the others wait until they are stopped too.
/// Thread safety: all members from any thread. It may be destroyed when nobody waits and every call has returned.
/// Allocates: nothing.
class async_barrier {
public:
    /// At least one participant.
    explicit async_barrier(std::size_t participants) noexcept;
    async_barrier(const async_barrier&) = delete;
    async_barrier& operator=(const async_barrier&) = delete;

    /// `co_await b.arrive_and_wait()` goes on when all have arrived. Gives true to one of them.
    detail::barrier_waiter arrive_and_wait() noexcept { return detail::barrier_waiter(*this); }

    /// One participant less, in this phase and all others; if only that one was missing, the phase ends. For those who
    /// go away; terminates with a message if nobody is left to go.
    void leave() noexcept;

private:
    friend detail::barrier_waiter;

    std::mutex mutex_;  // guards all below
    std::size_t participants_;
    std::size_t arrived_ = 0;
    detail::wait_list<detail::barrier_waiter> waiters_;
};

}  // namespace taskscope
