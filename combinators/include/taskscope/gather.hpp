// <taskscope/gather.hpp> - run several tasks at once and have all their results.
// SPDX-License-Identifier: MIT
//
//     auto [user, orders] = co_await gather(load_user(id), load_orders(id));        // all, or an error
//     auto pages = co_await gather_settled(urls | std::views::transform(fetch));    // each as it ended
//
// fork_join() is the cheaper one for work that computes. These spawn: every task is a child of a scope, is seen in
// dumps, and is stopped when a sibling fails.
#pragma once

#include <taskscope/detail/tasks.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/with_scope.hpp>

#include <cstddef>
#include <exception>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

template <class T>
regular_result<T> take_gathered(settled<T>& slot) {
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(slot).take();
    }
}

/// A member of gather(). What completes as stopped leaves a hole, and the others work in vain.
template <class T>
task<> gather_one(task_group& g, settled<T>& slot, task<T> t) {
    slot = co_await settle(std::move(t));
    if (slot.is_stopped()) g.request_stop();
    if (slot.has_error()) std::rethrow_exception(slot.error());
}

template <class T>
task<> settle_into(settled<T>& slot, task<T> t) {
    slot = co_await settle(std::move(t));
}

template <class T>
task<std::vector<settled<T>>> gather_settled_all(std::vector<task<T>> tasks,
                                                 std::source_location where) {
    std::vector<settled<T>> slots(tasks.size());
    const auto body = [&](task_scope& s) -> task<> {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            s.spawn(settle_into(slots[i], std::move(tasks[i])), where);
        }
        co_return;
    };
    co_await with_scope("gather_settled", body, where);
    co_return slots;
}

/// Slots without a hole, or an exception_group; completes as stopped if there is a hole and no error.
template <class T>
task<std::vector<settled<T>>> gather_all(std::vector<task<T>> tasks, std::source_location where) {
    std::vector<settled<T>> slots(tasks.size());
    const auto body = [&](task_group& g) -> task<> {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            g.spawn(gather_one(g, slots[i], std::move(tasks[i])), where);
        }
        co_return;
    };
    co_await with_group("gather", body, where);
    for (const settled<T>& slot : slots) {
        if (slot.is_stopped()) co_await just_stopped();
    }
    co_return slots;
}

template <class T>
task<std::vector<T>> gather_values(std::vector<task<T>> tasks, std::source_location where) {
    std::vector<settled<T>> slots = co_await gather_all(std::move(tasks), where);
    std::vector<T> values;
    values.reserve(slots.size());
    for (settled<T>& slot : slots) values.push_back(std::move(slot).take());
    co_return values;
}

inline task<> gather_values(std::vector<task<>> tasks, std::source_location where) {
    const std::vector<settled<void>> all = co_await gather_all(std::move(tasks), where);
}

}  // namespace detail

/// Runs the tasks at the same time, as children of one scope. Gives a tuple of their values, with std::monostate for
/// a void, when all have ended.
///
/// Errors: the first one asks the others to stop; when all have ended, all errors are thrown together.
/// Throws: exception_group.
/// Stop: is passed on to the tasks. Completes as stopped if one of them was, and asks the others to stop then;
///   an error goes before a stop.
/// Allocates: per task a child and two frames, and the scope.
template <class... Ts>
task<std::tuple<detail::regular_result<Ts>...>> gather(task<Ts>... tasks) {
    std::tuple<settled<Ts>...> slots;
    const auto body = [&](task_group& g) -> task<> {
        std::apply(
            [&](auto&... slot) { (g.spawn(detail::gather_one(g, slot, std::move(tasks))), ...); },
            slots);
        co_return;
    };
    co_await with_group("gather", body);
    const bool hole = std::apply([](auto&... slot) { return (slot.is_stopped() || ...); }, slots);
    if (hole) co_await just_stopped();
    co_return std::apply(
        [](auto&... slot) {
            return std::tuple<detail::regular_result<Ts>...>(detail::take_gathered(slot)...);
        },
        slots);
}

/// The same for a range of tasks, in its order; a std::vector has to be moved in. Gives a std::vector of values, or
/// nothing for tasks without a value.
template <detail::task_range R>
auto gather(R&& tasks, std::source_location where = std::source_location::current()) {
    return detail::gather_values(detail::take_tasks(std::forward<R>(tasks)), where);
}

/// Runs the tasks at the same time and gives a tuple that says of each how it ended. None stops the others.
///
/// Stop: is passed on to the tasks, and what they have is given nevertheless: values of those that were done,
///   `is_stopped()` for the others. The caller's next suspension sees the stop.
/// Allocates: per task a child and two frames, and the scope.
template <class... Ts>
task<std::tuple<settled<Ts>...>> gather_settled(task<Ts>... tasks) {
    std::tuple<settled<Ts>...> slots;
    const auto body = [&](task_scope& s) -> task<> {
        std::apply(
            [&](auto&... slot) { (s.spawn(detail::settle_into(slot, std::move(tasks))), ...); },
            slots);
        co_return;
    };
    co_await with_scope("gather_settled", body);
    co_return slots;
}

/// The same for a range of tasks, in its order; a std::vector has to be moved in. Gives a std::vector.
template <detail::task_range R>
auto gather_settled(R&& tasks, std::source_location where = std::source_location::current()) {
    return detail::gather_settled_all(detail::take_tasks(std::forward<R>(tasks)), where);
}

}  // namespace taskscope
