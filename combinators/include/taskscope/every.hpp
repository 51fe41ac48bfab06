// <taskscope/every.hpp> - a function called at regular times, on an absolute schedule.
// SPDX-License-Identifier: MIT
//
//     timers.spawn(every(1s, missed_tick::skip, refresh_cache));
//
// Ticks are due at start, start + period, start + 2 periods, ...: what one takes does not shift the next. What happens
// when one is not through when the next is due, is a policy. With a period of 10, and a tick at 0 that takes 25:
//
//     overlap          begins   0  10  20  30  40    whatever else runs
//     skip             begins   0          30  40    10 and 20 are missed
//     coalesce         begins   0        25  30  40  10 is missed, 20 is late
//     burst            begins   0   25 25  30  40    10 and 20 are late
//     delay            begins   0     25     35  45  10 is late, and the schedule starts anew
//     cancel_previous  begins   0  10  20  30  40    each is stopped, and waited for, when the next is due
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/chance.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/detail/time.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/with_scope.hpp>
#include <taskscope/yield.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {

/// What happens to ticks that are due while one is running.
enum class missed_tick {
    overlap,   ///< they begin nevertheless
    skip,      ///< they do not happen
    coalesce,  ///< one of them happens, when the running one has ended
    burst,     ///< they all happen, one after the other, until the timer has caught up
    delay,  ///< one happens, when the running one has ended, and the schedule is counted from there
    cancel_previous,  ///< the running one is stopped, and waited for
};

/// Figures of a timer. Read while it runs, each is right for some moment of its own.
struct timer_counts {
    detail::atomic<std::uint64_t> ticks{0};    ///< that have begun
    detail::atomic<std::uint64_t> late{0};     ///< of these, that began later than they should
    detail::atomic<std::uint64_t> missed{0};   ///< that were due and did not happen
    detail::atomic<std::uint64_t> stopped{0};  ///< that were stopped for the next one
};

/// What a timer does. Trivially copyable.
struct timer_options {
    using duration = std::chrono::steady_clock::duration;

    duration period{};  ///< more than 0
    missed_tick when_missed = missed_tick::skip;
    duration first{};  ///< when the first tick is due, after the start; 0: at once
    duration
        jitter{};  ///< each tick begins up to so much after it is due, by chance; less than the period
    std::uint64_t most_at_once =
        0;  ///< with overlap: ticks that are due while so many run are missed; 0: no limit
    duration
        late_after{};  ///< how much later than planned is counted as late; 0: a tenth of the period
    timer_counts* counts = nullptr;  ///< kept up to date, if given; outlives the timer
    std::uint64_t seed = 0;          ///< of the chance; 0: another one for each timer
    std::string_view name = {};      ///< of the scope of its ticks; "every" if empty. Copied
};

namespace detail {

/// When ticks are due, and which are missed.
class tick_schedule {
public:
    using duration = timer_options::duration;

    /// Throws misuse_error for options that mean nothing.
    tick_schedule(const timer_options& o, clock::time_point start);

    /// When the next tick is to begin.
    clock::time_point next() const noexcept { return planned_; }
    /// It begins.
    void begins(clock::time_point now) noexcept;
    /// It is over, as far as the next one is concerned.
    void ends(clock::time_point now) noexcept;
    /// The one before was stopped for the one that is about to begin; that may have taken so long that others came
    /// due.
    void stopped_previous(clock::time_point now) noexcept;
    /// It does not happen.
    void misses() noexcept;

private:
    void plan() noexcept;
    void miss(std::int64_t n) noexcept;
    void count(atomic<std::uint64_t> timer_counts::* which, std::int64_t n = 1) noexcept;

    const timer_options options_;
    chance chance_;
    clock::time_point due_;      // of the next tick, or of the one that is running
    clock::time_point planned_;  // the same with jitter
};

/// What a tick is: a child of the timer. By pointer: a coroutine whose first parameter is a closure counts as
/// that closure's own, which could be gone.
template <class F>
task<> tick(F* f) {
    if constexpr (any_task<std::invoke_result_t<F&>>) {
        co_await (*f)();
    } else {
        (*f)();
        co_return;
    }
}

template <class F>
task<> run_timer(timer_options o, std::string name, F f, std::source_location where) {
    const auto body = [&](task_scope& ticks) -> task<> {
        executor& ex = ticks.get_executor();
        async_event closing;  // nothing new may begin
        const auto set_closing = [&closing] { closing.set(); };
        const stop_callback on_close(ticks.closing_token(), set_closing);
        std::optional<child_handle<void>> running;
        tick_schedule schedule(o, ex.now());
        for (;;) {
            const bool closed = co_await closing.wait_until(schedule.next());
            if (closed) co_return;
            const bool overlaps = o.when_missed == missed_tick::overlap;
            if (overlaps && o.most_at_once != 0 &&
                ticks.counts().live > o.most_at_once) {  // we are one of them
                schedule.misses();
                continue;
            }
            if (running && !running->done()) {
                running->request_stop();
                const settled<void> end = co_await settle(std::move(*running).as_task());
                co_await checkpoint();  // it may be we who are stopped
                schedule.stopped_previous(ex.now());
            }
            schedule.begins(ex.now());
            child_handle<void> h = ticks.spawn_future({"tick", where}, tick(&f));
            if (o.when_missed == missed_tick::cancel_previous) {
                running.emplace(std::move(h));
            } else if (!overlaps) {
                const settled<void> end = co_await settle(std::move(h).as_task());
            }
            schedule.ends(ex.now());
        }
    };
    co_await with_scope(name, body, where);
}

}  // namespace detail

/// A task that calls `f`, which returns a task or does its work at once, at regular times, until it is stopped.
///
///     timers.spawn(every({.period = 1s, .when_missed = missed_tick::coalesce, .counts = &figures}, refresh));
///
/// Effects: each tick is a child of a scope of the timer's own. The timer ends when the scope it is in is closed; a
///   tick that is running is waited for.
/// Errors: of a tick go to the handler of the scope, as those of any child, and the timer lives.
/// Stop: is passed on to the ticks that are running, which are waited for.
/// Throws: misuse_error, when it starts, for options that mean nothing.
/// Allocates: per tick a child and a frame.
template <class F>
    requires std::invocable<std::decay_t<F>&>
task<> every(timer_options options, F&& f,
             std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    std::string name(options.name.empty() ? "every" : options.name);
    return detail::run_timer(options, std::move(name), std::decay_t<F>(std::forward<F>(f)), where);
}
template <class Rep, class Period, class F>
    requires std::invocable<std::decay_t<F>&>
task<> every(std::chrono::duration<Rep, Period> period, missed_tick when_missed, F&& f,
             std::source_location where = std::source_location::current()) {
    timer_options options;
    options.period = detail::saturated(period);
    options.when_missed = when_missed;
    return every(options, std::forward<F>(f), where);
}

}  // namespace taskscope
