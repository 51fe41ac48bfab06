// scope/src/observers.hpp - tells an executor's observers what happens.
// SPDX-License-Identifier: MIT
#pragma once

#include "observer_list.hpp"

#include <taskscope/detail/child.hpp>
#include <taskscope/detail/watcher.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace taskscope::detail {

class scope_runtime;

/// What a child has beside its record that was spawned while there were observers.
struct observed_extras : child_extras {
    struct told {
        std::uint64_t number;  // of an observer, in the order of the list
        slot own;
    };

    explicit observed_extras(child_extras&& e) noexcept : child_extras(std::move(e)) {}

    child_id id = 0;
    child_id spawner = 0;
    bool started = false;     // these two belong to whoever runs the child
    std::vector<told> slots;  // of those who were told that it was spawned
    std::shared_ptr<stop_source> stop;
};

class observers final : public watcher {
public:
    explicit observers(scope_runtime& r);

    std::uint64_t add(std::shared_ptr<observer> who, std::source_location where);
    void remove(std::uint64_t number) noexcept;
    /// The executor has ended.
    void leave_runtime() noexcept;

    // Called only if there are observers, or were when the child was spawned.

    /// Before the child can begin. Returns its context: the one it would have, or one of its own. Without memory it is
    /// not observed.
    task_context& spawned(child& c, task_context& context) noexcept;
    /// By whoever ends it, on a worker. Nobody is told of it afterwards.
    void completed(child& c, outcome how, const std::exception_ptr* error) noexcept;
    void opened(scope_state& s) noexcept;
    void ended(scope_state& s) noexcept;

    watched& record(traced_receiver& r) noexcept override;
    bool takes_up(worker& w, watched& c, bool runs) noexcept override;
    void lets_go(worker& w, watched& c, std::source_location at) noexcept override;
    void thread_ends(worker& w) noexcept override;

private:
    template <class F>
    void tell(F f) noexcept;
    template <class F>
    void tell_of(child& c, F f) noexcept;
    void failed(const observer_entry& e) noexcept;
    /// Workers look at us no more, if there is nobody in the list.
    void rest() noexcept;

    std::mutex mutex_;  // guards runtime_, additions, and the flags of workers
    scope_runtime* runtime_;
    observer_list list_;
};

}  // namespace taskscope::detail
