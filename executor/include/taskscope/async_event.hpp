// <taskscope/async_event.hpp> - something that happens once and that any number of tasks can wait for.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/timer.hpp>
#include <taskscope/executor.hpp>

#include <concepts>
#include <coroutine>
#include <mutex>
#include <optional>

namespace taskscope {

class async_event;

namespace detail {

/// One waiter in an event's list.
struct event_node {
    using function = void (*)(event_node&) noexcept;

    event_node(async_event& e, suspension& w, function f) noexcept
        : event(e), wait(w), happened(f) {}
    event_node(const event_node&) = delete;
    event_node& operator=(const event_node&) = delete;

    async_event& event;
    suspension& wait;
    function
        happened;  ///< called once the event has claimed the wait; after it the node may be gone
    event_node* next = nullptr;
    event_node* prev = nullptr;
    bool linked = false;
};

class event_awaiter;
class event_deadline_awaiter;

}  // namespace detail

/// Happens once, by set(); until then tasks wait for it, afterwards nobody does.
///
/// Thread safety: all members from any thread. It may be destroyed as soon as every wait has ended and
///   every call of set() has returned.
/// Allocates: nothing.
class async_event {
public:
    async_event() noexcept = default;
    async_event(const async_event&) = delete;
    async_event& operator=(const async_event&) = delete;

    /// Effects: lets all waiters go on. Later calls do nothing.
    void set() noexcept;

    /// Synchronization: what happened before set() is visible once this returned true.
    bool is_set() const noexcept {
        // edge event.set, acquire half (release half: the store in set()).
        return set_.load(std::memory_order_acquire);
    }

    /// `co_await event.wait();` Stop: completes as stopped, unless the event came first.
    detail::event_awaiter wait() noexcept;

    /// The same, but a stop request does not interrupt it. For cleanup that has to be finished.
    detail::event_awaiter wait_shielded() noexcept;

    /// `co_await event.wait_until(t)` gives whether the event happened before `t`. Stop: as wait().
    detail::event_deadline_awaiter wait_until(detail::clock::time_point deadline) noexcept;

    /// The same, but a stop request does not interrupt it.
    detail::event_deadline_awaiter wait_until_shielded(detail::clock::time_point deadline) noexcept;

    /// Blocks the calling thread until the event has happened or, if given, `limit` is over. Returns whether
    /// it has happened. If `home` is a manual_executor it is driven meanwhile, and its clock moves.
    /// Throws misuse_error on a worker.
    bool blocking_wait(executor& home, std::optional<detail::clock::duration> limit = {});

private:
    friend class detail::event_awaiter;
    friend class detail::event_deadline_awaiter;

    bool block(std::optional<detail::clock::duration> limit) noexcept;
    bool try_link(detail::event_node& n) noexcept;  // false if the event has happened
    void unlink(detail::event_node& n) noexcept;

    std::mutex mutex_;  // guards the list and the node's links
    detail::atomic<bool> set_{false};
    detail::event_node* first_ = nullptr;
    detail::event_node* last_ = nullptr;
};

namespace detail {

class [[nodiscard]] event_awaiter : event_node {
public:
    using taskscope_awaiter = void;

    event_awaiter(async_event& e, bool stoppable) noexcept;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return suspend(h.promise());
    }
    static void await_resume() noexcept {}

private:
    friend class taskscope::async_event;

    struct on_stop {
        event_awaiter* self;
        void operator()() const noexcept;
    };
    std::coroutine_handle<> suspend(promise_base& p) noexcept;

    bool stoppable_;
    suspension wait_;
    std::optional<stop_callback<on_stop>> stop_;
};

class [[nodiscard]] event_deadline_awaiter : event_node {
public:
    using taskscope_awaiter = void;

    event_deadline_awaiter(async_event& e, clock::time_point deadline, bool stoppable) noexcept;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    bool await_resume() const noexcept { return happened_; }

private:
    struct timer : timer_entry {
        explicit timer(event_deadline_awaiter& a) noexcept;
        event_deadline_awaiter& self;
    };
    struct on_stop {
        event_deadline_awaiter* self;
        void operator()() const noexcept;
    };
    std::coroutine_handle<> suspend(promise_base& p);

    bool stoppable_;
    bool happened_ = false;
    timer timer_;
    std::optional<stop_callback<on_stop>> stop_;
};

}  // namespace detail

inline detail::event_awaiter async_event::wait() noexcept { return {*this, true}; }
inline detail::event_awaiter async_event::wait_shielded() noexcept { return {*this, false}; }
inline detail::event_deadline_awaiter async_event::wait_until(
    detail::clock::time_point deadline) noexcept {
    return {*this, deadline, true};
}
inline detail::event_deadline_awaiter async_event::wait_until_shielded(
    detail::clock::time_point deadline) noexcept {
    return {*this, deadline, false};
}

}  // namespace taskscope
