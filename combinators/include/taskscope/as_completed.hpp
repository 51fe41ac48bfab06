// <taskscope/as_completed.hpp> - results in the order in which they come; of a fixed set, or while spawning goes on.
// SPDX-License-Identifier: MIT
//
//     co_await as_completed(std::move(tasks), [&](completions<page>& done) -> task<> {
//         for (;;) {
//             auto next = co_await done.next();
//             if (!next) co_return;                                  // that was the last one
//             if (next->result.has_value()) show(next->result.value());
//         }
//     });
//
// The reader is a body, and not a loop over an object that would have to be closed: a destructor cannot await. When
// the body ends, in whichever way, what still runs is stopped and waited for.
#pragma once

#include <taskscope/detail/completion_queue.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/tasks.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/with_scope.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope {

namespace detail {
struct completions_access;
}

/// What is kept for a reader that is slow.
struct completions_options {
    std::size_t capacity = 64;  ///< completions that may be unread; at least 1
    overflow when_full = overflow::wait;
};

/// How the children of a scope end, one after the other, for one reader; and the way to spawn more.
///
/// Thread safety: spawn(), dropped() from any thread, as long as the body has not ended; next() by one task at a
///   time.
template <class T>
class completions {
public:
    completions(const completions&) = delete;
    completions& operator=(const completions&) = delete;

    /// `co_await done.next()` gives how the next child ended, in the order in which they did; or nothing when every
    /// child has ended and was read. A child that is spawned later is read by a later call.
    ///
    /// Errors: of children are in the result, and nowhere else. Throws: misuse_error if another task is waiting.
    /// Stop: completes as stopped; nothing is lost by it.
    task<std::optional<completed<T>>> next() { return queue_.next(); }

    /// Spawns into the scope of the body. Its index is the number of those before it.
    /// Throws: as task_scope::spawn(); the reader sees it as stopped then.
    void spawn(task<T> t, std::source_location where = std::source_location::current()) {
        typename queue::ticket k(queue_);
        scope_.spawn(queue_.feed(std::move(k), std::move(t)), where);
    }

    /// The same for a callable that returns a task<T>, and an argument: they live as long as the child.
    template <class F>
        requires detail::makes_task<std::decay_t<F>&>
    void spawn(F&& f, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires detail::makes_task<std::decay_t<F>&, std::decay_t<A>>
    void spawn(F&& f, A&& a, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    /// With options and any number of arguments.
    template <class F, class... Args>
        requires detail::makes_task<std::decay_t<F>&, std::decay_t<Args>...>
    void spawn(const spawn_options& o, F&& f, Args&&... args) {
        scope_.spawn(
            o,
            [this, k = typename queue::ticket(queue_), held = std::decay_t<F>(std::forward<F>(f)),
             arguments = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable {
                const auto call = [&held](auto&... as) {
                    return std::invoke(held, std::move(as)...);
                };
                return queue_.feed(std::move(k), std::apply(call, arguments));
            });
    }

    /// How many completions nobody will read, because there was no room for them.
    std::uint64_t dropped() const { return queue_.dropped(); }

    /// The scope of the body and of what it spawns.
    task_scope& scope() const noexcept { return scope_; }

private:
    using queue = detail::completion_queue<T>;
    friend struct detail::completions_access;

    completions(task_scope& s, queue& q) noexcept : scope_(s), queue_(q) {}

    task_scope& scope_;
    queue& queue_;
};

namespace detail {

struct completions_access {
    template <class T>
    static completions<T> make(task_scope& s, completion_queue<T>& q) noexcept {
        return completions<T>(s, q);
    }
};

template <class Body, class T>
concept completions_body = makes_task<std::decay_t<Body>&, completions<T>&>;

template <class Body, class T>
using reader_result_t = call_result_t<std::decay_t<Body>&, completions<T>&>;

template <class T, class Body>
task<reader_result_t<Body, T>> read_completions(completions_options o, std::vector<task<T>> tasks,
                                                Body body, std::string_view name,
                                                std::source_location where) {
    using R = reader_result_t<Body, T>;
    if (o.capacity == 0) {
        throw misuse_error("taskscope: a reader of completions needs room for one at least");
    }
    completion_queue<T> queue(o.capacity, o.when_full);
    const auto all = [&](task_scope& s) -> task<R> {
        completions<T> done = completions_access::make(s, queue);
        for (task<T>& t : tasks) done.spawn(std::move(t), where);
        settled<R> end = co_await settle(body(done));
        queue.close();
        s.request_stop();
        if (end.is_stopped()) co_await just_stopped();
        co_return std::move(end).take();
    };
    co_return co_await with_scope(name, all, where);
}

}  // namespace detail

/// Runs the tasks at the same time, as children of one scope, and `body(completions<T>&)` beside them, which reads how
/// they ended, in the order in which they did.
///
/// Returns: what the body returns. Throws: what it throws.
/// Effects: when the body ends, tasks that still run are stopped and waited for. Errors of theirs from then on go to
///   the handler of the scope. What the body leaves unread is gone.
/// Stop: is passed on to body and tasks.
/// Allocates: per task a child and two frames; the scope; memory for all completions.
template <detail::task_range R, class Body>
    requires detail::completions_body<Body, detail::range_result_t<R>>
auto as_completed(R&& tasks, Body&& body,
                  std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    auto all = detail::take_tasks(std::forward<R>(tasks));
    const completions_options room{.capacity = all.size() + 1, .when_full = overflow::wait};
    return detail::read_completions<detail::range_result_t<R>>(
        room, std::move(all), std::decay_t<Body>(std::forward<Body>(body)), "as_completed", where);
}

/// Opens a scope whose children, all of them tasks of `T`, are read while more are being spawned:
///
///     co_await with_completions<page>([&](completions<page>& done) -> task<> {
///         done.spawn(fetch(start));
///         while (auto next = co_await done.next()) {
///             for (const url& link : links(next->result)) done.spawn(fetch(link));
///         }
///     });
///
/// Effects, Returns, Throws, Stop: as as_completed().
/// Memory: at most options.capacity completions; what becomes of more says options.when_full.
/// Throws: misuse_error for a capacity of 0.
template <class T, class Body>
    requires detail::completions_body<Body, T>
auto with_completions(completions_options options, Body&& body,
                      std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::read_completions<T>(options, std::vector<task<T>>(),
                                       std::decay_t<Body>(std::forward<Body>(body)), "completions",
                                       where);
}
template <class T, class Body>
    requires detail::completions_body<Body, T>
auto with_completions(Body&& body, std::source_location where = std::source_location::current()) {
    return with_completions<T>(completions_options{}, std::forward<Body>(body), where);
}

}  // namespace taskscope
