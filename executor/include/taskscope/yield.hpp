// <taskscope/yield.hpp> - giving way to other tasks, and looking whether to stop.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/await_trace.hpp>
#include <taskscope/executor.hpp>

#include <concepts>
#include <coroutine>

namespace taskscope {
namespace detail {

/// Puts a job at the end of the executor's injection queue. Any thread.
void inject(executor& home, job& j) noexcept;

class [[nodiscard]] yield_awaiter {
public:
    using taskscope_awaiter = void;

    yield_awaiter() noexcept {}
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& p = h.promise();
        if (p.context->stop.stop_requested()) return stop_here(p);
        note_suspension(p);
        inject(*p.context->home, p);
        return std::noop_coroutine();
    }
    static void await_resume() noexcept {}
};

class [[nodiscard]] checkpoint_awaiter {
public:
    using taskscope_awaiter = void;

    checkpoint_awaiter() noexcept {}
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& p = h.promise();
        if (p.context->stop.stop_requested()) return stop_here(p);
        return this_worker()->transfer(h, p);
    }
    static void await_resume() noexcept {}
};

}  // namespace detail

/// `co_await yield();` goes on after every job that is now in the injection queue was taken by a worker.
/// Stop: completes as stopped if a stop is requested before.
inline detail::yield_awaiter yield() noexcept { return {}; }

/// `co_await checkpoint();` goes on at once, unless a stop was requested: then it completes as stopped.
/// For loops that compute for long and await nothing else. A few ns.
inline detail::checkpoint_awaiter checkpoint() noexcept { return {}; }

}  // namespace taskscope
