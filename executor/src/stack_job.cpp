// executor/src/stack_job.cpp - the thief's side of a stack_job, and its caller's when it has to wait.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <taskscope/detail/pause.hpp>
#include <taskscope/parallel.hpp>

#include <thread>

namespace taskscope::detail {
namespace {

/// Steals from the thief of `j` what belongs to `j`.
job* steal_part(stack_job& j, worker& thief) noexcept {
    if (thief.forks.looks_empty()) return nullptr;
    // edge stack_job.help, release half (acquire half: the loads in end()): the thief ends the job only outside of
    // this. The beginning needs no order: of it and `ending` the later one sees the other in the same word.
    const std::uint32_t state = j.state.fetch_or(stack_job::helper, std::memory_order_relaxed);
    job* part = nullptr;
    if ((state & (stack_job::ending | stack_job::done)) == 0) part = thief.forks.steal_from(j.base);
    j.state.fetch_and(~stack_job::helper, std::memory_order_release);
    return part;
}

/// Whether there was something to do.
bool help(stack_job& j) noexcept {
    // edge stack_job.thief, acquire half (release half: the store in begin()): j.base.
    worker* const thief = j.thief.load(std::memory_order_acquire);
    if (thief == nullptr) return false;  // it was taken out of our deque just now
    job* const part = steal_part(j, *thief);
    if (part == nullptr) return false;
    tsan_acquire(part);
    worker_counters::add(this_worker()->counters.steals);
    auto& f = static_cast<function_job&>(*part);  // j forks nothing else
    f.call(f);
    return true;
}

}  // namespace

unsigned workers_here() noexcept {
    const worker* w = this_worker();
    return w != nullptr ? static_cast<unsigned>(w->core->workers.size()) : 1;
}

task_context* stack_job::begin(worker& w) noexcept {
    task_context* const outer = w.context;
    w.context = context;
    base = w.forks.bottom();
    // edge stack_job.thief, release half (acquire half: the load in help()).
    thief.store(&w, std::memory_order_release);
    return outer;
}

void stack_job::end() noexcept {
    tsan_release(this);
    // edge stack_job.help, acquire half (release half: the end of steal_part()): what a helper has taken is gone.
    std::uint32_t s = state.fetch_or(ending, std::memory_order_acquire);
    while ((s & helper) != 0) {
        std::this_thread::yield();                  // the helper may not be running just now
        s = state.load(std::memory_order_acquire);  // edge stack_job.help, acquire half
    }
    // edge stack_job.done, release half (acquire half: the load in wait_for_thief()): what the function did.
    state.store(done, std::memory_order_release);  // After this line *this may be gone.
}

void wait_for_thief(stack_job& j) noexcept {
    constexpr int spins = 64;
    int idle = 0;
    // edge stack_job.done, acquire half (release half: the store in end()).
    while ((j.state.load(std::memory_order_acquire) & stack_job::done) == 0) {
        if (help(j)) {
            idle = 0;
        } else if (++idle < spins) {
            pause_processor();
        } else {
            std::this_thread::yield();
        }
    }
    tsan_acquire(&j);
}

}  // namespace taskscope::detail
