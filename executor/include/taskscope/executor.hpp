// <taskscope/executor.hpp> - the object that owns the workers.
// SPDX-License-Identifier: MIT
//
// Behind it: one deque per worker, an injection queue, a timer queue, and a protocol for falling asleep.
// executor/README.md tells how they work together and why no wake-up is lost.
#pragma once

#include <taskscope/errors.hpp>
#include <taskscope/reactor.hpp>
#include <taskscope/statistics.hpp>
#include <taskscope/task.hpp>
#include <taskscope/worker_count.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskscope {

class task_scope;

struct executor_options {
    /// 1 to 65 000. By default what CPU affinity and cgroup quota allow, see default_worker_count().
    unsigned workers = default_worker_count();
    /// Workers' threads are called <name>/0, <name>/1, ... (the kernel keeps 15 characters). Copied.
    std::string_view name = "taskscope";
    /// How many rounds a worker looks for work, with a pause between them, before it sleeps. More is not always
    /// better: who has searched for long may have to wait for a processor when it is woken (executor/README.md).
    unsigned spins = 16;
    /// At most so many threads run functions given to run_blocking() at the same time. At least 1.
    unsigned blocking_threads = 64;
    /// Keeps for each child the places of the co_awaits that it was last suspended in, from the innermost one up, for
    /// dumps and reports. Costs about 150 bytes for each child, and at each suspension some 20 ns and 2 for each
    /// coroutine that waits. Without it nothing is kept. See also await_chain.hpp.
    bool trace_awaits = false;
};

namespace detail {

class executor_core;

/// Something of the rooms above that lives as long as an executor: the root scope, the I/O context.
class executor_extension {
public:
    virtual ~executor_extension() = default;
    /// Called by the executor's destructor, in reverse order of creation, while the workers still run.
    virtual void shut_down() noexcept = 0;

protected:
    executor_extension() = default;
    executor_extension(const executor_extension&) = default;
    executor_extension& operator=(const executor_extension&) = default;
};

struct executor_access;

}  // namespace detail

/// Runs tasks on a fixed set of workers.
///
/// Destruction: requests a stop of the root scope and waits until its children have completed, then lets
///   the workers finish what is queued, and joins them. From any thread except its own workers, where it
///   terminates with a message. All scopes must have been joined before. shutdown() does the same earlier;
///   it is idempotent.
/// fork(): a child process may only exec or _exit.
/// Thread safety: all members from any thread, except destruction.
class executor {
public:
    using clock = std::chrono::steady_clock;

    /// Starts the workers.
    /// Throws: std::invalid_argument for 0, or too many, workers or 0 blocking threads; std::system_error when a thread
    ///   cannot be started, after those already started were joined.
    explicit executor(const executor_options& options = {});
    ~executor();
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;

    /// Runs `t` and blocks the calling thread until it has completed.
    ///
    /// Returns: its value. Throws: its error; stopped_error if it was stopped; misuse_error on a worker,
    ///   which would wait for itself (co_await the task instead).
    template <class T>
    T run(task<T> t);

    /// Ends the executor as the destructor does. Blocks. Tasks must not be run or spawned afterwards.
    void shutdown();

    /// The scope at the root of the tree: it always exists. Needs <taskscope/task_scope.hpp>.
    template <class Scope = task_scope>
    Scope& root() {
        return Scope::root_of(*this);
    }

    /// How many workers there are.
    unsigned workers() const noexcept;
    std::string_view name() const noexcept;

    /// The time its timers go by: the steady clock, unless it is a manual_executor.
    clock::time_point now() const noexcept;

    taskscope::statistics statistics() const noexcept;

    /// Lets idle workers wait in `r`, which must live until shutdown() or the destructor has returned.
    /// At most one reactor per executor; throws misuse_error for a second one.
    void attach(reactor& r);

    /// Wakes whoever waits in the reactor, or, if nobody does, a sleeping worker. For reactors that were
    /// handed work by a foreign thread.
    void wake_reactor() noexcept;

protected:
    // No aggregate: clang would take it for what the braces of `executor{{.workers = 1}}` may mean in a template.
    struct manual_tag {
        explicit manual_tag(bool traces = false) noexcept : trace_awaits(traces) {}
        bool trace_awaits;
    };
    explicit executor(manual_tag how);

private:
    friend detail::executor_access;

    void run_blocking_wait(detail::promise_base*& owner);

    std::unique_ptr<detail::executor_core> core_;
};

namespace detail {

struct executor_access {
    static executor_core& core(const executor& e) noexcept { return *e.core_; }
};

/// The extension of type `E`, made with `E(home)` at the first call.
executor_extension& extension(executor& home, const void* key,
                              std::unique_ptr<executor_extension> (*make)(executor&));

template <std::derived_from<executor_extension> E>
E& extension_of(executor& home) {
    static const char key = 0;
    return static_cast<E&>(extension(home, &key, [](executor& e) {
        return std::unique_ptr<executor_extension>(std::make_unique<E>(e));
    }));
}

/// Whether it is a manual_executor.
bool is_manual(const executor& home) noexcept;

/// executor_options::trace_awaits.
bool traces_awaits(const executor& home) noexcept;

/// Throws misuse_error on a worker, which must not wait for others.
void check_may_block();

}  // namespace detail

template <class T>
T executor::run(task<T> t) {
    run_blocking_wait(detail::task_access::frame(t));
    if (!t) throw stopped_error{};
    return detail::task_access::promise(t).take();
}

}  // namespace taskscope
