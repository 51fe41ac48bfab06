// <taskscope/detail/worker.hpp> - one thread of an executor: the part that spawn, await and join touch.
// SPDX-License-Identifier: MIT
//
// Everything here runs on the worker's own thread unless it says otherwise. What a worker does when it
// has nothing to do is in src/worker.cpp.
#pragma once

#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/context.hpp>
#include <taskscope/detail/deque.hpp>
#include <taskscope/detail/fork_deque.hpp>
#include <taskscope/detail/frame_memory.hpp>
#include <taskscope/detail/tsan.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>

namespace taskscope::detail {

class executor_core;
class watcher;
struct watched;

/// About where the stack ends. Not the frame's address: asking for that makes every function that does keep a frame.
[[gnu::always_inline]] inline void* stack_pointer() noexcept {
#if defined(__x86_64__)
    void* sp = nullptr;
    asm volatile("mov %%rsp, %0" : "=r"(sp));  // volatile: each time anew
    return sp;
#elif defined(__aarch64__)
    void* sp = nullptr;
    asm volatile("mov %0, sp" : "=r"(sp));
    return sp;
#else
    return __builtin_frame_address(0);
#endif
}

/// Counters with one writer, the worker, and any number of readers.
struct worker_counters {
    using counter = atomic<std::uint64_t>;

    static void add(counter& c, std::uint64_t n = 1) noexcept {
        c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    counter jobs{0};
    counter steals{0};
    counter sleeps{0};
    counter bounces{0};
};

/// What a thief has got.
struct theft {
    std::size_t jobs = 0;
    bool of_branch = false;  ///< which stands for half a tree
};

/// Jobs of one group, a scope, that have been called one after the other and are through, but not settled with the group.
/// Written by the worker, read by anybody.
struct called_jobs {
    atomic<const void*> group{nullptr};
    atomic<std::uint32_t> count{0};
};

/// Of an executor: so many, and the places of other threads, have numbers of 16 bits.
inline constexpr unsigned most_workers = 65'000;

/// So many tasks may begin, one from the other, before control returns to the worker's loop. Bounds the time until the
/// worker looks at injected, timer and I/O work.
inline constexpr unsigned transfer_budget = 128;
/// And so far may the stack grow, in bytes, as it does where the compiler makes no tail calls (g++ without optimisation or
/// with a sanitizer: about 500 for each transfer).
inline constexpr std::size_t transfer_stack = std::size_t{64} * 1024;

struct alignas(cache_line_pair) worker {
    /// `most`: jobs in its deque.
    worker(executor_core& c, unsigned i, std::int64_t most)
        : queue(deque::initial_capacity, most), core(&c), index(i) {}

    /// Pushes a job that this worker, or a thief, will run.
    [[gnu::always_inline]] void push(job& j) noexcept {
        if (!push_to(queue, j)) [[unlikely]]
            overflow(j);
    }

    /// The same for one that the caller comes back for. False if there is no room for it.
    [[gnu::always_inline]] bool try_fork(job& j) noexcept { return push_to(forks, j); }

    /// The youngest job of its own.
    job* pop() noexcept {
        job* const j = forks.pop();
        return j != nullptr ? j : queue.pop();
    }

    /// For a function that is about to end: the job that the loop would run after it, to be counted and called by the caller; or
    /// nullptr, if it is time to look around.
    job* take_next() noexcept;
    /// Not called: the loop runs it.
    void put_back(job& j) noexcept;

    /// Any thread. The oldest branch, or the oldest of its other jobs, up to half of them: the oldest first. None when there
    /// are none or another thread was faster.
    theft steal(std::span<job*> into) noexcept {
        into[0] = forks.steal();
        if (into[0] != nullptr) return {1, true};
        return {queue.steal(into), false};
    }

    /// Any thread. Whether there seemed to be no job, as of a deque.
    bool looks_empty() const noexcept { return queue.looks_empty() && forks.looks_empty(); }

