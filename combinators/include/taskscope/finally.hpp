// <taskscope/finally.hpp> - cleanup that awaits, after a task, however that has ended.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/exception_group.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/shield.hpp>
#include <taskscope/stopped.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

template <class T, class Cleanup>
task<T> run_finally(task<T> body, Cleanup cleanup) {
    settled<T> end = co_await settle(std::move(body));
    settled<void> cleaned = co_await settle(shield(call_inside(cleanup)));
    if (cleaned.has_error()) {
        if (!end.has_error()) std::rethrow_exception(cleaned.error());
        std::vector<recorded_error> both{end.error(), cleaned.error()};
        throw exception_group("taskscope: a task and its cleanup failed", std::move(both));
    }
    if (end.is_stopped() || cleaned.is_stopped()) co_await just_stopped();
    co_return std::move(end).take();
}

}  // namespace detail

/// `co_await finally(t, cleanup)` runs `t`, and then what `cleanup()` gives, a task<>, in a shield: also when `t` failed
/// or was stopped. RAII is for cleanup that need not await; this is for the rest.
///
/// Returns: the value of `t`. Throws: its error, or the cleanup's; an exception_group of both if both failed.
/// Stop: is passed on to `t`, not to the cleanup: give that a time limit of its own, with_timeout() inside it. If `t`
///   was stopped the caller completes as stopped after the cleanup.
/// Allocates: four frames.
template <class T, class Cleanup>
    requires detail::makes_task<std::decay_t<Cleanup>&>
auto finally(task<T> t, Cleanup&& cleanup) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Cleanup);
    return detail::run_finally(std::move(t), std::decay_t<Cleanup>(std::forward<Cleanup>(cleanup)));
}

}  // namespace taskscope
