// <taskscope/task_scope.hpp> - task_scope: a set of children that is joined before it goes.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/scope_state.hpp>
#include <taskscope/detail/spawn_verbs.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/scope_policy.hpp>
#include <taskscope/shutdown.hpp>
#include <taskscope/stop_reason.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace taskscope {

/// Thrown by spawn(), and on opening a scope, when the scope accepts no more members.
class scope_closed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct scope_options {
    /// Part of the scope's path. Copied. If empty: the place where it was opened, such as "server.cpp:41".
    std::string_view name = {};
    /// What happens when a child has completed. A function is told of errors; see scope_policy.
    scope_policy policy = {};
    /// In a shutdown of a scope above: this one has no more time than that, nor than is left there.
    std::optional<shutdown_limits> limits = {};
};

/// Figures of one scope. Read while children run, each is right for some moment of its own; but what comes and goes
/// while it is read may be counted in `live`, or not.
struct scope_counts {
    std::uint64_t live = 0;              ///< children that have not completed
    std::uint64_t scopes = 0;            ///< child scopes that have not ended
    std::uint64_t spawned = 0;           ///< children ever admitted
    std::uint64_t failed = 0;            ///< of these, completed with an error
    std::uint64_t stopped = 0;           ///< of these, completed as stopped
    std::uint64_t refused = 0;           ///< spawns after close
    std::uint64_t handler_failures = 0;  ///< error handlers that threw
    std::uint64_t starting = 0;          ///< live children of start() that have not signalled
};

namespace detail {

/// Waits for the end of a scope, and then throws what its policy has to say.
class [[nodiscard]] join_awaiter : public event_awaiter {
public:
    explicit join_awaiter(scope_state& s) noexcept
        : event_awaiter(s.ended, false), policy_(s.policy()) {}

    /// Touches nothing of the scope: whoever else has joined it may have destroyed it.
    void await_resume() const {
        if (const auto& p = policy_access::get(policy_)) p->result();
    }

private:
    scope_policy policy_;
};

}  // namespace detail

/// Owns the tasks spawned into it and stays until every one has completed.
///
/// with_scope() opens one for a block and always joins it: the usual way. An object can also be a member, be
/// handed around and be joined elsewhere:
///
///     task_scope handlers{app, {.name = "handlers", .policy = log_it}};
///     handlers.spawn(handle, std::move(socket));
///     ...
///     co_await handlers.join();
///
///     state     spawn                       join completes         destructor
///     --------  --------------------------  ---------------------  ---------------------------------
///     open      one more child              after the last child   terminates if a child is running
///     closed    throws; try_spawn: false    after the last child   terminates if a child is running
///     ended     throws; try_spawn: false    at once                allowed
///
/// A scope ends when a join waits, or has come, and its last member leaves. Until then children may be spawned
/// while a join waits, by other children or from outside.
///
/// Beware: do not make one a local variable of a coroutine that awaits anything before it joins: a stop would
///   destroy it with children running. with_scope() is safe.
/// Errors: of children go where scope_options::policy says, and set has_errors(). They do not stop the
///   siblings, unless the policy does that: task_group has one that does.
/// Stop: a stop of the parent is passed on to every child. A child spawned after a stop was requested is
///   admitted and completes as stopped without having run.
/// Memory: nothing is kept for a finished child.
/// Thread safety: all members from any thread, also from children; construction and destruction excepted. Who
///   spawns from outside sees to it that the scope is still there.
/// Allocates: its state, once. Per child one small record, and the frame.
/// Names after [exec.scope] (P3149).
class task_scope final : public detail::spawn_verbs<task_scope> {
public:
    /// A scope below `parent`. Throws scope_closed if the parent is closed.
    explicit task_scope(task_scope& parent, const scope_options& options = {},
                        std::source_location where = std::source_location::current());

    /// A scope below the executor's root.
    explicit task_scope(executor& home, const scope_options& options = {},
                        std::source_location where = std::source_location::current());

    /// Terminates with a message if children or child scopes have not ended, unless shutdown() abandoned them.
    ~task_scope();

    task_scope(const task_scope&) = delete;
    task_scope& operator=(const task_scope&) = delete;

    // Ending.

    /// From now on nothing can be spawned, and no scope opened below, except by with_scope() and with_group() in
    /// its children, who may need them to finish. Requests closing_token(), here and below. Idempotent.
    void close() noexcept;

    /// Asks all members to stop. Returns whether this was the first request. Spawning stays possible. The first
    /// request is remembered with its reason; `text` is copied.
    bool request_stop(stop_kind kind = stop_kind::request, std::string_view text = {}) noexcept {
        return state_->request_stop(kind, text);
    }

