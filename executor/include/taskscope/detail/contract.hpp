// <taskscope/detail/contract.hpp> - how a broken contract is reported, and misuse that compilers can see.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
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

/// Whether `T` is the type of a lambda expression, and not one that merely has one in its name.
template <class T>
consteval bool is_closure() {
    std::string_view name = __PRETTY_FUNCTION__;
    name.remove_prefix(name.find("T = ") + 4);
    if (name.starts_with("(lambda at")) return true;  // clang
    int open = 0;                                     // g++: main()::<lambda(int)>
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (open == 0 && name.substr(i).starts_with("<lambda(")) return true;
        if (name[i] == '<') ++open;
        if (name[i] == '>') --open;
    }
    return false;
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
#define TASKSCOPE_CHECK_AWAIT_ARGUMENT(F)                                                  \
    static_assert(                                                                         \
        !::taskscope::detail::unsafe_inside_await<F>(),                                    \
        "taskscope: g++ 12 destroys this temporary twice inside a co_await expression. "   \
        "Give it a name first and pass that: `auto f = [x] {...}; co_await "               \
        "run_blocking(f);`, or `std::ref(f)` if it cannot be copied. Not `std::move(f)`, " \
        "which looks the same from here. (docs/gcc12.md)")
