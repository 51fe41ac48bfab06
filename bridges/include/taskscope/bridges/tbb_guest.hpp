// <taskscope/bridges/tbb_guest.hpp> - awaiting algorithms of oneTBB, which the executor's own workers run.
// SPDX-License-Identifier: MIT
//
//     tbb_guest tbb(ex);                                            // beside the executor
//     ...
//     const double sum = co_await tbb.run([&] {                     // in a task
//         return oneapi::tbb::parallel_reduce(range, 0.0, add_part, std::plus<>{});
//     });
//
// oneTBB has threads of its own, as many as there are processors; beside as many workers they would be twice too
// many. So a guest's arenas have places for workers only: one runs the function, others that have nothing to do
// join it, and no thread of oneTBB's ever enters. There are never more threads than workers that run anything.
#pragma once

#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/suspension.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/stop_token.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

class tbb_host;
class tbb_run;

/// A call that a task waits for; in the frame of the task. What outlives it is in the tbb_run.
class tbb_call {
public:
    using function = void (*)(tbb_call&) noexcept;

    tbb_call(const tbb_call&) = delete;
    tbb_call& operator=(const tbb_call&) = delete;

    /// Calls the function and keeps its result.
    void invoke() noexcept { function_(*this); }
    /// Nobody is left who runs anything of it. After this call *this may be gone.
    void end(bool stopped) noexcept;

protected:
    tbb_call(std::shared_ptr<tbb_host> host, function f) noexcept;
    ~tbb_call();

    /// Returns what await_suspend returns.
    std::coroutine_handle<> suspend(promise_base& p);

    bool failed = false;  ///< it has thrown

private:
    struct on_stop {
        tbb_call* self;
        void operator()() const noexcept;
    };

    std::shared_ptr<tbb_host> host_;
    function function_;
    std::shared_ptr<tbb_run> run_;
    suspension wait_;
    std::optional<stop_callback<on_stop>> stop_;
};

template <class F>
class [[nodiscard]] tbb_awaiter : tbb_call {
    using T = std::invoke_result_t<F>;

public:
    using taskscope_awaiter = void;

    template <class G>
    tbb_awaiter(std::shared_ptr<tbb_host> host, G&& f)
        : tbb_call(std::move(host), &tbb_awaiter::call), function_(std::forward<G>(f)) {}

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) {
        return suspend(h.promise());
    }
    T await_resume() { return result_.take(); }

private:
    static void call(tbb_call& c) noexcept {
        auto& self = static_cast<tbb_awaiter&>(c);
        self.result_.set_result_of(std::move(self.function_));
        self.failed = self.result_.how() == outcome::error;
    }

    F function_;
    result_storage<T> result_;
};

}  // namespace detail

/// Lends workers of an executor to oneTBB, for as long as a task waits for an algorithm.
///
/// Bound: at most max_concurrency() workers are lent at a time, to all calls together. A call begins when one can be
///   lent and others wait in line before it; it is joined by as many more as are free when it begins, each when it
///   has nothing else to do. A worker that has joined stays until the call is over, also when there is no work
///   left for it.
/// By default all workers but one are lent, so that one goes on with tasks, timers and I/O. With all of them
///   lent, these wait.
/// Lifetime: no longer than its executor. May be destroyed while calls are under way.
/// Thread safety: any.
class tbb_guest {
public:
    /// Lends all workers but one, and the only one.
    explicit tbb_guest(executor& host);
    /// Lends so many. Throws std::invalid_argument for none, and for more than there are.
    tbb_guest(executor& host, unsigned max_concurrency);

    unsigned max_concurrency() const noexcept;

    /// `co_await guest.run(f)` calls `f()` on a worker of the guest's executor, in an arena of its own, and gives
    /// its result or rethrows its exception. The task goes on where it is at home, when nobody is in that arena.
    ///
    /// In `f`, and in the bodies of its algorithms, current scope, task-locals and deadline are those of the
    ///   awaiting task.
    /// `f` waits for what it starts, and does not block otherwise. What it runs in other arenas has oneTBB's threads.
    /// Stop: a call that waits in line ends at once, and `f` is not called. One that runs is cancelled (its
    ///   task_group_context, and so all algorithms in it) and waited for: bodies that have begun end, others do
    ///   not begin. It then completes as stopped, whatever `f` returned; if `f` throws, with that error. A stop
    ///   that comes when `f` has returned changes nothing.
    /// Throws: what `f` throws; std::bad_alloc.
    /// Allocates: an arena and what workers need to join it.
    /// Cost: half a microsecond; where others join, the time in which they wake up and leave, some ten microseconds.
    template <class F>
        requires std::invocable<std::decay_t<F>>
    detail::tbb_awaiter<std::decay_t<F>> run(F&& f) {
        TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
        return detail::tbb_awaiter<std::decay_t<F>>(host_, std::forward<F>(f));
    }

private:
    std::shared_ptr<detail::tbb_host> host_;
};

}  // namespace taskscope
