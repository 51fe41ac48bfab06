// <taskscope/channel.hpp> - values from tasks that send to tasks that receive, with bounded room between.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/gated_ring.hpp>
#include <taskscope/detail/wait_list.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskscope {

template <class T>
class channel;

namespace detail {

template <class T>
class [[nodiscard]] channel_sender final : public waiter {
public:
    template <class U>
    channel_sender(channel<T>& c, U&& value) : channel_(c), value_(std::forward<U>(value)) {}

    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& p = h.promise();
        if (p.context->stop.stop_requested() || !channel_.values_.try_push(value_)) {
            return suspend(p);
        }
        sent_ = true;
        return this_worker()->transfer(h, p);
    }
    bool await_resume() const noexcept { return sent_; }

private:
    friend channel<T>;

    bool take_or_join() noexcept override { return channel_.begin_send(*this); }
    void withdraw() noexcept override { channel_.withdraw(*this); }

    channel<T>& channel_;
    T value_;
    bool sent_ = false;
};

template <class T>
class [[nodiscard]] channel_receiver final : public waiter {
public:
    explicit channel_receiver(channel<T>& c) noexcept : channel_(c) {}

    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& p = h.promise();
        if (p.context->stop.stop_requested() || !channel_.values_.try_pop(value_)) {
            return suspend(p);
        }
        return this_worker()->transfer(h, p);
    }
    std::optional<T> await_resume() noexcept { return std::move(value_); }

private:
    friend channel<T>;

    bool take_or_join() noexcept override { return channel_.begin_receive(*this); }
    void withdraw() noexcept override { channel_.withdraw(*this); }

    channel<T>& channel_;
    std::optional<T> value_;
};

}  // namespace detail

/// A queue between tasks, with room for `capacity` values; with room for none each value goes from hand to
/// hand, when a sender and a receiver have met.
///
///     ts::channel<page> pages{64};
///     producer:   co_await pages.send(std::move(p));
///     consumer:   while (std::optional<page> p = co_await pages.receive()) index(*p);
///     at the end: pages.close();
///
/// Order: values are received in the order in which they were sent; those who wait are served in the order in
///   which they came. Nobody who comes later gets past them.
/// Stop: a send or receive that waits ends as stopped and leaves the queue at once; one that has not begun does
///   not begin. Nothing is lost: a stopped receive has taken no value, and a stopped send has sent none; its
///   value dies with the call. A call that was served before the stop came is not stopped.
/// Thread safety: all members from any thread, try_send, try_receive and close also from threads that are no
///   workers. The channel may be destroyed when every call has ended; it destroys what nobody received.
/// Allocates: the room, when it is made.
template <class T>
class channel {
    static_assert(
        std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
        "taskscope: what goes through a channel must be movable without exceptions. Send a "
        "std::unique_ptr to it instead.");
    static_assert(
        alignof(T) <= 2 * sizeof(void*),
        "taskscope: coroutine frames are aligned to 16 bytes. Send a pointer to it instead.");

public:
    explicit channel(std::size_t capacity) : values_(capacity) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// `co_await c.send(v)` waits for room, or for a receiver. Gives whether the value was sent: false once the
    /// channel is closed, also to those who were waiting when it was; then the value is gone with the call.
    template <class U = T>
        requires std::constructible_from<T, U&&>
    detail::channel_sender<T> send(U&& value) {
        static_assert(
            !detail::unsafe_inside_await<U>(),
            "taskscope: g++ 12 destroys this temporary twice inside a co_await expression. "
            "Send a named object, or give its type a constructor. (docs/gcc12.md)");
        return detail::channel_sender<T>(*this, std::forward<U>(value));
    }

    /// `co_await c.receive()` waits for a value. Gives nothing once the channel is closed and empty.
    detail::channel_receiver<T> receive() noexcept { return detail::channel_receiver<T>(*this); }

    /// Sends if that is possible at once. Moves from `value` only if it returns true; if not, the channel is
    /// full, or closed.
    [[nodiscard]] bool try_send(T&& value) noexcept {
        if (values_.try_push(value)) return true;
        detail::channel_receiver<T>* taker = nullptr;
        {
            const exclusive lock(*this);
            if (!put(value, taker)) return false;
        }
        if (taker != nullptr) hand_over(*taker, value);
        return true;
    }
    [[nodiscard]] bool try_send(const T& value) { return try_send(T(value)); }

