// <taskscope/detail/suspension.hpp> - a task suspended until an event or a stop, whichever comes first.
// SPDX-License-Identifier: MIT
//
// Event and stop may both arrive, on other threads, while await_suspend is still setting things up. So:
//   - whoever sets `claimed` first decides how the wait ends, and nobody else touches the awaiter;
//   - the task goes on when it is both `decided` and `armed`, and the later of the two sends it on.
// After a call of decide() or of arm() that returned false the awaiter may be gone.
#pragma once

#include <taskscope/detail/await_trace.hpp>
#include <taskscope/detail/promise.hpp>
#include <taskscope/detail/watcher.hpp>

#include <cstdint>

namespace taskscope::detail {

class suspension {
public:
    /// The task is about to be published to event and stop.
    void begin(promise_base& p) noexcept { task_ = &p; }

    /// True for the first caller: it, and only it, then calls decide().
    bool try_claim() noexcept {
        // relaxed: whoever may claim has found the wait in a list, a heap or a registration, under its mutex.
        return (state_.fetch_or(claimed, std::memory_order_relaxed) & claimed) == 0;
    }

    bool is_claimed() const noexcept {
        // relaxed: who asks has passed a mutex that the claimer passes after its claim.
        return (state_.load(std::memory_order_relaxed) & claimed) != 0;
    }

    /// Ends the wait. Any thread.
    void decide(outcome how) noexcept {
        promise_base& task = *task_;
        executor& home = *task.context->home;
        if (how == outcome::stopped) task.result = outcome::stopped;
        // edge suspension.resume: whichever of decide() and arm() comes second sees what the other wrote.
        if ((state_.fetch_or(decided, std::memory_order_acq_rel) & armed) != 0) {
            schedule(home, task);  // After this line *this may be gone.
        }
    }

    /// The last step of await_suspend: everything is set up. Returns what await_suspend returns.
    std::coroutine_handle<> arm() noexcept {
        promise_base& task = *task_;
        note_suspension(task);
        // edge suspension.resume, see decide().
        if ((state_.fetch_or(armed, std::memory_order_acq_rel) & decided) == 0) {
            return std::noop_coroutine();  // *this may be gone.
        }
        if (task.result == outcome::stopped || is_watched(*this_worker())) {
            return this_worker()->bounce(task);  // to be unwound; or the loop tells that it goes on
        }
        return this_worker()->transfer(task.handle(), task);
    }

    promise_base& task() noexcept { return *task_; }

private:
    static constexpr std::uint32_t claimed = 1;
    static constexpr std::uint32_t decided = 2;
    static constexpr std::uint32_t armed = 4;

    promise_base* task_ = nullptr;
    atomic<std::uint32_t> state_{0};
};

}  // namespace taskscope::detail
