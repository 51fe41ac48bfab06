// <taskscope/restart.hpp> - a worker that is begun again when it fails, unless it fails too often.
// SPDX-License-Identifier: MIT
//
//     scope.spawn(restart({.most = 5, .window = 1min}, refresh_cache));
//
// It is put around a child, and is no policy of the scope: a policy sees a child when it has completed, with its
// callable and arguments about to go, and could not begin it again.
#pragma once

#include <taskscope/current_scope.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/retry.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/with_scope.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskscope {

/// How often, and when. Trivially copyable.
struct restart_options {
    using duration = std::chrono::steady_clock::duration;

    unsigned most = 5;  ///< restarts within `window`; an error after that is final
    duration window = std::chrono::minutes(1);
    duration first_delay = std::chrono::milliseconds(100);  ///< from here on as for retry_options
    double factor = 2;
    duration longest_delay = std::chrono::seconds(30);
    double jitter = 0.5;
    std::uint64_t seed = 0;
};

namespace detail {

/// Counts restarts within a window, and says how long to wait before each.
class restart_plan {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Throws misuse_error for options that mean nothing.
    explicit restart_plan(const restart_options& o);

    /// An error at `now`: how long to wait, or nothing if it is final. After a window without errors delays begin
    /// anew.
    std::optional<restart_options::duration> next(time_point now);

private:
    backoff fresh_delays() const;

    const restart_options options_;
    backoff delays_;
    std::deque<time_point> recent_;  // at most `most`
};

template <class F>
task<> run_restart(restart_options o, F f) {
    restart_plan plan(o);
    for (;;) {
        settled<void> end;
        // The attempt is a child of a scope of its own: what it spawned has ended before the next one begins, and
        // its error is told to the handlers above like any child's.
        const auto body = [&](task_scope& s) -> task<> {
            auto attempt = s.spawn_future(f);
            auto waiting = settle(std::move(attempt).as_task());
            end = co_await std::move(waiting);
            s.request_stop();
        };
        co_await with_scope("attempt", body);
        if (end.is_stopped()) co_await just_stopped();
        if (end.has_value()) co_return;
        const auto delay = plan.next(current_scope().get_executor().now());
        if (!delay) co_return std::move(end).take();
        co_await sleep_for(*delay);
    }
}

}  // namespace detail

/// Calls a copy of `f`, which returns a task<>, and runs that as a child of a scope of its own, "attempt"; after an
/// error again, after a delay, unless there were `most` restarts within the last `window`.
///
/// Throws: the error that was final. Each error before is told to the functions for errors in the scopes above (see
///   scope_policy), but to no group: to that the worker has not failed yet. misuse_error for options that mean nothing.
/// Stop: is passed on to the attempt, or ends the delay. An attempt that completes as stopped is not repeated.
/// Allocates: per attempt a scope, a child and some frames; a place for each of `most` restarts.
/// After Erlang's supervisors, restart intensity and transient children.
template <class F>
    requires detail::makes_task<std::decay_t<F>&>
task<> restart(restart_options options, F&& f) {
    static_assert(std::is_void_v<detail::call_result_t<std::decay_t<F>&>>,
                  "taskscope: what restart() runs gives no value");
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    return detail::run_restart(options, std::decay_t<F>(std::forward<F>(f)));
}

}  // namespace taskscope
