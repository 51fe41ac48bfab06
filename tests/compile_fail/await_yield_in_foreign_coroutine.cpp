// tests/compile_fail/await_yield_in_foreign_coroutine.cpp - our awaiters know only our tasks.
// SPDX-License-Identifier: MIT
//
// expect: await_suspend
#include <taskscope/yield.hpp>

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

foreign_task body() { co_await taskscope::yield(); }
