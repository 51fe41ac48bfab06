// <taskscope/task_group.hpp> - task_group: the first error stops everyone, and all errors are thrown together.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/exception_group.hpp>
#include <taskscope/with_scope.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskscope {

namespace detail {
struct group_access;
}

/// A scope with a policy: children that have to succeed together.
///
/// It has a task_scope and adds nothing to it but an error policy, written on its public surface: on the first
/// error all children, and the body, are asked to stop; when they have ended, join() throws every error there
/// was in one exception_group. At most `max_errors` are kept; the rest are counted.
///
/// Thread safety: as task_scope.
class task_group final : public detail::spawn_verbs<task_group> {
public:
    static constexpr std::size_t max_errors = 1000;

    explicit task_group(task_scope& parent, std::string_view name = {},
                        std::source_location where = std::source_location::current());
    explicit task_group(executor& home, std::string_view name = {},
                        std::source_location where = std::source_location::current());
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Completes when the last child has ended.
    /// Throws: exception_group if there were errors, to the first caller that comes after them.
    /// Stop: not interrupted by one.
    task<> join();

    /// For a thread, which it blocks. Throws as join(); misuse_error on a worker.
    void blocking_join();

    void close() noexcept { scope_.close(); }
    bool request_stop() noexcept { return scope_.request_stop(); }
    bool has_errors() const noexcept { return scope_.has_errors(); }

    /// The scope it is made of: for looking, for child scopes, for shutdown.
    task_scope& scope() noexcept { return scope_; }

private:
    friend class detail::spawn_verbs<task_group>;
    friend struct detail::group_access;

    task_group(const detail::task_context& context, std::string_view name,
               std::source_location where);

    /// Shared with the policy: after a shutdown that gave up on children these may fail when the group is gone.
    struct collection {
        void add(std::exception_ptr error) noexcept;

        std::mutex mutex;  // guards what follows
        std::vector<std::exception_ptr> errors;
        std::size_t dropped = 0;
    };

    static error_policy collecting(std::shared_ptr<collection> c);
    void collect(std::exception_ptr error) noexcept;
    void rethrow();
    detail::scope_state& state() noexcept { return detail::scope_access::state(scope_); }

    std::shared_ptr<collection> collected_ = std::make_shared<collection>();
    task_scope scope_;
};

namespace detail {

struct group_access {
    static task_group open(const task_context& context, std::string_view name,
                           std::source_location where) {
        return task_group(context, name, where);
    }
    static void collect(task_group& g, std::exception_ptr e) { g.collect(std::move(e)); }
    static void rethrow(task_group& g) { g.rethrow(); }
};

template <class Body>
task<body_value_t<Body, task_group>> run_in_group(Body body, std::string name,
                                                  std::source_location where) {
    const task_context& context = co_await get_context();
    task_group group = group_access::open(context, name, where);
    using T = body_value_t<Body, task_group>;
    body_awaiter<T> running(group.scope(), body, group, where);
    co_await running;
    if (running.stopped()) group.request_stop();
    if (std::exception_ptr error = running.error()) group_access::collect(group, std::move(error));
    co_await scope_access::join(group.scope());
    group_access::rethrow(group);
    if (running.stopped()) co_await just_stopped();
    co_return running.take();
}

}  // namespace detail

/// `co_await with_group([&](task_group& g) -> task<T> {...})` opens a group below the current scope, runs the
/// body as its first child, and joins it. The body's error counts like a child's.
///
/// Returns: what the body returned, if nobody failed. Throws: exception_group.
/// Stop: is passed on to body and children. An error goes before a stop: what failed is never hidden by it.
/// Beware, Allocates: as with_scope().
template <class Body>
    requires detail::scope_body<Body, task_group>
auto with_group(Body&& body, std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_in_group<std::decay_t<Body>>(std::forward<Body>(body), {}, where);
}

/// With a name.
template <class Body>
    requires detail::scope_body<Body, task_group>
auto with_group(std::string_view name, Body&& body,
                std::source_location where = std::source_location::current()) {
    TASKSCOPE_CHECK_AWAIT_ARGUMENT(Body);
    return detail::run_in_group<std::decay_t<Body>>(std::forward<Body>(body), std::string(name),
                                                    where);
}

}  // namespace taskscope
