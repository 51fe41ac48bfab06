// <taskscope/watch.hpp> - the latest value of something, and tasks that want to know when it changes.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/wait_list.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace taskscope {

template <class T>
class watch;

namespace detail {

// taskscope::watch: the base has a function of that name.
template <class T>
class [[nodiscard]] watch_waiter final : public waiter {
public:
    watch_waiter(taskscope::watch<T>& w, std::uint64_t& seen) noexcept : watch_(w), seen_(seen) {}

    std::shared_ptr<const T> await_resume() noexcept { return watch_.latest(seen_); }

private:
    friend taskscope::watch<T>;

    bool take_or_join() noexcept override { return watch_.begin_next(*this); }
    void withdraw() noexcept override { watch_.withdraw(*this); }

    taskscope::watch<T>& watch_;
    std::uint64_t& seen_;
};

}  // namespace detail

/// One value that changes, a configuration say, and observers that each see the latest.
///
///     ts::watch<config> current{load()};
///     ts::watch<config>::observer o = current.observe();
///     while (std::shared_ptr<const config> c = co_await o.next()) apply(*c);
///
/// Who is slow misses what lies between, and never sees an older value after a newer. (Who must see each of them
/// takes a broadcast.)
///
/// Stop: a next() that waits ends as stopped and leaves the line at once, and has seen nothing; one that has not begun
///   does not begin.
/// Thread safety: all members from any thread; an observer belongs to one task at a time, and must not outlive it.
///   The watch may be destroyed when nobody waits and every call has returned.
/// Allocates: one block per value.
template <class T>
class watch {
public:
    class observer {
    public:
        /// `co_await o.next()` waits until there is a value that this observer has not seen, and gives the latest; the
        /// first call gives the present one at once. nullptr once the watch is closed and its last value was seen.
        detail::watch_waiter<T> next() noexcept { return {*watch_, seen_}; }

    private:
        friend watch;
        explicit observer(watch& w) noexcept : watch_(&w) {}

        watch* watch_;
        std::uint64_t seen_ = 0;
    };

    explicit watch(T value) : value_(std::make_shared<const T>(std::move(value))) {}
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    /// Replaces the value, unless the watch is closed, and lets its observers go on.
    void set(T value) {
        auto fresh = std::make_shared<const T>(std::move(value));
        detail::woken_list woken;
        {
            const std::lock_guard lock{mutex_};
            if (closed_) return;
            value_.swap(fresh);
            ++version_;
            woken.add_all(waiters_);
        }
        woken.wake();
    }

    std::shared_ptr<const T> get() const noexcept {
        const std::lock_guard lock{mutex_};
        return value_;
    }

    observer observe() noexcept { return observer(*this); }

    /// The value stays as it is, and observers who have seen it get nullptr. Idempotent.
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
    friend detail::watch_waiter<T>;

    bool begin_next(detail::watch_waiter<T>& w) noexcept {
        const std::lock_guard lock{mutex_};
        if (closed_ || w.seen_ != version_) return true;
        waiters_.push_back(w);
        return false;
    }

    void withdraw(detail::watch_waiter<T>& w) noexcept {
        const std::lock_guard lock{mutex_};
        waiters_.remove(w);
    }

    std::shared_ptr<const T> latest(std::uint64_t& seen) const noexcept {
        const std::lock_guard lock{mutex_};
        if (std::exchange(seen, version_) == version_) return nullptr;
        return value_;
    }

    mutable std::mutex mutex_;  // guards all below
    bool closed_ = false;
    std::uint64_t version_ = 1;  // an observer that has seen nothing has seen 0
    std::shared_ptr<const T> value_;
    detail::wait_list<detail::watch_waiter<T>> waiters_;
};

}  // namespace taskscope
