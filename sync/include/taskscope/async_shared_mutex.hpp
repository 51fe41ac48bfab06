// <taskscope/async_shared_mutex.hpp> - many readers or one writer; the others wait suspended and in line.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/guard.hpp>
#include <taskscope/detail/wait_list.hpp>

#include <cstddef>
#include <mutex>

namespace taskscope {

class async_shared_mutex;

namespace detail {
class reader_or_writer;
class shared_mutex_writer;
class shared_mutex_reader;
}  // namespace detail

/// Held by one task exclusively, or by any number of tasks together.
///
///     const ts::async_shared_mutex::shared_guard reading = co_await m.lock_shared();
///     const ts::async_shared_mutex::guard writing = co_await m.lock();
///
/// Order: one line for readers and writers, first come, first served. A writer that waits is preferred to all readers
///   who come later, so it is not starved by them; nor are readers starved by writers who come later. Readers next to
///   each other in the line go on together.
/// Stop: a wait ends as stopped and leaves the line at once, so that readers behind a stopped writer may go on; one
///   that has not begun does not begin. A stopped owner unlocks when its guard is destroyed.
/// Not recursive: a reader that locks again waits behind the writers that wait for it.
/// Thread safety: all members from any thread. It may be destroyed when it is free, nobody waits, and every call
///   has returned; destroyed earlier it terminates with a message.
/// Allocates: nothing.
class async_shared_mutex {
    void release() noexcept;
    void release_shared() noexcept;

public:
    using guard = detail::guard<async_shared_mutex, &async_shared_mutex::release>;
    using shared_guard = detail::guard<async_shared_mutex, &async_shared_mutex::release_shared>;

    async_shared_mutex() noexcept = default;
    async_shared_mutex(const async_shared_mutex&) = delete;
    async_shared_mutex& operator=(const async_shared_mutex&) = delete;
    ~async_shared_mutex();

    /// `co_await m.lock()` waits until the mutex is the caller's alone, and gives its guard.
    detail::shared_mutex_writer lock() noexcept;

    /// `co_await m.lock_shared()` waits until the caller is one of its readers, and gives its guard.
    detail::shared_mutex_reader lock_shared() noexcept;

    /// A guard that holds the mutex, if nobody held it or waited for it, or nothing.
    guard try_lock() noexcept;

    /// A guard that holds the mutex, if no writer held it and nobody waited for it, or nothing.
    shared_guard try_lock_shared() noexcept;

private:
    friend detail::reader_or_writer;
    friend detail::shared_mutex_writer;
    friend detail::shared_mutex_reader;

    guard held() noexcept { return guard(*this); }
    shared_guard held_shared() noexcept { return shared_guard(*this); }
    bool take(bool exclusive) noexcept;
    bool begin_lock(detail::reader_or_writer& w) noexcept;
    void withdraw(detail::reader_or_writer& w) noexcept;
    void serve(detail::woken_list& woken) noexcept;

    std::mutex mutex_;  // guards all below
    bool writing_ = false;
    std::size_t readers_ = 0;
    detail::wait_list<detail::reader_or_writer> waiters_;
};

namespace detail {

class reader_or_writer : public waiter {
protected:
    reader_or_writer(async_shared_mutex& m, bool exclusive) noexcept
        : mutex_(m), exclusive_(exclusive) {}

    async_shared_mutex& mutex_;

private:
    friend async_shared_mutex;

    bool take_or_join() noexcept override { return mutex_.begin_lock(*this); }
    void withdraw() noexcept override { mutex_.withdraw(*this); }

    const bool exclusive_;
};

class [[nodiscard]] shared_mutex_writer final : public reader_or_writer {
public:
    explicit shared_mutex_writer(async_shared_mutex& m) noexcept : reader_or_writer(m, true) {}
    async_shared_mutex::guard await_resume() const noexcept { return mutex_.held(); }
};

class [[nodiscard]] shared_mutex_reader final : public reader_or_writer {
public:
    explicit shared_mutex_reader(async_shared_mutex& m) noexcept : reader_or_writer(m, false) {}
    async_shared_mutex::shared_guard await_resume() const noexcept { return mutex_.held_shared(); }
};

}  // namespace detail

inline detail::shared_mutex_writer async_shared_mutex::lock() noexcept {
    return detail::shared_mutex_writer(*this);
}
inline detail::shared_mutex_reader async_shared_mutex::lock_shared() noexcept {
    return detail::shared_mutex_reader(*this);
}

}  // namespace taskscope
