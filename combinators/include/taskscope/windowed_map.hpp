// <taskscope/windowed_map.hpp> - a function over a range, for at most n elements at a time.
// SPDX-License-Identifier: MIT
//
//     std::vector<page> pages = co_await windowed_map(8, urls, fetch);              // in the order of urls
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/yield.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {
namespace detail {

/// The elements of a range that was moved in are moved out of it; those of any other are copied, or made.
template <class R>
inline constexpr bool gives_away_elements =
    !std::is_lvalue_reference_v<R> && !std::ranges::view<std::remove_cvref_t<R>>;

/// What the lanes of a windowed_map() share. An element that is being worked on belongs to its lane.
template <class View, bool moves, class F>
class window {
public:
    using element = std::ranges::range_value_t<View>;
    using T = call_result_t<F&, element>;
    using stored = regular_result<T>;
    static_assert(!std::is_reference_v<T>,
                  "taskscope: windowed_map() keeps values. Return a pointer instead.");

    window(std::size_t lanes, View view, F& f)
        : lanes_left_(lanes), view_(std::move(view)), f_(f) {}

    struct item {
        std::size_t index;
        element value;
    };

    /// The next element, if there is one. What the range throws ends it.
    std::optional<item> pull() {
        const std::lock_guard lock{mutex_};
        if (ended_) return {};
        ended_ = true;  // if what follows throws
        if (!at_) {
            at_.emplace(std::ranges::begin(view_));
        } else {
            ++*at_;
        }
        if (*at_ == std::ranges::end(view_)) {
            exhausted_ = true;
            return {};
        }
        results_.emplace_back();
        std::optional<item> next;
        if constexpr (moves) {
            next.emplace(item{results_.size() - 1, std::ranges::iter_move(*at_)});
        } else {
            next.emplace(item{results_.size() - 1, **at_});
        }
        ended_ = false;
        return next;
    }

    task<T> call(element&& value) { return std::invoke(f_, std::move(value)); }

    void keep(std::size_t index, settled<T> how) {
        const std::lock_guard lock{mutex_};
        if constexpr (std::is_void_v<T>) {
            std::move(how).take();
            results_[index].emplace();
        } else {
            results_[index].emplace(std::move(how).take());
        }
    }

    /// Whether one lane more may be opened.
    bool may_open_lane() {
        const std::lock_guard lock{mutex_};
        if (ended_ || lanes_left_ == 0) return false;
        --lanes_left_;
        return true;
    }

    // When all lanes have ended.

    /// Whether every element of the range has its result.
    bool complete() const noexcept {
        if (!exhausted_) return false;
        for (const auto& r : results_) {
            if (!r) return false;
        }
        return true;
    }

    std::vector<stored> take() {
        std::vector<stored> values;
        values.reserve(results_.size());
        for (std::optional<stored>& r : results_) {
            if (r) values.push_back(std::move(*r));
        }
        return values;
    }

private:
    std::mutex mutex_;  // guards what follows
    std::size_t lanes_left_;
    View view_;
    F& f_;
    std::optional<std::ranges::iterator_t<View>> at_;
    std::vector<std::optional<stored>> results_;
    bool ended_ = false;
    bool exhausted_ = false;
};

/// Takes one element after the other. A lane that has one opens the next lane: there are never more than elements.
template <class Window>
task<> run_lane(Window& w, task_group& g) {
    for (;;) {
        co_await checkpoint();  // after an error, or a stop, nothing more is pulled
        auto item = w.pull();
        if (!item) co_return;
        if (w.may_open_lane()) g.spawn(run_lane(w, g));
        settled<typename Window::T> how = co_await settle(w.call(std::move(item->value)));
        if (how.is_stopped()) {
            g.request_stop();  // a hole: the others would work in vain
            co_return;
        }
        w.keep(item->index, std::move(how));
    }
}

template <class View, bool moves, class F>
task<std::vector<typename window<View, moves, F>::stored>> map_all(std::size_t n, View view, F f,
                                                                   std::source_location where) {
    if (n == 0) throw misuse_error("taskscope: windowed_map() with room for nobody");
    window<View, moves, F> w(n - 1, std::move(view), f);
    const auto body = [&](task_group& g) -> task<> {
        g.spawn(run_lane(w, g), where);
        co_return;
    };
    co_await with_group("windowed_map", body, where);
    if (!w.complete()) co_await just_stopped();
    co_return w.take();
}

template <class View, bool moves, class F>
task<> map_without_values(std::size_t n, View view, F f, std::source_location where) {
    const auto all = co_await map_all<View, moves, F>(n, std::move(view), std::move(f), where);
}

template <class F, class R>
concept maps_range =
    std::ranges::input_range<R> && makes_task<std::decay_t<F>&, std::ranges::range_value_t<R>>;

}  // namespace detail

/// Calls `f`, which returns a task, with each element of `range`, and runs at most `n` of these tasks at the same
/// time. Gives a std::vector of their values, in the order of the range; nothing, if they have none.
///
/// Effects: the next element is taken from the range when there is a place for it, by one task at a time; so the range
///   may be a generator that works for its elements, and may have no end. `f` is called by several workers at once.
/// Errors: of a task, of `f`, or of the range: nothing more is pulled, the others are asked to stop, and when all
///   have ended all errors are thrown together.
/// Throws: exception_group; misuse_error if `n` is 0.
/// Stop: is passed on to the tasks. Completes as stopped if one of them was.
/// Allocates: per task at most three frames; the scope; memory for the values.
template <class R, class F>
    requires detail::maps_range<F, R>
auto windowed_map(std::size_t n, R&& range, F&& f,
                  std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
    using View = std::views::all_t<R>;
    using G = std::decay_t<F>;
    constexpr bool moves = detail::gives_away_elements<R>;
    View view = std::views::all(std::forward<R>(range));
    if constexpr (std::is_void_v<typename detail::window<View, moves, G>::T>) {
        return detail::map_without_values<View, moves, G>(n, std::move(view), G(std::forward<F>(f)),
                                                          where);
    } else {
        return detail::map_all<View, moves, G>(n, std::move(view), G(std::forward<F>(f)), where);
    }
}

}  // namespace taskscope
