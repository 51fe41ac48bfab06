// <taskscope/detail/spawn_here.hpp> - gives this worker to a new child, and oneself to whoever wants to go on.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/watcher.hpp>

#include <concepts>
#include <coroutine>
#include <utility>

namespace taskscope::detail {

class [[nodiscard]] spawn_here_awaiter {
public:
    using taskscope_awaiter = void;

    explicit spawn_here_awaiter(promise_base& child) noexcept : child_(&child) {}
    spawn_here_awaiter(const spawn_here_awaiter&) = delete;
    spawn_here_awaiter& operator=(const spawn_here_awaiter&) = delete;
    /// Not awaited: spawned nevertheless.
    ~spawn_here_awaiter() {
        if (child_ != nullptr) schedule(*child_->context->home, *child_);
    }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& child = *std::exchange(child_, nullptr);
        promise_base& caller = h.promise();
        worker& w = *this_worker();
        const bool same_context = child.context == caller.context;
        if (child.context->home != caller.context->home) {
            schedule(*child.context->home, child);
            return w.transfer(h, caller);
        }
        const bool watched = is_watched(w);
        let_go(w, caller.awaits_at);
        // After this line another worker may run the caller, and *this may be gone.
        w.push(caller);
        // Another context, a stop to be unwound, or a child that is watched, is for the loop.
        if (!same_context || watched || child.result != outcome::pending) return w.bounce(child);
        return w.transfer(child.handle(), child);
    }
    static void await_resume() noexcept {}

private:
    promise_base* child_;
};

}  // namespace taskscope::detail
