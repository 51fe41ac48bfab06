// <taskscope/detail/foreign.hpp> - lets a task await what knows nothing of executors.
// SPDX-License-Identifier: MIT
//
// A foreign awaitable resumes whatever handle it was given on whatever thread it likes. It is given the
// handle of a small coroutine of ours that keeps the result and then schedules the task at home.
#pragma once

#include <taskscope/awaitable.hpp>
#include <taskscope/detail/await_trace.hpp>
#include <taskscope/detail/promise.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace taskscope::detail {

template <class T>
struct foreign_promise;

template <class T>
using foreign_handle = std::coroutine_handle<foreign_promise<T>>;

struct foreign_promise_base {
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        free_frame(memory, bytes);
    }

    struct go_home {
        static bool await_ready() noexcept { return false; }
        template <class Promise>
        static void await_suspend(std::coroutine_handle<Promise> h) noexcept {
            promise_base& task = *h.promise().task;
            schedule(*task.context->home, task);  // after this line the frame of `h` may be gone
        }
        static void await_resume() noexcept {}
    };

    static std::suspend_always initial_suspend() noexcept { return {}; }
    static go_home final_suspend() noexcept { return {}; }

    promise_base* task = nullptr;
};

template <class T>
struct foreign_promise : foreign_promise_base {
    foreign_handle<T> get_return_object() noexcept {
        return foreign_handle<T>::from_promise(*this);
    }
    void unhandled_exception() noexcept { storage.set_error(std::current_exception()); }
    template <class U>
    void return_value(U&& value) {
        storage.set_value(std::forward<U>(value));
    }
    result_storage<T> storage;
};

template <>
struct foreign_promise<void> : foreign_promise_base {
    foreign_handle<void> get_return_object() noexcept {
        return foreign_handle<void>::from_promise(*this);
    }
    void unhandled_exception() noexcept { storage.set_error(std::current_exception()); }
    void return_void() noexcept { storage.set_value(); }
    result_storage<void> storage;
};

template <class T>
class [[nodiscard]] foreign_awaiter {
public:
    using taskscope_awaiter = void;

    explicit foreign_awaiter(foreign_handle<T> h) noexcept : adapter_(h) {}
    foreign_awaiter(const foreign_awaiter&) = delete;
    foreign_awaiter& operator=(const foreign_awaiter&) = delete;
    ~foreign_awaiter() { adapter_.destroy(); }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        adapter_.promise().task = &h.promise();
        note_suspension(h.promise());
        return adapter_;
    }
    T await_resume() { return adapter_.promise().storage.take(); }

private:
    foreign_handle<T> adapter_;
};

}  // namespace taskscope::detail

template <class T, class... Args>
struct std::coroutine_traits<std::coroutine_handle<taskscope::detail::foreign_promise<T>>,
                             Args...> {
    using promise_type = taskscope::detail::foreign_promise<T>;
};

namespace taskscope::detail {

template <class A>
foreign_handle<await_result_t<A>> adapt_foreign(A&& a) {
    co_return co_await std::forward<A>(a);
}

}  // namespace taskscope::detail
