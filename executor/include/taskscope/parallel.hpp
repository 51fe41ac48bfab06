// <taskscope/parallel.hpp> - parallel_invoke, parallel_for and parallel_reduce of plain functions.
// SPDX-License-Identifier: MIT
//
//     auto [a, b] = parallel_invoke([&] { return fib(n - 1); }, [&] { return fib(n - 2); });
//
// For work that only computes. Nothing is allocated and no coroutine is made, so a fork costs a few ns; but a
// function cannot suspend, so its worker stays with it until it returns. Use fork_join() for tasks.
//
// Locks: a function may hold a lock while it calls these. While it waits for a part that was stolen, its worker
// runs nothing but parts of that part (detail/stack_job.hpp).
#pragma once

#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/stack_job.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

template <class F>
using invoked = regular_result<std::invoke_result_t<F&>>;

template <class F>
invoked<F> invoke_regular(F& f) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
        std::invoke(f);
        return {};
    } else {
        return std::invoke(f);
    }
}

/// A call of `f` that may be stolen.
template <class F>
class forked_call : stack_job {
public:
    forked_call(F& f, worker& w) noexcept : stack_job(&forked_call::stolen, w.context), f_(f) {}
    forked_call(const forked_call&) = delete;
    forked_call& operator=(const forked_call&) = delete;

    bool fork(worker& w) noexcept { return w.try_fork(*this); }

    /// Runs the call here, unless a thief has run it. Rethrows its error.
    invoked<F> join(worker& w) {
        if (w.forks.pop_if(this)) [[likely]]
            return invoke_regular(f_);
        wait_for_thief(*this);
        if (failed) rethrow();
        const destroyer<invoked<F>> at_exit{result_};
        return result_.take();
    }

    /// Instead of join(): sees to it that nobody runs the call any more, and drops what it has given.
    [[gnu::cold]] void abandon(worker& w) noexcept {
        if (w.forks.pop_if(this)) return;
        wait_for_thief(*this);
        failed ? drop_error() : result_.destroy();
    }

private:
    template <class T>
    struct destroyer {
        value_storage<T>& storage;
        ~destroyer() { storage.destroy(); }
    };

    static void stolen(function_job& j) noexcept {
        auto& self = static_cast<forked_call&>(j);
        self.run([&self] { self.result_.set(invoke_regular(self.f_)); });
    }

    F& f_;
    value_storage<invoked<F>> result_;
};

/// Calls both, the second perhaps on another worker.
template <class F, class G>
std::tuple<invoked<F>, invoked<G>> invoke_both(F& f, G& g) {
    worker* const w = this_worker();
    if (w != nullptr) [[likely]] {
        forked_call<G> second(g, *w);
        if (second.fork(*w)) [[likely]] {
            const auto meanwhile = [&]() -> invoked<F> {
                try {
                    return invoke_regular(f);
                } catch (...) {
                    second.abandon(*w);
                    throw;
                }
            };
            invoked<F> first = meanwhile();
            return {std::forward<invoked<F>>(first), second.join(*w)};
        }
    }
    invoked<F> first = invoke_regular(f);
    return {std::forward<invoked<F>>(first), invoke_regular(g)};
}

template <class F, class G, class... Rest>
auto invoke_all(F& f, G& g, Rest&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
        return invoke_both(f, g);
    } else {
        auto others = [&] { return invoke_all(g, rest...); };
        auto [first, tail] = invoke_both(f, others);
        return std::tuple_cat(std::tuple<invoked<F>>(std::forward<invoked<F>>(first)),
                              std::move(tail));
    }
}

/// How many workers could help this thread.
unsigned workers_here() noexcept;

/// 0 means some parts for each worker, so that nobody is left with the last big one.
inline std::size_t grain_for(std::size_t n, std::size_t grain) noexcept {
    return grain != 0 ? grain : std::max<std::size_t>(1, n / (std::size_t{8} * workers_here()));
}

