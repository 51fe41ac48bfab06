// <taskscope/detail/contract.hpp> - how a broken contract is reported, and misuse that compilers can see.
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace taskscope::detail {

/// Prints `taskscope: <message>` on standard error and calls std::terminate().
[[noreturn, gnu::cold]] void contract_violation(std::string_view message) noexcept;

inline void contract_check(bool holds, std::string_view message) noexcept {
    if (!holds) [[unlikely]]
        contract_violation(message);
}

/// Whether `T` is the type of a lambda expression.
template <class T>
consteval bool is_closure() {
    const std::string_view name = __PRETTY_FUNCTION__;
    return name.find("(lambda at") != name.npos || name.find("<lambda(") != name.npos;
}

/// Whether an rvalue argument of type `F` is destroyed twice when it is written inside an expression
/// that contains co_await. g++ 12 does so to closures and aggregates that are not trivially copyable.
template <class F>
consteval bool unsafe_inside_await() {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    using T = std::remove_cvref_t<F>;
    if constexpr (std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<T>) {
        return false;
    } else {
        return std::is_aggregate_v<T> || is_closure<T>();
    }
#else
    return false;
#endif
}

}  // namespace taskscope::detail

/// For functions of ours whose result is awaited: refuses what g++ 12 would destroy twice.
#define TASKSCOPE_CHECK_AWAIT_ARGUMENT(F)                                                   \
    static_assert(                                                                          \
        !::taskscope::detail::unsafe_inside_await<F>(),                                     \
        "taskscope: g++ 12 destroys this temporary twice inside a co_await expression. "    \
        "Give it a name first: `auto f = [x] {...}; co_await run_blocking(std::move(f));` " \
        "(docs/gcc12.md)")
