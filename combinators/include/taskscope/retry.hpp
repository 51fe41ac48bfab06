// <taskscope/retry.hpp> - the same again after an error, later each time, and not without end.
// SPDX-License-Identifier: MIT
//
//     retry_budget budget;                                                // of everybody who talks to that server
//     retry_options patient{.attempts = 5, .first_delay = 50ms, .budget = &budget};
//     page p = co_await retry(patient, [&] { return fetch(url); });
//
// Three things keep retries from making an outage worse: delays that grow, chance in them, so that clients do not
// come back all at once; and a budget, so that with everything failing the load grows by a tenth, not threefold.
#pragma once

#include <taskscope/deadline.hpp>
#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/chance.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

namespace taskscope {

/// Bounds the retries of many callers by a part of their calls. Every retry() that begins pays `ratio` in, up to
/// `reserve` retries' worth; every retry takes one out, or does not happen.
///
/// Thread safety: all members from any thread. After Finagle's RetryBudget.
class retry_budget {
public:
    /// Begins with the whole reserve.
    explicit retry_budget(double ratio = 0.1, unsigned reserve = 10) noexcept;

    void deposit() noexcept;
    /// False if there is not enough for one retry.
    [[nodiscard]] bool try_withdraw() noexcept;
    /// How many retries it has refused.
    std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    static constexpr std::int64_t one_retry = 1'000'000;

    const std::int64_t deposit_;
    const std::int64_t most_;
    detail::atomic<std::int64_t> balance_;
    detail::atomic<std::uint64_t> refused_{0};
};

/// How often, and when. Trivially copyable.
struct retry_options {
    using duration = std::chrono::steady_clock::duration;

    unsigned attempts = 3;  ///< in all; at least 1
    duration first_delay = std::chrono::milliseconds(100);
    double factor =
        2;  ///< each delay is so many times the one before, as long as there is no chance in it
    duration longest_delay = std::chrono::seconds(30);
    double jitter = 0.5;  ///< which part of each delay is left to chance: 0 none, 1 all of it
    retry_budget* budget = nullptr;  ///< shared with others, or none
    std::uint64_t seed = 0;          ///< of the chance; 0: another one each time
};

namespace detail {

/// The delays between attempts.
class backoff {
public:
    /// Throws misuse_error for options that mean nothing.
    explicit backoff(const retry_options& o);
    retry_options::duration next() noexcept;

private:
    retry_options::duration delay_;
    retry_options options_;
    chance chance_;
};

template <class F, class Again>
task<call_result_t<F&>> run_retry(retry_options o, F f, Again again) {
    backoff delays(o);
    if (o.budget != nullptr) o.budget->deposit();
    for (unsigned attempt = 1;; ++attempt) {
        settled<call_result_t<F&>> end = co_await settle(call_inside(f));
        if (end.is_stopped()) co_await just_stopped();
        if (end.has_value() || attempt >= o.attempts || !again(end.error())) {
            co_return std::move(end).take();
        }
        const retry_options::duration delay = delays.next();
        const bool in_time = delay < remaining();
        if (!in_time || (o.budget != nullptr && !o.budget->try_withdraw())) {
            co_return std::move(end).take();
        }
        co_await sleep_for(delay);
    }
}

}  // namespace detail

/// Calls `f`, which returns a task, and runs that; after an error again, after a delay, up to options.attempts times.
/// With `again(const std::exception_ptr&)` only after errors for which it gives true.
///
/// Returns: the first value. Throws: the last error: after the last attempt, when `again` says so, when the budget
///   is used up, and when the delay would reach past the deadline of the task; misuse_error for options that mean
///   nothing. Earlier errors are seen by `again` alone.
/// Stop: is passed on to the attempt, or ends the delay. An attempt that completes as stopped is not repeated.
/// Allocates: per attempt two frames.
template <class F, class Again>
    requires detail::makes_task<std::decay_t<F>&> &&
             std::predicate<std::decay_t<Again>&, const std::exception_ptr&>
auto retry(retry_options options, F&& f, Again&& again) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Again);
    return detail::run_retry(options, std::decay_t<F>(std::forward<F>(f)),
                             std::decay_t<Again>(std::forward<Again>(again)));
}
template <class F>
    requires detail::makes_task<std::decay_t<F>&>
auto retry(retry_options options, F&& f) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    return detail::run_retry(options, std::decay_t<F>(std::forward<F>(f)),
                             [](const std::exception_ptr&) { return true; });
}

}  // namespace taskscope
