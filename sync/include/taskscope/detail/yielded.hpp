// <taskscope/detail/yielded.hpp> - where a generator's consumer finds what was yielded.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <type_traits>

namespace taskscope::detail {

/// A part of a generator's promise: what `co_yield` does. `Awaiter` suspends and lets the consumer go on.
template <class T, class Awaiter>
class yielded {
    static_assert(std::is_object_v<T>,
                  "taskscope: a generator yields objects; of a pointer, if not");

public:
    Awaiter yield_value(T& value) noexcept {
        value_ = std::addressof(value);
        return {};
    }
    Awaiter yield_value(T&& value) noexcept
        requires(!std::is_const_v<T>)
    {
        static_assert(
            !unsafe_inside_await<T>(),
            "taskscope: g++ 12 destroys this temporary twice inside a co_yield expression. "
            "Give it a name and yield that. (docs/gcc12.md)");
        value_ = std::addressof(value);
        return {};
    }
    auto yield_value(const T& value)
        requires(!std::is_const_v<T> && std::copy_constructible<T>)
    {
        return copy(*this, value);
    }

    /// What was yielded last; it lives until the coroutine goes on.
    T* value() const noexcept { return value_; }

private:
    // The consumer may change what it gets, so it gets a copy of what must not be changed.
    class copy : public Awaiter {
    public:
        copy(yielded& where, const T& value) : where_(where), value_(value) {}

        template <class Promise>
        auto await_suspend(std::coroutine_handle<Promise> h) noexcept {
            where_.value_ = std::addressof(value_);
            return Awaiter::await_suspend(h);
        }

    private:
        yielded& where_;
        T value_;
    };

    T* value_ = nullptr;
};

}  // namespace taskscope::detail
