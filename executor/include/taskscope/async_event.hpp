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

/// Who waits in an event's list.
enum class event_waiter : unsigned char { task, task_until, thread };

/// One waiter. It has the size of four pointers and its suspension: a million may wait.
struct event_node : suspension {
    event_node(async_event& e, event_waiter k, bool s) noexcept : kind(k), stoppable(s), event(e) {}
    event_node(const event_node&) = delete;
    event_node& operator=(const event_node&) = delete;

    event_waiter kind;
    bool stoppable;
    bool linked = false;  ///< in the list; these three: guarded by the event's mutex
    event_node* next = nullptr;
    event_node* prev = nullptr;
    async_event& event;
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
    static void happened(detail::event_node& n) noexcept;

    std::mutex mutex_;  // guards the list and the node's links
    detail::atomic<bool> set_{false};
    detail::event_node* first_ = nullptr;
    detail::event_node* last_ = nullptr;
};

namespace detail {

class [[nodiscard]] event_awaiter : event_node, stop_registration {
public:
    using taskscope_awaiter = void;

    event_awaiter(async_event& e, bool may_stop) noexcept;
    ~event_awaiter() { deregister(); }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return suspend(h.promise());
    }
    static void await_resume() noexcept {}

private:
    static void on_stop(stop_registration& r, stop_pass&) noexcept;
    std::coroutine_handle<> suspend(promise_base& p) noexcept;
};

class [[nodiscard]] event_deadline_awaiter : event_node, timer_entry, stop_registration {
public:
    using taskscope_awaiter = void;

    event_deadline_awaiter(async_event& e, clock::time_point t, bool may_stop) noexcept;
    ~event_deadline_awaiter() { deregister(); }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    bool await_resume() const noexcept { return happened_; }

private:
    static void on_stop(stop_registration& r, stop_pass&) noexcept;
    std::coroutine_handle<> suspend(promise_base& p);

    friend class taskscope::async_event;
    void happened() noexcept;

    bool happened_ = false;
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
