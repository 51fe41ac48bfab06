// <taskscope/await_chain.hpp> - the co_awaits between a running task and the one it was spawned as.
// SPDX-License-Identifier: MIT
//
//     for (const std::source_location& at : co_await await_chain()) log(at.file_name(), at.line());
//
// What the stack is to functions. Of suspended children others see a copy: child_info and straggler, in the scope room.
#pragma once

#include <taskscope/detail/promise.hpp>

#include <concepts>
#include <coroutine>
#include <source_location>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

std::vector<std::source_location> chain_of(promise_base& leaf);

class [[nodiscard]] await_chain_awaiter {
public:
    using taskscope_awaiter = void;

    await_chain_awaiter() noexcept {}
    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) {
        places_ = chain_of(h.promise());
        return false;
    }
    std::vector<std::source_location> await_resume() noexcept { return std::move(places_); }

private:
    std::vector<std::source_location> places_;
};

}  // namespace detail

/// `co_await await_chain()` gives the places of the co_awaits that are under way: that of itself first, then the one that
/// awaits this coroutine, and so on up to that of the task that was spawned, or given to run(). A branch of a fork_join
/// stands below the place of the fork_join, the body of with_scope() below that of with_scope().
///
/// Does not suspend, and no stop interrupts it. Throws: std::bad_alloc.
/// Complexity: linear in the number of places. Needs no option.
/// Source: async stack traces of folly; asyncio.capture_call_graph() of Python 3.14.
inline detail::await_chain_awaiter await_chain() noexcept { return {}; }

}  // namespace taskscope
