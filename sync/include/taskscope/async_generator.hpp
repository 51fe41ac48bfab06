// <taskscope/async_generator.hpp> - a coroutine that yields values to a task, and may await in between.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/yielded.hpp>
#include <taskscope/task.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <utility>

namespace taskscope {

template <class T>
class async_generator;

namespace detail {

/// Goes back to the task that asked for the next element.
struct back_to_consumer {
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& consumer = *h.promise().awaiting;
        return this_worker()->transfer(consumer.handle(), consumer);
    }
    static void await_resume() noexcept {}
};

template <class T>
class async_generator_promise : public awaiting_promise, public yielded<T, back_to_consumer> {
public:
    async_generator_promise() noexcept {
        static_assert(alignof(async_generator_promise) <= 2 * sizeof(void*),
                      "see promise_base::handle()");
    }

    async_generator<T> get_return_object() noexcept;
    void return_void() noexcept { result = outcome::value; }
};

template <class T>
class [[nodiscard]] next_awaiter {
public:
    using taskscope_awaiter = void;

    explicit next_awaiter(async_generator<T>& g) noexcept : generator_(g) {}

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        promise_base& consumer = h.promise();
        if (consumer.context->stop.stop_requested()) return stop_here(consumer);
        promise_base* const frame = generator_.frame_;
        if (frame == nullptr) return this_worker()->transfer(h, consumer);
        frame->context = consumer.context;
        frame->reports_to = completion::awaited;
        frame->awaiting = &consumer;
        frame->owner = &generator_.frame_;
        return this_worker()->transfer(frame->handle(), *frame);
    }
    T* await_resume() { return generator_.take(); }

private:
    async_generator<T>& generator_;
};

}  // namespace detail

/// A sequence of `T` whose elements are computed, by a coroutine that may await, when a task asks for them.
///
///     ts::async_generator<page> pages(client& c) {
///         for (int n = 1; n <= c.pages(); ++n) {
///             page p = co_await c.fetch(n);
///             co_yield p;
///         }
///     }
///     auto all = pages(c);
///     while (page* p = co_await all.next()) ...
///
/// It runs as part of the task that asks, between its next() and the element: on its executor, in its scope, and
/// never at the same time. Nothing is computed ahead; for that there are a channel and a child that fills it.
///
/// Made by a lambda with captures, it borrows them from the closure, which has to outlive it.
///
/// Leaving early: the generator is destroyed with whoever holds it, and with it the coroutine, which is suspended at
///   its co_yield, and its locals. Nothing has to be closed, nothing is left running.
/// Stop: a stop of the task, while the generator waits for something, unwinds first the generator and then the task.
///   next() does not begin after a stop.
/// Thread safety: none; one task at a time.
/// Allocates: its frame, from the worker's recycled memory.
template <class T>
class [[nodiscard]] async_generator {
public:
    using promise_type = detail::async_generator_promise<T>;

    async_generator(async_generator&& other) noexcept
        : frame_(std::exchange(other.frame_, nullptr)) {}
    async_generator& operator=(async_generator&& other) noexcept {
        if (this != &other) {
            destroy();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~async_generator() { destroy(); }

    /// `co_await g.next()` gives the next element: the very object that was yielded, or a copy of a constant. It lives
    /// until the one after it is asked for. nullptr when there is none, now and always. Rethrows what leaves
    /// the coroutine; then there is none any more.
    detail::next_awaiter<T> next() noexcept { return detail::next_awaiter<T>(*this); }

private:
    friend promise_type;
    friend detail::next_awaiter<T>;

    explicit async_generator(detail::promise_base* frame) noexcept : frame_(frame) {}

    void destroy() noexcept {
        if (frame_ != nullptr) std::exchange(frame_, nullptr)->destroy_suspended();
    }

    // After the coroutine has yielded or ended, or when there is none.
    T* take() {
        if (frame_ == nullptr) return nullptr;
        if (frame_->result == detail::outcome::pending) {
            return static_cast<promise_type*>(frame_)->value();
        }
        std::exception_ptr error;
        if (frame_->result == detail::outcome::error) error = frame_->error;
        destroy();
        if (error) std::rethrow_exception(std::move(error));
        return nullptr;
    }

    detail::promise_base* frame_;
};

template <class T>
async_generator<T> detail::async_generator_promise<T>::get_return_object() noexcept {
    return async_generator<T>(this);
}

}  // namespace taskscope
