// <taskscope/channel.hpp> - values from tasks that send to tasks that receive, with bounded room between.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/ring_buffer.hpp>
#include <taskscope/detail/wait_list.hpp>

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
    explicit channel(std::size_t capacity) : buffer_(capacity) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// `co_await c.send(v)` waits for room, or for a receiver. Gives whether the value was sent: false once the
    /// channel is closed, also to those who were waiting when it was.
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
        detail::channel_receiver<T>* taker = nullptr;
        {
            const std::lock_guard lock{mutex_};
            if (!put(value, taker)) return false;
        }
        if (taker != nullptr) hand_over(*taker, value);
        return true;
    }
    [[nodiscard]] bool try_send(const T& value) { return try_send(T(value)); }

    /// Takes a value if there is one.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        detail::channel_sender<T>* served = nullptr;
        {
            const std::lock_guard lock{mutex_};
            get(value, served);
        }
        if (served != nullptr) detail::woken_list::wake(*served);
        return value;
    }

    /// No more sending. What was sent can still be received; then receivers get nothing. Idempotent.
    void close() noexcept {
        detail::woken_list woken;
        {
            const std::lock_guard lock{mutex_};
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
    std::size_t size() const noexcept {
        const std::lock_guard lock{mutex_};
        return buffer_.size();
    }
    std::size_t capacity() const noexcept { return buffer_.capacity(); }

private:
    friend detail::channel_sender<T>;
    friend detail::channel_receiver<T>;

    // Those who wait and what there is: under the mutex
    //   receivers wait only while there is no value and no sender waits;
    //   senders wait only while there is no room;
    //   nobody waits once it is closed.

    // Sends if possible: into the buffer, or to `taker`, which the caller then hands the value over to.
    bool put(T& value, detail::channel_receiver<T>*& taker) noexcept {
        if (closed_) return false;
        taker = receivers_.claim_one();
        if (taker != nullptr) return true;
        if (buffer_.full()) return false;
        buffer_.push(std::move(value));
        return true;
    }

    // Takes a value if possible. If that made room for somebody who waited, the caller wakes `served`.
    bool get(std::optional<T>& value, detail::channel_sender<T>*& served) noexcept {
        if (!buffer_.empty()) value.emplace(buffer_.pop());
        served = senders_.claim_one();
        if (served != nullptr) {
            served->sent_ = true;
            if (value) {
                buffer_.push(std::move(served->value_));
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
            const std::lock_guard lock{mutex_};
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
            const std::lock_guard lock{mutex_};
            if (!get(r.value_, served) && !closed_) {
                receivers_.push_back(r);
                return false;
            }
        }
        if (served != nullptr) detail::woken_list::wake(*served);
        return true;
    }

    void withdraw(detail::channel_sender<T>& s) noexcept {
        const std::lock_guard lock{mutex_};
        senders_.remove(s);
    }
    void withdraw(detail::channel_receiver<T>& r) noexcept {
        const std::lock_guard lock{mutex_};
        receivers_.remove(r);
    }

    mutable std::mutex mutex_;  // guards all below
    bool closed_ = false;
    detail::ring_buffer<T> buffer_;
    detail::wait_list<detail::channel_sender<T>> senders_;
    detail::wait_list<detail::channel_receiver<T>> receivers_;
};

}  // namespace taskscope