    /// Takes a value if there is one.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        if (values_.try_pop(value)) return value;
        detail::channel_sender<T>* served = nullptr;
        {
            const exclusive lock(*this);
            get(value, served);
        }
        if (served != nullptr) detail::woken_list::wake(*served);
        return value;
    }

    /// No more sending. What was sent can still be received; then receivers get nothing. Idempotent.
    void close() noexcept {
        detail::woken_list woken;
        {
            const exclusive lock(*this);
            closed_ = true;
            woken.add_all(senders_);
            woken.add_all(receivers_);
        }
        woken.wake();
    }

    /// Closes, and drops what was sent and nobody has received yet. Returns how many values that were.
    std::size_t close_and_discard() noexcept {
        close();
        std::size_t dropped = 0;
        while (try_receive()) ++dropped;
        return dropped;
    }

    bool is_closed() const noexcept {
        const std::lock_guard lock{mutex_};
        return closed_;
    }

    /// How many values wait to be received; others may change that at any time.
    std::size_t size() const noexcept { return values_.size(); }
    std::size_t capacity() const noexcept { return values_.capacity(); }

private:
    friend detail::channel_sender<T>;
    friend detail::channel_receiver<T>;

    // While nobody waits and the channel is not closed, values go through the queue, without a lock. Else its gate is
    // closed, and everything is done under the mutex, where
    //   receivers wait only while there is no value and no sender waits;
    //   senders wait only while there is no room;
    //   nobody waits once it is closed.

    // Has the queue and those who wait to itself.
    class exclusive {
    public:
        explicit exclusive(channel& c) noexcept : channel_(c), lock_(c.mutex_) {
            c.values_.close_gate();
        }
        exclusive(const exclusive&) = delete;
        exclusive& operator=(const exclusive&) = delete;
        ~exclusive() {
            const bool nobody_waits = channel_.senders_.empty() && channel_.receivers_.empty();
            if (nobody_waits && !channel_.closed_) channel_.values_.open_gate();
        }

    private:
        channel& channel_;
        std::lock_guard<std::mutex> lock_;
    };

    // Sends if possible: into the queue, or to `taker`, which the caller then hands the value over to.
    bool put(T& value, detail::channel_receiver<T>*& taker) noexcept {
        if (closed_) return false;
        taker = receivers_.claim_one();
        if (taker != nullptr) return true;
        if (values_.full()) return false;
        values_.push(value);
        return true;
    }

    // Takes a value if possible. If that made room for somebody who waited, the caller wakes `served`.
    bool get(std::optional<T>& value, detail::channel_sender<T>*& served) noexcept {
        if (!values_.empty()) value.emplace(values_.pop());
        served = senders_.claim_one();
        if (served != nullptr) {
            served->sent_ = true;
            if (value) {
                values_.push(served->value_);
            } else {
                value.emplace(std::move(served->value_));
            }
        }
        return value.has_value();
    }

    static void hand_over(detail::channel_receiver<T>& taker, T& value) noexcept {
        taker.value_.emplace(std::move(value));
        detail::woken_list::wake(taker);
    }

    bool begin_send(detail::channel_sender<T>& s) noexcept {
        detail::channel_receiver<T>* taker = nullptr;
        {
            const exclusive lock(*this);
            s.sent_ = put(s.value_, taker);
            if (!s.sent_ && !closed_) {
                senders_.push_back(s);
                return false;
            }
        }
        if (taker != nullptr) hand_over(*taker, s.value_);
        return true;
    }

    bool begin_receive(detail::channel_receiver<T>& r) noexcept {
        detail::channel_sender<T>* served = nullptr;
        {
            const exclusive lock(*this);
            if (!get(r.value_, served) && !closed_) {
                receivers_.push_back(r);
                return false;
            }
        }
        if (served != nullptr) detail::woken_list::wake(*served);
        return true;
    }

    void withdraw(detail::channel_sender<T>& s) noexcept {
        const exclusive lock(*this);
        senders_.remove(s);
    }
    void withdraw(detail::channel_receiver<T>& r) noexcept {
        const exclusive lock(*this);
        receivers_.remove(r);
    }

    detail::gated_ring<T> values_;
    mutable std::mutex mutex_;  // guards all below, and the gate
    bool closed_ = false;
    detail::wait_list<detail::channel_sender<T>> senders_;
    detail::wait_list<detail::channel_receiver<T>> receivers_;
};

}  // namespace taskscope
