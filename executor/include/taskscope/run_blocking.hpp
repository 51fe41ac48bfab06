// <taskscope/run_blocking.hpp> - calling a function that blocks, without blocking a worker.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/suspension.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/stop_token.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

/// A function waiting for, or running on, one of an executor's blocking threads. Whoever takes it out of the line claims it:
/// a thread, which calls it, or a stop.
struct blocking_call : suspension {
    explicit blocking_call(void (*f)(blocking_call&) noexcept) noexcept : call(f) {}
    blocking_call(const blocking_call&) = delete;
    blocking_call& operator=(const blocking_call&) = delete;

    void (*call)(blocking_call&) noexcept;
    blocking_call* next = nullptr;  ///< these three: guarded by the mutex of the threads
    blocking_call* prev = nullptr;
    bool waiting = false;
};

/// Throws std::system_error if there is no thread and none can be started.
void start_blocking(executor& home, blocking_call& call);
/// A stop has claimed a call that has not begun: takes it out of the line, and its task goes on as stopped.
void withdraw_blocking(executor& home, blocking_call& call) noexcept;

template <class F>
class [[nodiscard]] blocking_awaiter : blocking_call, stop_registration {
    using T = std::invoke_result_t<F>;

public:
    using taskscope_awaiter = void;

    template <class G>
    explicit blocking_awaiter(std::in_place_t, G&& f)
        : blocking_call(&blocking_awaiter::invoke),
          stop_registration(&blocking_awaiter::on_stop),
          function_(std::forward<G>(f)) {}
    blocking_awaiter(const blocking_awaiter&) = delete;
    blocking_awaiter& operator=(const blocking_awaiter&) = delete;
    ~blocking_awaiter() { deregister(); }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    T await_resume() { return result_.take(); }

private:
    // noinline: the frame is published here.
    [[gnu::noinline]] std::coroutine_handle<> suspend(promise_base& p) {
        const stop_token stop = p.context->stop;
        if (stop.stop_requested()) return stop_here(p);
        begin(p);
        start_blocking(*p.context->home, *this);
        watch(stop);
        return arm();
    }

    static void on_stop(stop_registration& r, stop_pass&) noexcept {
        auto& self = static_cast<blocking_awaiter&>(r);
        if (!self.try_claim()) return;                        // it has begun
        withdraw_blocking(*self.task().context->home, self);  // After this line self may be gone.
    }

    static void invoke(blocking_call& c) noexcept {
        auto& self = static_cast<blocking_awaiter&>(c);
        self.result_.set_result_of(std::move(self.function_));
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
/// Stop: completes as stopped, at once, as long as `f` waits for its turn, which it then never has; a call that has
///   begun is waited for.
/// Throws: what `f` throws; std::system_error if there is no thread and none can be started.
/// Allocates: a thread, perhaps.
template <class F>
    requires std::invocable<std::decay_t<F>>
detail::blocking_awaiter<std::decay_t<F>> run_blocking(F&& f) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    return detail::blocking_awaiter<std::decay_t<F>>(std::in_place, std::forward<F>(f));
}

}  // namespace taskscope
