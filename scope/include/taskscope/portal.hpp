// <taskscope/portal.hpp> - lets a foreign thread run functions as children of a scope.
// SPDX-License-Identifier: MIT
//
//     const portal home(connections);                                  // in a task, for a library with threads
//     library_on_message(&home, [](void* p, const char* text) {        // on one of its threads
//         static_cast<const portal*>(p)->spawn(handle, std::string(text));
//     });
#pragma once

#include <taskscope/detail/context.hpp>
#include <taskscope/detail/locals.hpp>
#include <taskscope/detail/scope_state.hpp>
#include <taskscope/detail/spawn_verbs.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/task_bridge.hpp>
#include <taskscope/task_scope.hpp>

#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace taskscope {

/// A way into a scope, with the task-locals of the task that made it, for threads that run no task.
///
/// Made by a task it has that task's locals; made elsewhere, those the scope was opened with. Children that go through
/// it are children of the scope like others, and functions called on the way have the scope as current one, and no
/// deadline.
/// Lifetime: any. It keeps no scope open: when that has ended, also when it is gone, whoever comes is refused.
/// Copies are of the same scope and locals.
/// Thread safety: const members from any thread, several at a time.
/// Allocates: nothing.
class portal {
public:
    explicit portal(task_scope& scope);
    portal(const portal& other) noexcept;
    portal& operator=(const portal&) = delete;
    ~portal() = default;

    /// As task_scope::spawn(). Throws: scope_closed, also when the scope has ended or is gone.
    template <class F, class... Args>
        requires detail::spawnable<F, Args...>
    void spawn(const spawn_options& o, F&& f, Args&&... args) const {
        const detail::on_behalf of_its_maker(&context_);
        detail::launch(*scope_, detail::admitted(*scope_, detail::prepare_callable(
                                                              *scope_, o, std::forward<F>(f),
                                                              std::forward<Args>(args)...)));
    }
    template <class F>
        requires detail::spawnable<F>
    void spawn(F&& f, std::source_location where = std::source_location::current()) const {
        spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires detail::spawnable<F, A>
    void spawn(F&& f, A&& a, std::source_location where = std::source_location::current()) const {
        spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }

    /// As task_scope::try_spawn(): false if the scope is closed, has ended, or is gone.
    template <class F, class... Args>
        requires detail::spawnable<F, Args...>
    [[nodiscard]] bool try_spawn(const spawn_options& o, F&& f, Args&&... args) const {
        const detail::on_behalf of_its_maker(&context_);
        return detail::launch(*scope_, detail::prepare_callable(*scope_, o, std::forward<F>(f),
                                                                std::forward<Args>(args)...));
    }
    template <class F>
        requires detail::spawnable<F>
    [[nodiscard]] bool try_spawn(
        F&& f, std::source_location where = std::source_location::current()) const {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires detail::spawnable<F, A>
    [[nodiscard]] bool try_spawn(
        F&& f, A&& a, std::source_location where = std::source_location::current()) const {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }

    /// Runs `f()`, or the task that it returns, as a child, blocks this thread until the child has left the scope,
    /// and gives its value or rethrows its error. The error goes nowhere else.
    ///
    /// Throws: stopped_error if the child was stopped; scope_closed; misuse_error on a worker.
    template <class F>
        requires std::is_invocable_v<F&>
    auto call(F&& f, std::source_location where = std::source_location::current()) const {
        using T = called_t<std::invoke_result_t<F&>>;
        detail::check_may_block();
        settled<T> end;
        const auto child = [&]() -> task<> { end = co_await settle(run<T>(f)); };
        auto h = [&] {
            const detail::on_behalf of_its_maker(&context_);
            return detail::spawn_future_callable(*scope_, spawn_options{{}, where}, child);
        }();
        wait_for(detail::handle_access::ended(h));
        return std::move(end).take();
    }

private:
    template <class R>
    struct called {
        using type = R;
    };
    template <class T>
    struct called<task<T>> {
        using type = T;
    };
    template <class R>
    using called_t = typename called<R>::type;

    template <class T, class F>
    static task<T> run(F& f) {
        if constexpr (detail::is_task_type<std::invoke_result_t<F&>>) {
            task<T> t = std::invoke(f);
            co_return co_await std::move(t);
        } else {
            co_return std::invoke(f);
        }
    }

    void wait_for(async_event& end) const;

    detail::scope_reference scope_;
    detail::local_chain locals_;
    mutable detail::task_context context_;  // read by those who go through
};

}  // namespace taskscope