template <class F>
void for_halves(std::size_t first, std::size_t last, std::size_t grain, F& part) {
    if (last - first <= grain) return part(first, last);
    const std::size_t middle = first + (last - first) / 2;
    auto left = [&] { for_halves(first, middle, grain, part); };
    auto right = [&] { for_halves(middle, last, grain, part); };
    invoke_both(left, right);
}

template <class T, class Part, class Combine>
T reduce_halves(std::size_t first, std::size_t last, std::size_t grain, Part& part,
                Combine& combine) {
    if (last - first <= grain) return part(first, last);
    const std::size_t middle = first + (last - first) / 2;
    auto left = [&] { return reduce_halves<T>(first, middle, grain, part, combine); };
    auto right = [&] { return reduce_halves<T>(middle, last, grain, part, combine); };
    auto [a, b] = invoke_both(left, right);
    return std::invoke(combine, std::move(a), std::move(b));
}

}  // namespace detail

/// Calls all functions, possibly in parallel, and returns when all have returned: the first on this thread, at
/// once; the others may be taken by other workers meanwhile, or else follow here. Outside of workers, and where the
/// worker's deque is full, they are called one after another.
///
/// Returns: a tuple of what they return, std::monostate for void; nothing if all are void.
/// Throws: what the first of them, in order, has thrown. Functions that were not begun then are not called.
/// Stop: is not looked at; nothing is interrupted.
/// Context: the functions run on behalf of the calling task, so current_scope() and spawn() see its scope.
/// Allocates: nothing.
template <std::invocable... Fs>
    requires(sizeof...(Fs) >= 2)
auto parallel_invoke(Fs&&... functions) {
    if constexpr ((std::is_void_v<std::invoke_result_t<Fs&>> && ...)) {
        detail::invoke_all(functions...);
    } else {
        return detail::invoke_all(functions...);
    }
}

/// Calls `f(i)` for every i from `first` to `last`, without it, in parallel by halving the range.
///
/// `grain`: how many indices are worth a fork, about a microsecond's work; 0 makes some parts for each worker.
/// Throws: what the call with the lowest index has thrown, of those that were made; a call that throws keeps
///   indices that were not begun from being visited.
/// Stop, context, allocation: as parallel_invoke().
template <std::integral I, class F>
    requires std::invocable<F&, I>
void parallel_for(I first, I last, F&& f, std::size_t grain = 0) {
    if (last <= first) return;
    const auto n = static_cast<std::size_t>(last) - static_cast<std::size_t>(first);
    auto part = [&](std::size_t from, std::size_t to) {
        for (; from != to; ++from)
            std::invoke(f, static_cast<I>(static_cast<std::size_t>(first) + from));
    };
    detail::for_halves(0, n, detail::grain_for(n, grain), part);
}

/// `combine(... combine(combine(initial, map(first)), map(first + 1)) ...)`, in parallel by halving the range.
///
/// `combine` has to be associative; the order of its arguments is kept. `initial` is used once for each part, so it
///   has to be neutral: 0 for a sum.
/// Otherwise as parallel_for().
template <std::integral I, std::copyable T, class Map, class Combine>
    requires std::invocable<Map&, I>
T parallel_reduce(I first, I last, T initial, Map&& map, Combine&& combine, std::size_t grain = 0) {
    if (last <= first) return initial;
    const auto n = static_cast<std::size_t>(last) - static_cast<std::size_t>(first);
    auto part = [&](std::size_t from, std::size_t to) {
        T sum = initial;
        for (; from != to; ++from) {
            sum = std::invoke(
                combine, std::move(sum),
                std::invoke(map, static_cast<I>(static_cast<std::size_t>(first) + from)));
        }
        return sum;
    };
    return detail::reduce_halves<T>(0, n, detail::grain_for(n, grain), part, combine);
}

}  // namespace taskscope
