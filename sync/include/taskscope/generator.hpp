// <taskscope/generator.hpp> - a coroutine that yields values to a loop, and awaits nothing.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/yielded.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <type_traits>
#include <utility>

namespace taskscope {

template <class T>
class generator;

namespace detail {

template <class T>
class generator_promise : public yielded<T, std::suspend_always> {
public:
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        free_frame(memory, bytes);
    }

    generator<T> get_return_object() noexcept;
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    [[noreturn]] static void unhandled_exception() { throw; }

    template <class A>
    std::suspend_never await_transform(A&&) {
        static_assert(!std::same_as<A, A>,
                      "taskscope: a generator awaits nothing. Make it an async_generator.");
        return {};
    }
};

}  // namespace detail

/// A sequence of `T` whose elements are computed when the loop asks for them.
///
///     ts::generator<int> first(int n) {
///         for (int i = 0; i < n; ++i) co_yield i;
///     }
///     for (int i : first(3)) ...
///
/// An element is the very object that was yielded, or a copy of a constant, and lives until the next is asked for. An
/// exception of the coroutine comes out of begin() or ++, and the sequence is over. Whoever leaves the loop early
/// destroys the generator, and with it the coroutine and its locals. A subset of std::generator (C++23,
/// [coro.generator]): no elements_of, and `T` is the element, not a reference.
///
/// Made by a lambda with captures, it borrows them from the closure, which has to outlive it.
///
/// Thread safety: none; but it may be used on one thread after the other, and outside of tasks.
/// Allocates: its frame, from the worker's recycled memory.
template <class T>
class [[nodiscard]] generator {
public:
    using promise_type = detail::generator_promise<T>;

    class iterator {
    public:
        using value_type = std::remove_cv_t<T>;
        using difference_type = std::ptrdiff_t;

        T& operator*() const noexcept { return *coroutine_.promise().value(); }
        T* operator->() const noexcept { return coroutine_.promise().value(); }
        iterator& operator++() {
            coroutine_.resume();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept {
            return i.coroutine_.done();
        }

    private:
        friend generator;
        explicit iterator(std::coroutine_handle<promise_type> c) noexcept : coroutine_(c) {}
        std::coroutine_handle<promise_type> coroutine_;
    };

    generator(generator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        if (this != &other) {
            if (coroutine_) coroutine_.destroy();
            coroutine_ = std::exchange(other.coroutine_, nullptr);
        }
        return *this;
    }
    ~generator() {
        if (coroutine_) coroutine_.destroy();
    }

    /// Computes the first element. Once: the sequence cannot be begun again.
    iterator begin() {
        coroutine_.resume();
        return iterator(coroutine_);
    }
    static std::default_sentinel_t end() noexcept { return {}; }

private:
    friend promise_type;
    explicit generator(std::coroutine_handle<promise_type> c) noexcept : coroutine_(c) {}

    std::coroutine_handle<promise_type> coroutine_;
};

template <class T>
generator<T> detail::generator_promise<T>::get_return_object() noexcept {
    return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
}

}  // namespace taskscope
