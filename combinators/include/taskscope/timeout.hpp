// <taskscope/timeout.hpp> - a task that has to be done in time, or is stopped.
// SPDX-License-Identifier: MIT
//
//     page p = co_await with_timeout(200ms, fetch(url));            // or throws timeout_error
//     std::optional<page> p = co_await move_on_after(200ms, fetch(url));
//
//     deadline d(ex.now() + 1s);                                    // can be moved while it runs:
//     page p = co_await with_deadline(d, fetch(url, d));            //   d.move_to(...)
//
// Which of several reasons counts is decided by what has happened when the task has ended:
//
//     the task has a value, or an error          that is the result, however late
//     stopped, and a deadline above has passed   stopped: who set that one decides
//     stopped by our deadline                    timeout_error, or nothing
//     stopped by a stop that came before it      stopped
//
// So an inner timeout never hides an outer one, and a stop never looks like a timeout. A stop that comes after
// our deadline stays requested; the caller's next suspension sees it.
#pragma once

#include <taskscope/current_scope.hpp>
#include <taskscope/deadline.hpp>
#include <taskscope/detail/time.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>

#include <chrono>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace taskscope {

/// Thrown by with_timeout() and with_deadline() when the time they were given was over.
class timeout_error : public std::runtime_error {
public:
    explicit timeout_error(std::source_location where);

    /// Where the timeout was set: tells nested ones apart.
    std::source_location where() const noexcept { return where_; }

private:
    std::source_location where_;
};

namespace detail {

// What a deadline is made of: one of the caller's own, a time, or a duration from when the task starts.
inline deadline& make_limit(deadline* d) noexcept { return *d; }
inline deadline make_limit(deadline::clock::time_point at) noexcept { return deadline(at); }
template <class Rep, class Period>
deadline make_limit(std::chrono::duration<Rep, Period> d) {
    return deadline(saturating_add(current_scope().get_executor().now(), d));
}

/// Of a task that was stopped: whether the reason was `d`, and nobody above has run out of time as well.
inline bool timed_out(const deadline& d) noexcept {
    return d.expired() && remaining() > deadline::clock::duration::zero();
}

template <class T, class Limit>
task<T> run_or_throw(Limit limit, task<T> t, std::source_location where) {
    decltype(auto) d = make_limit(limit);
    settled<T> end = co_await settle_by(d, std::move(t));
    if (end.is_stopped()) {
        if (timed_out(d)) throw timeout_error(where);
        co_await just_stopped();
    }
    co_return std::move(end).take();
}

template <class T>
using value_in_time = std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>;

template <class T, class Limit>
task<value_in_time<T>> run_or_move_on(Limit limit, task<T> t) {
    decltype(auto) d = make_limit(limit);
    settled<T> end = co_await settle_by(d, std::move(t));
    if (end.is_stopped()) {
        if (timed_out(d)) co_return value_in_time<T>();
        co_await just_stopped();
    }
    if constexpr (std::is_void_v<T>) {
        std::move(end).take();
        co_return true;
    } else {
        co_return value_in_time<T>(std::move(end).take());
    }
}

}  // namespace detail

/// Runs `t`, and asks it to stop when `d`, counted from the await, is over. Gives its value, rethrows its error.
///
/// Throws: timeout_error when `t` has ended after it was stopped for that; it is always waited for.
/// Effects: a task that never suspends is not interrupted, and its result counts. With no time at all `t` runs to
///   its first suspension.
/// Stop: is passed on to `t`; completes as stopped if `t` was, for any reason but our timeout.
/// Allocates: a frame, and a place in the executor's timer queue.
template <class Rep, class Period, class T>
task<T> with_timeout(std::chrono::duration<Rep, Period> d, task<T> t,
                     std::source_location where = std::source_location::current()) {
    return detail::run_or_throw(d, std::move(t), where);
}

/// The same with an absolute time, by the clock of the executor.
template <class T>
task<T> with_deadline(deadline::clock::time_point at, task<T> t,
                      std::source_location where = std::source_location::current()) {
    return detail::run_or_throw(at, std::move(t), where);
}

/// The same with a deadline that the caller, or the task, can move. It serves one task.
/// Throws: also misuse_error if `d` was used before.
template <class T>
task<T> with_deadline(deadline& d, task<T> t,
                      std::source_location where = std::source_location::current()) {
    return detail::run_or_throw(&d, std::move(t), where);
}

/// As with_timeout(), but gives nothing when the time was over. For a task<void>: whether it was done in time.
template <class Rep, class Period, class T>
task<detail::value_in_time<T>> move_on_after(std::chrono::duration<Rep, Period> d, task<T> t) {
    return detail::run_or_move_on(d, std::move(t));
}

/// As with_deadline(), but gives nothing when the time was over.
template <class T>
task<detail::value_in_time<T>> move_on_at(deadline::clock::time_point at, task<T> t) {
    return detail::run_or_move_on(at, std::move(t));
}
template <class T>
task<detail::value_in_time<T>> move_on_at(deadline& d, task<T> t) {
    return detail::run_or_move_on(&d, std::move(t));
}

}  // namespace taskscope
