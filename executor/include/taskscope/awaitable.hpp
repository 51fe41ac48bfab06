// <taskscope/awaitable.hpp> - concepts: what co_await accepts and what it gives.
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <coroutine>
#include <utility>

namespace taskscope {

/// Has the three functions of an awaiter.
template <class A>
concept awaiter = requires(A& a, std::coroutine_handle<> h) {
    { a.await_ready() } -> std::convertible_to<bool>;
    a.await_suspend(h);
    a.await_resume();
};

/// An awaiter of this library. It knows executors and stop tokens, resumes its task where it belongs, and
/// accepts only tasks.
template <class A>
concept native_awaiter = requires { typename std::remove_cvref_t<A>::taskscope_awaiter; };

namespace detail {

template <class A>
decltype(auto) get_awaiter(A&& a) {
    if constexpr (requires { std::forward<A>(a).operator co_await(); }) {
        return std::forward<A>(a).operator co_await();
    } else if constexpr (requires { operator co_await(std::forward<A>(a)); }) {
        return operator co_await(std::forward<A>(a));
    } else {
        return std::forward<A>(a);
    }
}

}  // namespace detail

/// What `co_await` of an `A` evaluates to.
template <class A>
using await_result_t = decltype(detail::get_awaiter(std::declval<A>()).await_resume());

}  // namespace taskscope
