// <taskscope/run_blocking.hpp> - calling a function that blocks, without blocking a worker.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/await_note.hpp>
#include <taskscope/executor.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

/// A function waiting for, or running on, one of an executor's blocking threads.
struct blocking_call {
    explicit blocking_call(void (*f)(blocking_call&) noexcept) noexcept : call(f) {}
    blocking_call(const blocking_call&) = delete;
    blocking_call& operator=(const blocking_call&) = delete;

    void (*call)(blocking_call&) noexcept;
    blocking_call* next = nullptr;
    promise_base* task = nullptr;
};

/// Throws std::system_error if there is no thread and none can be started.
void start_blocking(executor& home, blocking_call& call);

template <class F>
class [[nodiscard]] blocking_awaiter : blocking_call {
    using T = std::invoke_result_t<F>;

public:
    using taskscope_awaiter = void;

    template <class G>
    explicit blocking_awaiter(std::in_place_t, G&& f)
        : blocking_call(&blocking_awaiter::invoke), function_(std::forward<G>(f)) {}

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    T await_resume() { return result_.take(); }

private:
    // noinline: the frame is published here.
    [[gnu::noinline]] std::coroutine_handle<> suspend(promise_base& p) {
        if (p.context->stop.stop_requested()) return stop_here(p);
        task = &p;
        note_suspension(p);
        start_blocking(*p.context->home, *this);
        return std::noop_coroutine();
    }

    static void invoke(blocking_call& c) noexcept {
        auto& self = static_cast<blocking_awaiter&>(c);
        try {
            if constexpr (std::is_void_v<T>) {
                std::invoke(std::move(self.function_));
                self.result_.set_value();
            } else {
                self.result_.set_value(std::invoke(std::move(self.function_)));
            }
        } catch (...) {
            self.result_.set_error(std::current_exception());
        }
    }

    F function_;
    result_storage<T> result_;
};

}  // namespace detail

/// `co_await run_blocking(f)` calls `f()` on a thread set aside for functions that block, and gives its
/// result or rethrows its exception. The task resumes on its executor.
///
/// Effects: starts a thread if none is idle and there are fewer than executor_options::blocking_threads;
///   otherwise `f` waits for its turn. Idle threads end after five seconds.
/// Stop: completes as stopped if a stop was requested before; a call that has begun is waited for.
/// Throws: what `f` throws; std::system_error if there is no thread and none can be started.
/// Allocates: a thread, perhaps.
template <class F>
    requires std::invocable<std::decay_t<F>>
detail::blocking_awaiter<std::decay_t<F>> run_blocking(F&& f) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    return detail::blocking_awaiter<std::decay_t<F>>(std::in_place, std::forward<F>(f));
}

}  // namespace taskscope
