// <taskscope/fork_join.hpp> - run several tasks, possibly in parallel, and go on when all have ended.
// SPDX-License-Identifier: MIT
//
//     auto [a, b] = co_await fork_join(fib(n - 1), fib(n - 2));
//     std::vector<long> v = co_await fork_join(std::views::iota(0, 1000) | std::views::transform(leaf));
//
// How it stays as cheap as two plain awaits while nobody steals: detail/promise.hpp, join_block.
#pragma once

#include <taskscope/task.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

template <class T>
regular_result<T> take_branch(promise_base* p) {
    auto& promise = static_cast<task_promise<T>&>(*p);
    if constexpr (std::is_void_v<T>) {
        promise.take();
        return {};
    } else {
        return promise.take();
    }
}

/// After a join in which a branch was stopped, and which goes on nevertheless: some branch has an error.
/// Of a stopped branch there is nothing to look at.
inline void rethrow_beside_a_stop(const join_block& join) {
    // relaxed: ordered by join.complete.
    if (!join.stopped.load(std::memory_order_relaxed)) [[likely]]
        return;
    for (std::uint32_t i = 0; i < join.count; ++i) {
        if (join.branches[i] != nullptr) join.branches[i]->rethrow_if_error();
    }
}

template <class... Ts>
class [[nodiscard]] fork_join_awaiter {
public:
    using taskscope_awaiter = void;

    explicit fork_join_awaiter(task<Ts>&... tasks) noexcept
        : branches_{std::exchange(task_access::frame(tasks), nullptr)...},
          join_(branches_.data(), sizeof...(Ts)) {}
    fork_join_awaiter(const fork_join_awaiter&) = delete;
    fork_join_awaiter& operator=(const fork_join_awaiter&) = delete;
    ~fork_join_awaiter() {
        for (promise_base* b : branches_) {
            if (b != nullptr) b->handle().destroy();
        }
    }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return join_.fork(h.promise());
    }
    auto await_resume() {
        rethrow_beside_a_stop(join_);
        return collect(std::index_sequence_for<Ts...>{});
    }

private:
    template <std::size_t... I>
    auto collect(std::index_sequence<I...>) {
        if constexpr ((std::is_void_v<Ts> && ...)) {
            (take_branch<Ts>(branches_[I]), ...);
        } else {
            // Braces: evaluated from left to right, so the error with the lowest index is the one thrown.
            return std::tuple<regular_result<Ts>...>{take_branch<Ts>(branches_[I])...};
        }
    }

    std::array<promise_base*, sizeof...(Ts)> branches_;
    join_block join_;
};

/// Forks up to `chunk` tasks made from consecutive elements of a range.
template <class T>
class fork_chunk_awaiter {
public:
    using taskscope_awaiter = void;
    using slot = std::optional<regular_result<T>>;

    static constexpr std::size_t chunk =
        8;  // decisions/0002: halving beyond, so that thieves get big parts

    template <class Iterator>
    fork_chunk_awaiter(Iterator first, std::size_t n, slot* results)
        : results_(results), join_(branches_.data(), 0) {
        try {
            for (; join_.count < n; ++first) {
                task<T> t = std::ranges::iter_move(first);
                branches_[join_.count++] = std::exchange(task_access::frame(t), nullptr);
            }
        } catch (...) {
            destroy();
            throw;
        }
        join_.outstanding.store(join_.count, std::memory_order_relaxed);
    }
    fork_chunk_awaiter(const fork_chunk_awaiter&) = delete;
    fork_chunk_awaiter& operator=(const fork_chunk_awaiter&) = delete;
    ~fork_chunk_awaiter() { destroy(); }

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return join_.fork(h.promise());
    }
    void await_resume() {
        rethrow_beside_a_stop(join_);
        for (std::size_t i = 0; i < join_.count; ++i)
            results_[i].emplace(take_branch<T>(branches_[i]));
    }

private:
    void destroy() noexcept {
        for (std::size_t i = 0; i < join_.count; ++i) {
            if (branches_[i] != nullptr) branches_[i]->handle().destroy();
        }
    }

    slot* results_;
    std::array<promise_base*, chunk> branches_;
    join_block join_;
};

template <class T, std::random_access_iterator Iterator>
task<void> fork_halves(Iterator first, std::size_t n, std::optional<regular_result<T>>* results) {
    using awaiter = fork_chunk_awaiter<T>;
    if (n <= awaiter::chunk) {
        if (n > 0) co_await awaiter(first, n, results);
        co_return;
    }
    const std::size_t half = n / 2;
    using difference = std::iter_difference_t<Iterator>;
    auto left = fork_halves<T>(first, half, results);
    auto right = fork_halves<T>(first + static_cast<difference>(half), n - half, results + half);
    co_await fork_join_awaiter<void, void>(left, right);
}

}  // namespace detail

/// Runs `tasks` and completes when every one has: the first on this worker, at once; the others wait in
/// this worker's deque, where other workers may steal them.
///
/// Returns: a tuple of the values in the order of the arguments, std::monostate for void; nothing if all are
///   void.
/// Throws: the error of the first argument, in order, that has one; errors of others are dropped.
/// Stop: a branch that is stopped does not stop the others. When all have ended and none had an error, the
///   awaiting task completes as stopped.
/// Allocates: nothing besides the tasks' frames.
template <class... Ts>
    requires(sizeof...(Ts) > 0)
[[nodiscard]] detail::fork_join_awaiter<Ts...> fork_join(task<Ts>... tasks) noexcept {
    return detail::fork_join_awaiter<Ts...>(tasks...);
}

/// The same for a range of tasks, or a view that makes one for each element.
///
/// With a random access range of known size the tasks are made lazily, by halving the range: the first
/// half is worked on while the second may be stolen, and only O(log n) frames exist per worker. The view's
/// function is then called from several workers at once. Any other range is read to its end first.
///
/// Returns: task<std::vector<T>> in the order of the range; task<> if T is void.
/// Allocates: one slot per element for the results, and frames.
template <std::ranges::input_range R>
    requires(detail::is_task_type<std::ranges::range_value_t<R>>)
[[nodiscard]] auto fork_join(R range) -> task<std::conditional_t<
    std::is_void_v<typename std::ranges::range_value_t<R>::value_type>, void,
    std::vector<detail::regular_result<typename std::ranges::range_value_t<R>::value_type>>>> {
    using task_type = std::ranges::range_value_t<R>;
    using T = typename task_type::value_type;
    using result = detail::regular_result<T>;

    std::vector<std::optional<result>> slots;
    if constexpr (std::ranges::random_access_range<R> && std::ranges::sized_range<R>) {
        slots.resize(static_cast<std::size_t>(std::ranges::size(range)));
        co_await detail::fork_halves<T>(std::ranges::begin(range), slots.size(), slots.data());
    } else {
        std::vector<task_type> tasks;
        for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it) {
            tasks.push_back(std::ranges::iter_move(it));
        }
        slots.resize(tasks.size());
        co_await detail::fork_halves<T>(tasks.begin(), slots.size(), slots.data());
    }
    if constexpr (!std::is_void_v<T>) {
        std::vector<result> values;
        values.reserve(slots.size());
        for (auto& s : slots) values.push_back(std::move(*s));
        co_return values;
    }
}

}  // namespace taskscope
