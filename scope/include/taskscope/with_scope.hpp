// <taskscope/with_scope.hpp> - a scope for a block: opened, its body run as the first child, always joined.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/contract.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/task_scope.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {
namespace detail {

void body_ends(child& c, promise_base* p) noexcept;

/// Runs the body of a scope, which holds it as a member from the beginning, and goes on with the awaiting task
/// however it completes.
template <class T>
class [[nodiscard]] body_awaiter : relay {
public:
    using taskscope_awaiter = void;

    /// What calling `body` throws, before it is a coroutine, is the body's error too.
    template <class Body, class Argument>
    body_awaiter(task_scope& s, Body& body, Argument& argument, std::source_location at) noexcept
        : relay(&body_awaiter::ended),
          record_(nullptr, scope_access::state(s), at),
          task_(task_access::make<T>(nullptr)) {
        try {
            task_ = body(argument);
            if (!task_) throw_empty_task();
        } catch (...) {
            early_error_ = std::current_exception();
            record_.scope->leave(record_.membership());
        }
    }

    bool await_ready() const noexcept { return early_error_ != nullptr; }
    template <std::derived_from<promise_base> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
        parent = &h.promise();
        enlist(record_);
        trace_awaits(record_);
        list(record_);
        trace = record_.trace;
        promise_base& p = task_access::promise(task_);
        p.context = &record_.scope->context;
        p.reports_to = completion::relay;
        p.recv = this;
        p.owner = &task_access::frame(task_);
        return this_worker()->bounce(p);  // through the loop, which switches to its context
    }
    static void await_resume() noexcept {}

    void tell_policy() noexcept {
        std::exception_ptr failure = error();
        record_.scope->body_ended(failure != nullptr ? completion_kind::error
                                  : stopped()        ? completion_kind::stopped
                                                     : completion_kind::value,
                                  failure);
    }

    // How it has completed.

    bool stopped() const noexcept { return !task_ && early_error_ == nullptr; }
    /// Null if there is none.
    std::exception_ptr error() noexcept {
        if (!task_) return early_error_;
        promise_base& p = task_access::promise(task_);
        return p.result == outcome::error ? p.error : nullptr;
    }
    /// The value; rethrows the error. Not if it was stopped.
    T take() {
        if (early_error_ != nullptr) std::rethrow_exception(std::move(early_error_));
        return task_access::promise(task_).take();
    }

private:
    static job* ended(receiver& r, promise_base* p) noexcept {
        auto& self = static_cast<body_awaiter&>(r);
        body_ends(self.record_, p);
        return self.parent;
    }

    child_of_task record_;  // is not told of the end itself
    task<T> task_;
    std::exception_ptr early_error_;
};

template <class Body, class Scope>
using body_value_t = typename std::invoke_result_t<std::decay_t<Body>&, Scope&>::value_type;

template <class Body, class Scope>
concept scope_body =
    requires(std::decay_t<Body>& body, Scope& s) { requires is_task_type<decltype(body(s))>; };

/// `Block` is task_scope, or is made of one.
template <class Block>
struct block_access;

template <>
struct block_access<task_scope> {
    static task_scope open(const task_context& context, const scope_options& options,
                           std::source_location where) {
        return scope_access::open(context, options, where);
    }
    static task_scope& scope(task_scope& s) noexcept { return s; }
};

/// `options` without its name, which may be gone.
template <class Block, class Body>
task<body_value_t<Body, Block>> run_block(Body body, std::string name, scope_options options,
                                          std::source_location where) {
    const task_context& context = co_await get_context();
    options.name = name;
    Block block = block_access<Block>::open(context, options, where);
    task_scope& scope = block_access<Block>::scope(block);
    body_awaiter<body_value_t<Body, Block>> running(scope, body, block, where);
    co_await running;
    running.tell_policy();
    if (running.error() != nullptr) scope.request_stop(stop_kind::error, "of the body");
    if (running.stopped()) scope.request_stop(stop_kind::outer);
    co_await scope_access::join(scope);
    if (running.stopped()) co_await just_stopped();
    co_return running.take();
}

}  // namespace detail

/// `co_await with_scope([&](task_scope& s) -> task<T> {...})` opens a scope below the current one, runs the body
/// as its first child, waits until every child has completed, and gives what the body returned.
///
/// Within the body and its children the new scope is the current one.
/// Errors: an error of the body asks the children to stop and is rethrown here when they have ended. Errors of
///   children go to the scope's policy. What that has as its result is thrown here in place of the body's error.
/// Stop: is passed on to body and children; when all have ended this completes as stopped too, if the body was
///   and the policy has no error to throw. A body that completes as stopped asks the children to stop.
/// Beware: locals of the body die when the body ends, and children may still be running then. Declare what they
///   borrow outside the body.
/// Allocates: the scope's state, and two frames.
template <class Body>
    requires detail::scope_body<Body, task_scope>
auto with_scope(Body&& body, std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_scope, std::decay_t<Body>>(std::forward<Body>(body), {}, {},
                                                             where);
}

/// With a name.
template <class Body>
    requires detail::scope_body<Body, task_scope>
auto with_scope(std::string_view name, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_scope, std::decay_t<Body>>(std::forward<Body>(body),
                                                             std::string(name), {}, where);
}

/// With options. Give them a name of their own before: g++ 12 would destroy a temporary twice.
template <class Options, class Body>
    requires std::same_as<std::remove_cvref_t<Options>, scope_options> &&
             detail::scope_body<Body, task_scope>
auto with_scope(Options&& options, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Options);
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_block<task_scope, std::decay_t<Body>>(
        std::forward<Body>(body), std::string(options.name), options, where);
}

}  // namespace taskscope
