// <taskscope/async_auto_event.hpp> - something that happens again and again; each time one task goes on.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <mutex>

namespace taskscope {

class async_auto_event;

namespace detail {

class [[nodiscard]] auto_event_waiter final : public waiter {
public:
    explicit auto_event_waiter(async_auto_event& e) noexcept : event_(e) {}
    static void await_resume() noexcept {}

private:
    bool take_or_join() noexcept override;
    void withdraw() noexcept override;

    async_auto_event& event_;
};

}  // namespace detail

/// "There is something to do": set() lets one task go on, the one that has waited longest. If nobody waits it is
/// remembered, once, for the next who comes. (For something that happens once and for all there is async_event.)
///
/// Stop: a wait ends as stopped and leaves the line at once, and takes no set() with it; one that has not begun
///   does not begin.
/// Thread safety: all members from any thread. It may be destroyed when nobody waits and every call has returned.
/// Allocates: nothing.
class async_auto_event {
public:
    async_auto_event() noexcept = default;
    async_auto_event(const async_auto_event&) = delete;
    async_auto_event& operator=(const async_auto_event&) = delete;

    void set() noexcept;

    /// `co_await e.wait()`
    detail::auto_event_waiter wait() noexcept { return detail::auto_event_waiter(*this); }

private:
    friend detail::auto_event_waiter;

    std::mutex mutex_;  // guards all below
    bool set_ = false;
    detail::wait_list<detail::auto_event_waiter> waiters_;  // only while it is not set
};

}  // namespace taskscope
