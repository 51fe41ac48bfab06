// <taskscope/detail/stack_job.hpp> - a function call that another worker may take over while its caller stays.
// SPDX-License-Identifier: MIT
//
// The caller pushes the job, does something else, and then either finds it still in its deque, and calls the
// function itself, or waits for the thief, with its stack as it is. While it waits it helps, but only the thief,
// and only with jobs that the thief has pushed since it took ours: these are part of what we wait for (leapfrogging).
// Anything else might want a lock that a function below us on this stack holds, and wait for itself.
//
//     state      set by                     means
//     helper     the caller                 it is looking into the thief's deque
//     ending     the thief                  the function has returned: look no more
//     done       the thief                  the job is the caller's again
//
// The thief sets `done` only when it has seen no helper after `ending`. So what the helper finds was pushed while the
// function was running. A deque has older jobs at its top; the helper steals only where `base` says there are none.
//
// Source: Wagner, Calder: Leapfrogging: a portable technique for implementing efficient futures. PPoPP 1993.
#pragma once

#include <taskscope/detail/worker.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace taskscope::detail {

struct stack_job : function_job {
    stack_job(function f, task_context* c) noexcept : function_job(f), context(c) {}
    ~stack_job() {}  // `error` is destroyed by rethrow() or drop_error()
    stack_job(const stack_job&) = delete;
    stack_job& operator=(const stack_job&) = delete;

    static constexpr std::uint32_t helper = 1;
    static constexpr std::uint32_t ending = 2;
    static constexpr std::uint32_t done = 4;

    /// What the thief does around the call.
    template <class Body>
    void run(Body body) noexcept {
        worker& w = *this_worker();
        task_context* const outer = begin(w);
        try {
            body();
            failed = false;
        } catch (...) {
            ::new (&error) std::exception_ptr(std::current_exception());
            failed = true;
        }
        w.context = outer;
        end();  // After this line *this may be gone.
    }

    [[noreturn]] void rethrow() {
        const std::exception_ptr e = std::move(error);
        drop_error();
        std::rethrow_exception(e);
    }
    void drop_error() noexcept { std::destroy_at(&error); }

    task_context* context;
    atomic<worker*> thief{nullptr};
    atomic<std::uint32_t> state{0};
    // Written by the thief, and not before: each would be a store in each fork.
    std::int64_t base;  ///< the thief's jobs from here on are ours; written before `thief`
    bool failed;        ///< written before `done`, as what follows
    union {
        std::exception_ptr error;  ///< if it failed
    };

private:
    task_context* begin(worker& w) noexcept;
    void end() noexcept;
};

/// Caller: waits for the thief, and helps it.
void wait_for_thief(stack_job& j) noexcept;

}  // namespace taskscope::detail
