// <taskscope/detail/spawn_verbs.hpp> - spawn, in all its forms, as scopes and groups offer it.
// SPDX-License-Identifier: MIT
//
// A call without options records where it stands. A default argument cannot follow a parameter pack, so the
// forms for up to three arguments are written out.
#pragma once

#include <taskscope/detail/child.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/deferred.hpp>
#include <taskscope/detail/plain_child.hpp>
#include <taskscope/detail/spawn_here.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/start.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/yield.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {

/// How to spawn. Trivially copyable, so that g++ 12 treats it right in every expression.
struct spawn_options {
    /// Shown in dumps, errors and reports. Copied.
    std::string_view name = {};
    std::source_location location = std::source_location::current();
};

namespace detail {

template <class F, class... Args>
concept spawnable = std::invocable<std::decay_t<F>&, std::decay_t<Args>...>;

/// Enters the record's scope and calls `begin(context)`, which gives what is to be scheduled. Null: the scope is closed.
/// Then, and if anything throws, the record is gone.
template <class Record, class Begin>
auto prepare(Record* c, const spawn_options& o, task_context& context, Begin begin)
    -> decltype(begin(context)) {
    scope_state& s = *c->scope;
    bool entered = false;
    try {
        if (!o.name.empty()) c->set_name(o.name);
        task_context& own = c->context_for(context);
        entered = try_enter(*c);
        if (entered) return begin(own);
    } catch (...) {
        const scope_state::place place = c->membership();
        if (entered) unregister(*c);
        record_memory<Record>::destroy(c);
        if (entered) s.leave(place);
        throw;
    }
    record_memory<Record>::destroy(c);
    return nullptr;
}

/// What prepare() begins with where the child is the task that `make_task` gives.
template <class MakeTask>
auto begin_with(child_of_task& c, MakeTask make_task) {
    return [&c, make_task = std::move(make_task)](task_context& context) {
        auto t = make_task();
        if (!t) throw_empty_task();
        promise_base* const p = &release_frame(t);
        adopt(c, *p, context);
        return p;
    };
}

/// What prepare() gave; throws scope_closed if that is null.
template <class Job>
Job* admitted(scope_state& s, Job* j) {
    if (j == nullptr) throw_scope_closed(s);
    return j;
}

/// Schedules what prepare() gave. False if that is null.
inline bool launch(scope_state& s, job* j) noexcept {
    if (j == nullptr) return false;
    schedule(*s.context.home, *j);  // After this line the child may be gone.
    return true;
}

template <class T>
promise_base* prepare_task(scope_state& s, const spawn_options& o, task<T>&& t) {
    check_spawnable(t);
    auto* c = record_memory<task_child>::make(s, o.location);
    return prepare(c, o, s.context, begin_with(*c, [&t] { return std::move(t); }));
}

/// A task in any case.
template <class F, class... Args>
promise_base* prepare_task_of(scope_state& s, const spawn_options& o, F&& f, Args&&... args) {
    using record = callable_child<std::decay_t<F>, std::decay_t<Args>...>;
    auto* c =
        record_memory<record>::make(s, o.location, std::forward<F>(f), std::forward<Args>(args)...);
    return prepare(c, o, s.context, begin_with(*c, [c] { return task_of(*c); }));
}

template <class F, class... Args>
job* prepare_callable(scope_state& s, const spawn_options& o, F&& f, Args&&... args) {
    if constexpr (!is_plain<F, Args...>) {
        return prepare_task_of(s, o, std::forward<F>(f), std::forward<Args>(args)...);
    } else {
        using record = plain_record<std::decay_t<F>, std::decay_t<Args>...>;
        auto* c = record_memory<record>::make(s, o.location, std::forward<F>(f),
                                              std::forward<Args>(args)...);
        return prepare(c, o, s.context, [c](task_context& context) -> job* {
            prepare_plain(*c, context);
            return c;
        });
    }
}

template <class T>
child_handle<T> spawn_future_task(scope_state& s, const spawn_options& o, task<T>&& t) {
    check_spawnable(t);
    auto* c = record_memory<future_task_child<T>>::make(s, o.location);
    launch(s, admitted(
                  s, prepare(c, o, c->own_context, begin_with(*c, [&t] { return std::move(t); }))));
    return handle_access::make<T>(c);
}

template <class F, class... Args>
auto spawn_future_callable(scope_state& s, const spawn_options& o, F&& f, Args&&... args) {
    using T = child_result_t<F, Args...>;
    using record = future_callable_child<T, std::decay_t<F>, std::decay_t<Args>...>;
    auto* c =
        record_memory<record>::make(s, o.location, std::forward<F>(f), std::forward<Args>(args)...);
    launch(s,
           admitted(s, prepare(c, o, c->own_context, begin_with(*c, [c] { return task_of(*c); }))));
    return handle_access::make<T>(c);
}

template <class T, class F, class... Args>
task<T> start_child(scope_state& s, std::string name, std::source_location where, F f,
                    Args... args) {
    co_await checkpoint();
    auto shared = std::make_shared<handshake_of<T>>(s);
    auto child =
        spawn_future_callable(s, spawn_options{name, where},
                              start_call<T, F, Args...>(shared, std::move(f), std::move(args)...));
    const stop_token stop = co_await get_stop_token();
    {
        const auto on_stop = [&] {
            if (shared->withdraw()) child.request_stop();
        };
        const stop_callback callback(stop, std::cref(on_stop));
        co_await shared->decided.wait_shielded();
    }
    if (shared->signalled()) co_return shared->take();
    co_await handle_access::ended(child).wait_shielded();
    settled<void> how = shared->ending();
    if (how.is_stopped()) co_await just_stopped();
    std::move(how).take();
    throw start_error(where);
}

/// Base of task_scope and task_group: everything that spawns, in terms of Self::state().
template <class Self>
class spawn_verbs {
public:
    /// Calls `f(args...)`, which returns a task, or else does its work at once, and runs it as a child. `f`
    /// and `args` are copied or moved into the child's record and live as long as the child does, so `f` may
    /// be a lambda with captures. Pass std::ref(x) for a reference.
    ///
    /// If `f` returns a task it is called here, and the task starts on the executor; else it is called on the
    /// executor.
    /// Throws: scope_closed; what copying the arguments, or calling `f` here, throws; std::bad_alloc. Then
    ///   nothing was spawned.
    /// Allocates: the record, with `f` and `args` in it; if `f` returns a task its frame, too.
    template <class F>
        requires spawnable<F>
    void spawn(F&& f, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires spawnable<F, A>
    void spawn(F&& f, A&& a, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    template <class F, class A, class B>
        requires spawnable<F, A, B>
    void spawn(F&& f, A&& a, B&& b, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
    }
    template <class F, class A, class B, class C>
        requires spawnable<F, A, B, C>
    void spawn(F&& f, A&& a, B&& b, C&& c,
               std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
              std::forward<C>(c));
    }
    /// With options and any number of arguments.
    template <class F, class... Args>
        requires spawnable<F, Args...>
    void spawn(const spawn_options& o, F&& f, Args&&... args) {
        launch(state(), admitted(state(), prepare_callable(state(), o, std::forward<F>(f),
                                                           std::forward<Args>(args)...)));
    }

    /// Runs a task from a named coroutine function as a child.
    /// Throws: scope_closed; std::bad_alloc; misuse_error if the task comes from a lambda with captures, which
    ///   would be gone before the task is: spawn the lambda itself instead.
    template <class T>
    void spawn(task<T> t, std::source_location where = std::source_location::current()) {
        spawn(spawn_options{{}, where}, std::move(t));
    }
    template <class T>
    void spawn(const spawn_options& o, task<T> t) {
        launch(state(), admitted(state(), prepare_task(state(), o, std::move(t))));
    }

    /// Like spawn(), but returns false if the scope is closed; the task is then destroyed unrun.
    template <class F, class... Args>
        requires spawnable<F, Args...>
    [[nodiscard]] bool try_spawn(const spawn_options& o, F&& f, Args&&... args) {
        return launch(
            state(), prepare_callable(state(), o, std::forward<F>(f), std::forward<Args>(args)...));
    }
    template <class F>
        requires spawnable<F>
    [[nodiscard]] bool try_spawn(F&& f,
                                 std::source_location where = std::source_location::current()) {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires spawnable<F, A>
    [[nodiscard]] bool try_spawn(F&& f, A&& a,
                                 std::source_location where = std::source_location::current()) {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    template <class T>
    [[nodiscard]] bool try_spawn(const spawn_options& o, task<T> t) {
        return launch(state(), prepare_task(state(), o, std::move(t)));
    }
    template <class T>
    [[nodiscard]] bool try_spawn(task<T> t,
                                 std::source_location where = std::source_location::current()) {
        return try_spawn(spawn_options{{}, where}, std::move(t));
    }

    /// `co_await s.spawn_here(f, args...)` spawns like spawn(), but the child runs now and here, and the caller
    /// waits in this worker's deque, where another worker may take it; else it goes on when the child ends or
    /// suspends. A loop that spawns in this way keeps about one child for each worker in memory, where spawn()
    /// keeps all that were not run yet.
    ///
    /// Throws: as spawn(). Stop: does not wait, so there is nothing to interrupt. On the manual executor, too, the
    ///   child runs before the caller.
    /// Source: Blumofe, Leiserson: Scheduling multithreaded computations by work stealing (JACM 1999): its busy
    ///   leaves are what bounds the memory.
    template <class F>
        requires spawnable<F>
    auto spawn_here(F&& f, std::source_location where = std::source_location::current()) {
        return spawn_here(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires spawnable<F, A>
    auto spawn_here(F&& f, A&& a, std::source_location where = std::source_location::current()) {
        return spawn_here(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    template <class F, class... Args>
        requires spawnable<F, Args...>
    auto spawn_here(const spawn_options& o, F&& f, Args&&... args) {
        TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
        return spawn_here_awaiter(*admitted(
            state(), prepare_task_of(state(), o, std::forward<F>(f), std::forward<Args>(args)...)));
    }
    template <class T>
    auto spawn_here(task<T> t, std::source_location where = std::source_location::current()) {
        return spawn_here(spawn_options{{}, where}, std::move(t));
    }
    template <class T>
    auto spawn_here(const spawn_options& o, task<T> t) {
        return spawn_here_awaiter(*admitted(state(), prepare_task(state(), o, std::move(t))));
    }

    /// Like spawn(), and returns a handle on the child: see child_handle. An error of the child goes to the
    /// scope's policy as usual, and to the handle as well.
    template <class F, class... Args>
        requires spawnable<F, Args...>
    auto spawn_future(const spawn_options& o, F&& f, Args&&... args) {
        return spawn_future_callable(state(), o, std::forward<F>(f), std::forward<Args>(args)...);
    }
    template <class F>
        requires spawnable<F>
    auto spawn_future(F&& f, std::source_location where = std::source_location::current()) {
        return spawn_future(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires spawnable<F, A>
    auto spawn_future(F&& f, A&& a, std::source_location where = std::source_location::current()) {
        return spawn_future(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    template <class T>
    child_handle<T> spawn_future(const spawn_options& o, task<T> t) {
        return spawn_future_task(state(), o, std::move(t));
    }
    template <class T>
    child_handle<T> spawn_future(task<T> t,
                                 std::source_location where = std::source_location::current()) {
        return spawn_future(spawn_options{{}, where}, std::move(t));
    }

    /// Calls `f(args...)` when every member has left, and lets the scope end only after what that gives, a task, has
    /// completed. For what the children use: connections, files, a pool. Several are called one after the other, the
    /// last one given first, and each also if others failed.
    ///
    /// Stop: it is a child of the scope, with a name and a place in reports, but no stop reaches it: limit its time
    ///   with with_timeout() inside. A shutdown whose time is over names it among the stragglers.
    /// Errors: as a child's, so a group throws them together with the others. The scope is closed by then: it can open
    ///   blocks, and spawn nothing. Throws: scope_closed if the scope has ended; what copying throws.
    template <class F>
        requires spawnable<F>
    void defer(F&& f, std::source_location where = std::source_location::current()) {
        detail::defer(state(), {}, where, std::forward<F>(f));
    }
    template <class F, class... Args>
        requires spawnable<F, Args...>
    void defer(const spawn_options& o, F&& f, Args&&... args) {
        detail::defer(state(), o.name, o.location, std::forward<F>(f), std::forward<Args>(args)...);
    }

    /// `T value = co_await s.start(f, args...)` spawns `f(args..., signal)` and waits until that has called `signal`, a
    /// start_signal<T>; the child goes on. `f` returns a task. The type of the value is that of the last parameter
    /// of `f`; if `f` has no one signature: `s.start<T>(f, args...)`. See start.hpp for all that may happen between.
    ///
    /// Returns: a task<T>; nothing is spawned until it is awaited.
    /// Throws: the child's error, if it failed before it signalled; start_error if it ended then; scope_closed.
    /// Stop: one that was requested before spawns nothing. While it waits, it asks the child to stop, and completes as
    ///   stopped when that has ended. Also if the child was stopped with its scope.
    /// Allocates: as spawn_future(), and three frames.
    /// Source: nursery.start() of trio, and of corral.
    template <class T = deduced, class F, class... Args>
        requires startable<T, F, Args...>
    auto start(const spawn_options& o, F&& f, Args&&... args) {
        TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
        return start_child<signal_value_t<T, F>, std::decay_t<F>, std::decay_t<Args>...>(
            state(), std::string(o.name), o.location, std::forward<F>(f),
            std::forward<Args>(args)...);
    }
    template <class T = deduced, class F>
        requires startable<T, F>
    auto start(F&& f, std::source_location where = std::source_location::current()) {
        return start<T>(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class T = deduced, class F, class A>
        requires startable<T, F, A>
    auto start(F&& f, A&& a, std::source_location where = std::source_location::current()) {
        return start<T>(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }
    template <class T = deduced, class F, class A, class B>
        requires startable<T, F, A, B>
    auto start(F&& f, A&& a, B&& b, std::source_location where = std::source_location::current()) {
        return start<T>(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a),
                        std::forward<B>(b));
    }

private:
    friend Self;
    spawn_verbs() = default;
    ~spawn_verbs() = default;

    scope_state& state() noexcept { return static_cast<Self&>(*this).state(); }
};

}  // namespace detail
}  // namespace taskscope
