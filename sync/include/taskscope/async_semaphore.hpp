// <taskscope/async_semaphore.hpp> - so many at a time; the number may change while it is in use.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <cstddef>
#include <mutex>
#include <utility>

namespace taskscope {

class async_semaphore;

namespace detail {
class semaphore_waiter;
}

/// Permits of a semaphore, given back when it is destroyed. May be moved to other tasks and threads.
class [[nodiscard]] async_permit {
public:
    /// Holds nothing.
    async_permit() noexcept = default;
    async_permit(async_permit&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    async_permit& operator=(async_permit&& other) noexcept {
        if (this != &other) {
            release();
            from_ = std::exchange(other.from_, nullptr);
            count_ = std::exchange(other.count_, 0);
        }
        return *this;
    }
    ~async_permit() { release(); }

    /// Gives them back now. Does nothing if none are held.
    void release() noexcept;

    /// Whether there are any: not if there were too few for try_acquire(), or the semaphore is closed.
    explicit operator bool() const noexcept { return from_ != nullptr; }
    std::size_t count() const noexcept { return count_; }

private:
    friend async_semaphore;
    friend detail::semaphore_waiter;

    async_permit(async_semaphore& s, std::size_t n) noexcept : from_(&s), count_(n) {}

    async_semaphore* from_ = nullptr;
    std::size_t count_ = 0;
};

/// A number of permits. Who wants some waits until there are enough.
///
///     const ts::async_permit permit = co_await connections.acquire();     // until the end of the block
///
/// Order: first come, first served, also when the first in line wants many: those behind it wait with it, so
///   that it is not starved.
/// Stop: an acquire() that waits ends as stopped, takes nothing, and leaves the line at once, so that those behind
///   it may go on; one that has not begun does not begin.
/// Thread safety: all members from any thread. It may be destroyed when nobody waits, all permits have been given
///   back, and every call has returned.
/// Allocates: nothing.
class async_semaphore {
public:
    explicit async_semaphore(std::size_t limit) noexcept
        : limit_(limit), available_(static_cast<std::ptrdiff_t>(limit)) {}
    async_semaphore(const async_semaphore&) = delete;
    async_semaphore& operator=(const async_semaphore&) = delete;

    /// `co_await s.acquire(n)` waits for `n` permits. Gives none once the semaphore is closed. A request for more
    /// than the limit waits until that is raised.
    detail::semaphore_waiter acquire(std::size_t n = 1) noexcept;

    /// `n` permits if there are so many and nobody waits, or none.
    async_permit try_acquire(std::size_t n = 1) noexcept;

    /// Changes how many permits there are. Those who wait profit at once; if there are now fewer than are held,
    /// nothing is taken away, and permits that are given back make up for it first.
    void set_limit(std::size_t limit) noexcept;
    std::size_t limit() const noexcept;

    /// How many can be acquired; others may change that at any time.
    std::size_t available() const noexcept;

    /// No more acquiring: whoever waits, and whoever comes, gets none. Permits that are held stay valid. Idempotent.
    void close() noexcept;

private:
    friend async_permit;
    friend detail::semaphore_waiter;

    void give_back(std::size_t n) noexcept;
    bool take(std::size_t n) noexcept;
    bool begin_acquire(detail::semaphore_waiter& w) noexcept;
    void withdraw(detail::semaphore_waiter& w) noexcept;
    void serve(detail::woken_list& woken) noexcept;

    mutable std::mutex mutex_;  // guards all below
    bool closed_ = false;
    std::size_t limit_;
    std::ptrdiff_t available_;  // below zero while more are held than there should be
    detail::wait_list<detail::semaphore_waiter> waiters_;
};

namespace detail {

class [[nodiscard]] semaphore_waiter final : public waiter {
public:
    semaphore_waiter(async_semaphore& s, std::size_t n) noexcept : semaphore_(s), wanted_(n) {}

    async_permit await_resume() const noexcept {
        return granted_ ? async_permit(semaphore_, wanted_) : async_permit();
    }

private:
    friend async_semaphore;

    bool take_or_join() noexcept override { return semaphore_.begin_acquire(*this); }
    void withdraw() noexcept override { semaphore_.withdraw(*this); }

    async_semaphore& semaphore_;
    std::size_t wanted_;
    bool granted_ = false;
};

}  // namespace detail

inline detail::semaphore_waiter async_semaphore::acquire(std::size_t n) noexcept {
    return {*this, n};
}

inline void async_permit::release() noexcept {
    if (from_ != nullptr) std::exchange(from_, nullptr)->give_back(std::exchange(count_, 0));
}

}  // namespace taskscope
