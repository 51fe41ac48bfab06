// <taskscope/fork_join.hpp> - run several tasks, possibly in parallel, and go on when all have ended.
// SPDX-License-Identifier: MIT
//
//     auto [a, b] = co_await fork_join(fib(n - 1), fib(n - 2));
//     auto results = co_await fork_join<8>(tasks);  // at most 8
//     std::vector<long> v = co_await fork_join(std::views::iota(0, 1000) | std::views::transform(leaf));
//
// How it stays as cheap as two plain awaits while nobody steals: detail/promise.hpp, join_block.
#pragma once

#include <taskscope/branch_results.hpp>
#include <taskscope/detail/join_block.hpp>
#include <taskscope/task.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

/// The result of a branch that was not stopped. After a join in which one was, and which goes on nevertheless, an error
/// stands before all such places (join_block::mark_parent).
template <class T>
[[gnu::always_inline]] inline regular_result<T> take_branch(promise_base* p) {
    p->rethrow_if_error();
    auto& promise = static_cast<task_promise<T>&>(*p);
    if constexpr (std::is_void_v<T>) {
        promise.take();
        return {};
    } else {
        return promise.take();
    }
}

/// What a range of tasks makes of fork_join().
template <class R>
using branch_value_t = typename std::ranges::range_value_t<R>::value_type;
template <class R>
concept is_branch_range =
    is_task_type<std::ranges::range_value_t<R>> && !std::is_reference_v<branch_value_t<R>>;
template <class R>
using range_join_t = std::conditional_t<std::is_void_v<branch_value_t<R>>, task<void>,
                                        task<std::vector<regular_result<branch_value_t<R>>>>>;

template <class... Ts>
class [[nodiscard]] fork_join_awaiter {
public:
    using taskscope_awaiter = void;

    explicit fork_join_awaiter(task<Ts>&... tasks) noexcept {
        promise_base** slot = join_.owned.data();
        // One by one: what was written as one vector, or is read as one just after, has to be in the cache first, a fifth of
        // a fork (decisions/0002).
        (std::atomic_ref(*slot++).store(std::exchange(task_access::frame(tasks), nullptr),
                                        std::memory_order_relaxed),
         ...);
    }

    fork_join_awaiter(const fork_join_awaiter&) = delete;
    fork_join_awaiter& operator=(const fork_join_awaiter&) = delete;
    [[gnu::always_inline]] ~fork_join_awaiter() = default;

    static bool await_ready() noexcept { return false; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return join_.fork(h);
    }
    [[gnu::always_inline]] auto await_resume() { return collect(std::index_sequence_for<Ts...>{}); }

private:
    template <std::size_t... I>
    [[gnu::always_inline]] auto collect(std::index_sequence<I...>) {
        if constexpr ((std::is_void_v<Ts> && ...)) {
            (take_branch<Ts>(join_.owned[I]), ...);
            join_.have_taken_all();
        } else {
            // Braces: evaluated from left to right, so the error with the lowest index is the one thrown.
            std::tuple<regular_result<Ts>...> values{take_branch<Ts>(join_.owned[I])...};
            join_.have_taken_all();
            return values;
        }
    }

    join_of<sizeof...(Ts)> join_;
};

[[noreturn]] void too_many_branches();

/// Forks up to `N` tasks made from consecutive elements of a range. `Kept` is the type of the values that its block keeps, or
/// void if somebody else does.
template <class T, std::size_t N, class Kept>
class fork_some {
public:
    using taskscope_awaiter = void;

    /// Throws what the range throws, and std::length_error if it has more than `N` elements.
    template <class Iterator, class Sentinel>
    fork_some(Iterator first, Sentinel last)
        : block_(std::make_unique_for_overwrite<branch_block<Kept, N>>()) {
        auto& join = block_->join;
        for (; first != last; ++first) {
            if (join.count == N) too_many_branches();
            task<T> t = std::ranges::iter_move(first);
            join.owned[join.count++] = std::exchange(task_access::frame(t), nullptr);
        }
        join.outstanding.store(join.count, std::memory_order_relaxed);
    }