    /// `co_await scope.join();` completes when the last member has left; the scope has ended then.
    /// Stop: not interrupted by one. Leaving children behind is the one thing a scope never does.
    /// Throws: what the policy has as its result; misuse_error in a task that is itself a member of the scope, or
    ///   of one below: it would wait for itself.
    [[nodiscard]] detail::join_awaiter join();

    /// The same for a thread, which it blocks. Throws the policy's result; misuse_error on a worker.
    void blocking_join();

    /// Ends this scope and those below within a time limit: closes all of them, from here downwards, except blocks
    /// that tasks have opened with with_scope() and with_group(), which they may need to finish; then, the
    /// innermost first and siblings at the same time, lets members end by themselves for `drain`, asks those
    /// left to stop, waits for `stop`, and gives up on what is still running. Both limits are for the whole
    /// tree; of `stop` each level has its share, so that one straggler does not take the time of those around it, and
    /// of each level's share each scope that has to wait for others its own.
    ///
    /// Returns: what became of everyone. If members were abandoned, the scope may be destroyed nevertheless,
    ///   but its parent and its executor will wait for them.
    /// Stop: completes as stopped; the shutdown goes on.
    /// Thread safety: any thread. A second call waits for the first one and returns the same report; if its limits
    ///   end sooner they replace the first's. A child of the tree itself that awaits this is stopped with the others
    ///   when `drain` is over.
    [[nodiscard]] task<shutdown_report> shutdown(shutdown_limits limits = {});

    /// The same for a thread, which it blocks. Throws misuse_error on a worker.
    shutdown_report blocking_shutdown(shutdown_limits limits = {});

    /// The children of this scope use what `other` has, a scope below the same one: a shutdown ends this one before it
    /// begins to end that.
    /// Throws: misuse_error if the two have not the same parent, or if `other` depends on this one already.
    void depends_on(task_scope& other);

    // Looking.

    bool is_closed() const noexcept { return state_->is_closed(); }
    bool has_ended() const noexcept { return state_->has_ended(); }
    bool stop_requested() const noexcept { return state_->stop.stop_requested(); }
    /// Why, from where and when: the request, here or above, that came first. Null if there was none. Allocates.
    std::shared_ptr<const taskscope::stop_reason> stop_reason() const { return state_->reason(); }
    /// Whether a child has ever failed. One lock-free flag; what led to the error is visible then.
    bool has_errors() const noexcept { return state_->has_errors(); }
    scope_counts counts() const;

    /// Asks the children to stop.
    stop_token get_token() const noexcept { return state_->stop.token(); }
    /// Requested when this scope, or one above, is closed: a sign for children that only wait for something new to do.
    stop_token closing_token() const noexcept { return state_->closing.token(); }

    executor& get_executor() const noexcept { return *state_->context.home; }
    std::string_view name() const noexcept { return state_->name; }
    /// Names from below the root to here, such as "/app-a/handlers"; "/" for the root.
    std::string path() const { return state_->path(); }
    /// The scope above, or nullptr for a root, and after this scope has ended.
    task_scope* parent() const noexcept;
    /// One line: path, state, figures, where it was opened.
    std::string describe() const;

    /// Replaces the policy. Completions that are being dealt with just now are not affected.
    void set_policy(scope_policy policy) { state_->set_policy(std::move(policy)); }

    /// See executor::root().
    static task_scope& root_of(executor& home);

private:
    friend class detail::spawn_verbs<task_scope>;
    friend struct detail::scope_access;

    task_scope(const detail::task_context& above, detail::scope_runtime& runtime,
               detail::scope_state* parent, const scope_options& options,
               std::source_location where, bool body = false);

    explicit task_scope(detail::scope_state& s) noexcept : state_(&s) {}

    detail::scope_state& state() const noexcept { return *state_; }

    detail::scope_state* state_;
};

namespace detail {

/// Grants the scope room access to what is behind a task_scope.
struct scope_access {
    static scope_state& state(const task_scope& s) noexcept { return s.state(); }

    /// A scope with no parent.
    static std::unique_ptr<task_scope> make_root(executor& home, scope_runtime& runtime,
                                                 std::string_view name);

    /// A scope below the current one of a task, stopped with that task. It holds one member: its body.
    static task_scope open(const task_context& context, const scope_options& options,
                           std::source_location where) {
        scope_state& parent = current_state(context);
        return task_scope(context, parent.runtime, &parent, options, where, true);
    }

    /// task_scope::join() for whoever opened the scope and is no member.
    static join_awaiter join(const task_scope& s) noexcept {
        s.state().want_join();
        return join_awaiter(s.state());
    }

    /// A task_scope in `memory` that owns nothing, for children whose scope object may go before they do.
    static void make_view(scope_state& s, void* memory) noexcept;

    /// The scope a task belongs to: the root, unless it was spawned.
    static scope_state& current_state(const task_context& context);
};

}  // namespace detail
}  // namespace taskscope
