// <taskscope/shield.hpp> - a task that no stop from outside reaches.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/in_context.hpp>
#include <taskscope/task.hpp>

#include <utility>

namespace taskscope {
namespace detail {

struct without_stop {
    void operator()(task_context& c) const noexcept {
        c.stop = {};
        c.limit = nullptr;
    }
};

}  // namespace detail

/// `co_await shield(t)` runs `t` to its end, whoever asks the caller to stop meanwhile: scopes, handles, deadlines from
/// outside. A stop stays requested, and the caller's next suspension sees it. Within `t` no stop is requested and no
/// deadline set, until it makes one: with_timeout() inside limits it, and shields may be nested.
///
/// Returns, Throws: as `t`. Stop: see above; if `t` completes as stopped by itself, so does the caller.
/// Children that `t` spawns belong to their scope, and are stopped with that. A shutdown that gives up is not held up.
/// Allocates: one frame.
template <class T>
task<T> shield(task<T> t) {
    return detail::run_in_context(detail::without_stop{}, std::move(t));
}

}  // namespace taskscope
