// tests/compile_fail/await_task_in_foreign_coroutine.cpp - a coroutine of another library has no executor to give.
// SPDX-License-Identifier: MIT
//
// expect: await_ready
#include <taskscope/task.hpp>

#include <coroutine>

struct foreign_task {
    struct promise_type {
        foreign_task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};

foreign_task body(taskscope::task<> t) { co_await std::move(t); }
