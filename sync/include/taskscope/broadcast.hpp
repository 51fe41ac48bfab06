// <taskscope/broadcast.hpp> - every subscriber gets every value, unless it falls too far behind.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace taskscope {

template <class T>
class broadcast;

namespace detail {

/// How far a subscriber has got.
struct broadcast_position {
    std::uint64_t next = 0;
    std::uint64_t missed = 0;
};

template <class T>
class [[nodiscard]] broadcast_waiter final : public waiter {
public:
    broadcast_waiter(broadcast<T>& b, broadcast_position& at) noexcept : broadcast_(b), at_(at) {}

    std::shared_ptr<const T> await_resume() noexcept { return broadcast_.take(at_); }

private:
    friend broadcast<T>;

    bool take_or_join() noexcept override { return broadcast_.begin_next(*this); }
    void withdraw() noexcept override { broadcast_.withdraw(*this); }

    broadcast<T>& broadcast_;
    broadcast_position& at_;
};

}  // namespace detail

/// A sequence of values that each subscriber sees from the beginning of its subscription.
///
///     ts::broadcast<event> events{256};
///     ts::broadcast<event>::subscriber s = events.subscribe();
///     while (std::shared_ptr<const event> e = co_await s.next()) handle(*e);
///
/// The last `capacity` values are kept. send() never waits: a subscriber that is further behind misses the oldest, and
/// missed() counts them, so a slow subscriber slows nobody and memory is bounded.
///
/// Stop: a next() that waits ends as stopped and leaves the line at once, and has taken nothing; one that has not begun
///   does not begin.
/// Thread safety: all members from any thread; a subscriber belongs to one task at a time, and must not outlive it.
///   The broadcast may be destroyed when nobody waits and every call has returned.
/// Allocates: the room, when it is made, and one block per value.
template <class T>
class broadcast {
public:
    class subscriber {
    public:
        /// `co_await s.next()` waits for the next value. nullptr once the broadcast is closed and all was seen.
        detail::broadcast_waiter<T> next() noexcept { return {*broadcast_, at_}; }

        /// How many values came and went before this subscriber had asked for them.
        std::uint64_t missed() const noexcept { return at_.missed; }

    private:
        friend broadcast;
        subscriber(broadcast& b, std::uint64_t next) noexcept : broadcast_(&b), at_{next, 0} {}

        broadcast* broadcast_;
        detail::broadcast_position at_;
    };

    /// `capacity` of at least 1.
    explicit broadcast(std::size_t capacity) : last_(capacity) {
        detail::contract_check(capacity > 0, "a broadcast was made without room for a value");
    }
    broadcast(const broadcast&) = delete;
    broadcast& operator=(const broadcast&) = delete;

    /// Does nothing once it is closed.
    void send(T value) {
        auto fresh = std::make_shared<const T>(std::move(value));
        detail::woken_list woken;
        {
            const std::lock_guard lock{mutex_};
            if (closed_) return;
            last_[sent_++ % last_.size()].swap(fresh);
            woken.add_all(waiters_);
        }
        woken.wake();
    }

    /// Sees what is sent from now on.
    subscriber subscribe() noexcept {
        const std::lock_guard lock{mutex_};
        return subscriber(*this, sent_);
    }

    /// No more sending. Subscribers get what they have not seen yet, then nullptr. Idempotent.
    void close() noexcept {
        detail::woken_list woken;
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
            woken.add_all(waiters_);
        }
        woken.wake();
    }

private:
    friend detail::broadcast_waiter<T>;

    bool begin_next(detail::broadcast_waiter<T>& w) noexcept {
        const std::lock_guard lock{mutex_};
        if (closed_ || w.at_.next != sent_) return true;
        waiters_.push_back(w);
        return false;
    }

    void withdraw(detail::broadcast_waiter<T>& w) noexcept {
        const std::lock_guard lock{mutex_};
        waiters_.remove(w);
    }

    std::shared_ptr<const T> take(detail::broadcast_position& at) const noexcept {
        const std::lock_guard lock{mutex_};
        if (at.next == sent_) return nullptr;
        if (sent_ - at.next > last_.size()) {
            at.missed += sent_ - at.next - last_.size();
            at.next = sent_ - last_.size();
        }
        return last_[at.next++ % last_.size()];
    }

    mutable std::mutex mutex_;  // guards all below
    bool closed_ = false;
    std::uint64_t sent_ = 0;
    std::vector<std::shared_ptr<const T>> last_;  // value i lives at i % size
    detail::wait_list<detail::broadcast_waiter<T>> waiters_;
};

}  // namespace taskscope
