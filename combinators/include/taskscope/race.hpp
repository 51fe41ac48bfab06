// <taskscope/race.hpp> - run several tasks at once; the first one decides, and the others are stopped.
// SPDX-License-Identifier: MIT
//
//     auto won = co_await race(first_success, ask(mirror_a), ask(mirror_b));        // won.value, won.index
//     auto won = co_await staggered_race(250ms, connect(v6), connect(v4));          // happy eyeballs
//     auto won = co_await hedge({.after = 50ms}, [&] { return ask(mirror); });      // the same again, if it is slow
//
// The losers are stopped and waited for before the race is over. Every error has one place to go: those from before
// the decision come with the result, or are thrown together when nobody won; those from after it go to the handler
// of the scope.
#pragma once

#include <taskscope/detail/contest.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/detail/time.hpp>
#include <taskscope/errors.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {

/// Mode of a race: the first value wins. Errors and stops of contenders decide nothing, while others run.
struct first_success_t {
    explicit first_success_t() = default;
};
inline constexpr first_success_t first_success{};

/// Mode of a race: the first to complete decides, also with an error, or stopped.
struct first_completion_t {
    explicit first_completion_t() = default;
};
inline constexpr first_completion_t first_completion{};

template <class M>
concept race_mode = std::same_as<M, first_success_t> || std::same_as<M, first_completion_t>;

/// How to hedge. Trivially copyable.
struct hedge_options {
    unsigned most = 2;  ///< attempts in all; at least 1
    std::chrono::steady_clock::duration
        after{};  ///< how long each may take before the next one starts
};

namespace detail {

template <class T>
task<race_result<T>> race_tasks(std::vector<task<T>> tasks, bool first_success,
                                std::optional<std::chrono::steady_clock::duration> stagger,
                                std::source_location where) {
    if (tasks.empty()) {
        throw misuse_error("taskscope: a race was given no contenders, so nobody can win it");
    }
    const std::size_t contenders = tasks.size();
    auto start = [tasks = std::move(tasks)](std::size_t i) mutable { return std::move(tasks[i]); };
    return run_race<T>(contenders, std::move(start), first_success, stagger, where);
}

template <class F>
task<race_result<call_result_t<F&>>> run_hedge(hedge_options o, F f, std::source_location where) {
    if (o.most == 0) throw misuse_error("taskscope: hedge() was given no attempts");
    const auto start = [&f](std::size_t) { return call_inside(f); };
    co_return co_await run_race<call_result_t<F&>>(o.most, start, true, o.after, where);
}

template <race_mode M>
inline constexpr bool needs_success = std::same_as<M, first_success_t>;

}  // namespace detail

/// Runs the tasks at the same time, as children of one scope, until one decides; stops the others, and waits for
/// them. They all give the same type.
///
/// Returns: the winner's value, its index, and the errors from before.
/// Throws: in the mode first_success exception_group when nobody has won and somebody has failed; in the mode
///   first_completion the error that came first, as it is.
/// Errors: those of losers, from after the decision, go to the error handler.
/// Stop: is passed on to the tasks. Completes as stopped if nobody has won or failed, and, in the mode
///   first_completion, if the first one to complete was stopped.
/// Allocates: per task a child and two frames, and the scope.
template <race_mode Mode, class T, class... Ts>
    requires(std::same_as<T, Ts> && ...)
task<race_result<T>> race(Mode, task<T> first, task<Ts>... others) {
    return detail::race_tasks(detail::list_tasks(std::move(first), std::move(others)...),
                              detail::needs_success<Mode>, {}, std::source_location::current());
}

/// The same for a range of tasks; a std::vector has to be moved in. Throws: misuse_error if it is empty.
template <race_mode Mode, detail::task_range R>
auto race(Mode, R&& tasks, std::source_location where = std::source_location::current()) {
    return detail::race_tasks(detail::take_tasks(std::forward<R>(tasks)),
                              detail::needs_success<Mode>, {}, where);
}

/// As race(first_success, ...), but starts the tasks one after the other: the next one when the one before has
/// failed, or was given `delay`. Tasks whose turn does not come are destroyed unrun. As in RFC 8305, section 5.
template <class Rep, class Period, class T, class... Ts>
    requires(std::same_as<T, Ts> && ...)
task<race_result<T>> staggered_race(std::chrono::duration<Rep, Period> delay, task<T> first,
                                    task<Ts>... others) {
    return detail::race_tasks(detail::list_tasks(std::move(first), std::move(others)...), true,
                              detail::saturated(delay), std::source_location::current());
}

/// The same for a range of tasks; a std::vector has to be moved in. Throws: misuse_error if it is empty.
template <class Rep, class Period, detail::task_range R>
auto staggered_race(std::chrono::duration<Rep, Period> delay, R&& tasks,
                    std::source_location where = std::source_location::current()) {
    return detail::race_tasks(detail::take_tasks(std::forward<R>(tasks)), true,
                              detail::saturated(delay), where);
}

/// Calls `f`, which returns a task, and calls it again when the attempt before has failed, or takes longer than
/// `after`; the first value wins. Against the slow one of many servers, for work that may be done twice.
///
/// Returns, Errors, Stop: as race(first_success, ...). What `f` throws is an error of that attempt.
/// Throws: exception_group; misuse_error for no attempts.
template <class F>
    requires detail::makes_task<std::decay_t<F>&>
auto hedge(hedge_options options, F&& f,
           std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    return detail::run_hedge(options, std::decay_t<F>(std::forward<F>(f)), where);
}

}  // namespace taskscope
