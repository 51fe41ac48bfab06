// <taskscope/detail/tasks.hpp> - what combinators say about tasks: ranges of them, and calls that make one.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/task.hpp>

#include <concepts>
#include <functional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope::detail {

template <class T>
concept any_task =
    requires { typename T::value_type; } && std::same_as<T, task<typename T::value_type>>;

/// A range whose elements are tasks: a std::vector of them, or a view that makes them.
template <class R>
concept task_range =
    std::ranges::input_range<R> && any_task<std::remove_cvref_t<std::ranges::range_value_t<R>>>;

template <task_range R>
using range_result_t = typename std::ranges::range_value_t<R>::value_type;

/// Takes the tasks out of the range: one that holds them has to be an rvalue.
template <task_range R>
std::vector<std::ranges::range_value_t<R>> take_tasks(R&& range) {
    std::vector<std::ranges::range_value_t<R>> tasks;
    if constexpr (std::ranges::sized_range<R>) tasks.reserve(std::ranges::size(range));
    for (auto&& t : range) tasks.push_back(std::move(t));
    return tasks;
}

template <class T, class... Ts>
std::vector<task<T>> list_tasks(task<T> first, task<Ts>... others) {
    std::vector<task<T>> tasks;
    tasks.reserve(1 + sizeof...(Ts));
    tasks.push_back(std::move(first));
    (tasks.push_back(std::move(others)), ...);
    return tasks;
}

/// What calling `F` with `Args` runs: U if it returns task<U>.
template <class F, class... Args>
    requires any_task<std::invoke_result_t<F, Args...>>
using call_result_t = typename std::invoke_result_t<F, Args...>::value_type;

template <class F, class... Args>
concept makes_task = std::invocable<F, Args...> && any_task<std::invoke_result_t<F, Args...>>;

/// Calls `f` in a coroutine: what it throws before it is one itself becomes the task's error. `f` outlives it.
template <makes_task F>
task<call_result_t<F>> call_inside(F& f) {
    co_return co_await f();
}

}  // namespace taskscope::detail