    /// After a push: whether to call wake_for_push().
    bool sees_sleepers() const noexcept {
        // edge idle.push: the push comes before the look at the sleepers, against a worker that announces
        // its sleep and then looks at the queues (executor/README.md, "Falling asleep").
        compiler_barrier();  // where that is not enough, `sleepers` says so
        return sleepers->load(std::memory_order_relaxed) != 0;
    }

    /// Begins or resumes `target` by symmetric transfer: the handle to return from await_suspend.
    std::coroutine_handle<> transfer(std::coroutine_handle<> handle, job& target) noexcept {
        if (--budget != 0) [[likely]]
            return handle;
        return bounce(target);
    }

    /// The same on the way up, where a task has ended. Not counted: each was on the way down.
    std::coroutine_handle<> go_on(std::coroutine_handle<> handle, job& target) noexcept {
        if (stack_pointer() > stack_floor) [[likely]]
            return handle;
        return bounce(target);
    }

    /// Returns to the loop, which runs `target` at once: the handle to return from await_suspend.
    std::coroutine_handle<> bounce(job& target) noexcept {
        next = &target;
        return std::noop_coroutine();
    }

    void wake_for_push() noexcept;
    /// Gives a job to everybody.
    void hand_over(job& j) noexcept;
    /// Makes room for it.
    void overflow(job& j) noexcept;

    fork_deque forks;  ///< branches of a fork_join, parts of a parallel_invoke
    deque queue;       ///< everything else

    alignas(cache_line_pair) unsigned budget = transfer_budget;
    void* stack_floor = nullptr;      ///< go_on() returns to the loop below it
    job* next = nullptr;              ///< what the loop runs when the present job returns
    task_context* context = nullptr;  ///< of the job that is running
    atomic<watcher*> told{nullptr};   ///< which children run; detail/watcher.hpp
    executor_core* core;
    /// How many workers sleep; where barriers are not asymmetric a number that is never 0, for the sake of the full
    /// barrier in wake_for_push().
    const atomic<std::uint32_t>* sleepers = nullptr;
    unsigned index;
    std::uint32_t random = 0;
    std::uint32_t tick = first_count<std::uint32_t>();
    bool traces_awaits = false;  ///< executor_options::trace_awaits
    bool notes = false;          ///< suspensions: it traces awaits, or there is a `child`
    bool drove = false;          ///< has been the driver since it last ran a job
    bool polling =
        false;  ///< runs timers or completions: whoever polls wakes others afterwards, once
    bool searching = false;  ///< counted among the searchers
    /// Whom it took few jobs from in its last theft, or has left alone since; it waits before the next one.
    const worker* took_little_from = nullptr;
    watched* child = nullptr;  ///< the one that is running, if it is watched
    called_jobs called;        ///< while they are called one after the other
    worker_counters counters;

    /// Where this worker sleeps. Written under the idle lock, by the one who wakes it.
    alignas(cache_line_pair) atomic<std::uint32_t> wake_word{0};
    worker* next_sleeper = nullptr;  ///< link in the list of sleepers; guarded by the idle lock
    bool asleep = false;             ///< in that list; guarded by the idle lock

private:
    template <class Deque>
    [[gnu::always_inline]] bool push_to(Deque& d, job& j) noexcept {
        tsan_release(&j);
        if (!d.push(&j)) [[unlikely]]
            return false;
        if (sees_sleepers()) [[unlikely]]
            wake_for_push();
        return true;
    }
};

/// constinit: no guard and no wrapper function at each access. initial-exec: one load.
extern constinit thread_local worker* current_worker [[gnu::tls_model("initial-exec")]];

/// The worker this thread is, or nullptr. Never keep the answer across a suspension.
inline worker* this_worker() noexcept {
    worker* w = current_worker;
    asm volatile(""
                 : "+r"(w)::"memory");  // a coroutine may resume on another thread: read it again
    return w;
}

/// How many of the group the workers have called that are through and not settled. Any thread; exact if no worker calls or
/// settles any meanwhile.
std::uint64_t called_of(executor& home, const void* group) noexcept;

/// Hands `j` to the executor: to this worker's deque if this thread is one of its workers, else from
/// outside. Any thread.
void schedule(executor& home, job& j) noexcept;

}  // namespace taskscope::detail