    fork_some(const fork_some&) = delete;
    fork_some& operator=(const fork_some&) = delete;

    bool await_ready() const noexcept { return block_->join.count == 0; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        return block_->join.fork(h);
    }

protected:
    ~fork_some() = default;

    /// Calls `take(i, promise)` for each branch.
    template <class Take>
    void collect(Take take) {
        auto& join = block_->join;
        for (std::uint32_t i = 0; i < join.count; ++i) take(i, join.owned[i]);
        join.have_taken_all();
        join.leave_branches();
    }

    std::unique_ptr<branch_block<Kept, N>> block_;
};

template <class T, std::size_t N>
class [[nodiscard]] fork_some_awaiter : public fork_some<T, N, T> {
public:
    using fork_some<T, N, T>::fork_some;

    auto await_resume() {
        if constexpr (std::is_void_v<T>) {
            this->collect([](std::uint32_t, promise_base* p) { take_branch<T>(p); });
        } else {
            this->collect([this](std::uint32_t, promise_base* p) {
                this->block_->values.push_back_result_of([p] { return take_branch<T>(p); });
            });
            return branch_results<T, N>(std::move(this->block_));
        }
    }
};

/// How many branches a range is halved down to, so that thieves get big parts (decisions/0002).
inline constexpr std::size_t fork_chunk = 8;

template <class T>
class [[nodiscard]] fork_chunk_awaiter : public fork_some<T, fork_chunk, void> {
public:
    using slot = std::optional<regular_result<T>>;

    template <class Iterator>
    fork_chunk_awaiter(Iterator first, Iterator last, slot* results)
        : fork_some<T, fork_chunk, void>(first, last), results_(results) {}

    void await_resume() {
        this->collect(
            [this](std::uint32_t i, promise_base* p) { results_[i].emplace(take_branch<T>(p)); });
    }

private:
    slot* results_;
};

template <class T, std::random_access_iterator Iterator>
task<void> fork_halves(Iterator first, std::size_t n, std::optional<regular_result<T>>* results) {
    using difference = std::iter_difference_t<Iterator>;
    if (n <= fork_chunk) {
        co_await fork_chunk_awaiter<T>(first, first + static_cast<difference>(n), results);
        co_return;
    }
    const std::size_t half = n / 2;
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

/// The same for a range of at most `N` tasks, or a view that makes one for each element. All are made at once.
///
/// Returns: branch_results<T, N>, a range of the values in the order of the tasks; nothing if T is void. The tasks are gone
///   then, and their parameters: no value may refer to those.
/// Throws: std::length_error at once, before any task runs, if the range has more than `N` elements; what the
///   range throws.
/// Allocates: the tasks' frames, and one block for pointers to them and for the values; recycled as frames are, so up to 1 KiB.
template <std::size_t N, std::ranges::input_range R>
    requires(detail::is_branch_range<R>)
[[nodiscard]] detail::fork_some_awaiter<detail::branch_value_t<R>, N> fork_join(R&& range) {
    return {std::ranges::begin(range), std::ranges::end(range)};
}

/// The same for a range of any length.
///
/// With a random access range of known size the tasks are made lazily, by halving the range: the first
/// half is worked on while the second may be stolen, and only O(log n) frames exist per worker. The view's
/// function is then called from several workers at once. Any other range is read to its end first.
///
/// Returns: task<std::vector<T>> in the order of the range; task<> if T is void.
/// Allocates: one slot per element for the results, frames, and for each eight tasks a block for pointers to them.
template <std::ranges::input_range R>
    requires(detail::is_branch_range<R>)
[[nodiscard]] detail::range_join_t<R> fork_join(R range) {
    using T = detail::branch_value_t<R>;
    using result = detail::regular_result<T>;

    std::vector<std::optional<result>> slots;
    if constexpr (std::ranges::random_access_range<R> && std::ranges::sized_range<R>) {
        slots.resize(static_cast<std::size_t>(std::ranges::size(range)));
        co_await detail::fork_halves<T>(std::ranges::begin(range), slots.size(), slots.data());
    } else {
        std::vector<task<T>> tasks;
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
