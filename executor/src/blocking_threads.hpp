// executor/src/blocking_threads.hpp - the threads behind run_blocking().
// SPDX-License-Identifier: MIT
#pragma once

#include "futex.hpp"

#include <taskscope/detail/time.hpp>
#include <taskscope/run_blocking.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

namespace taskscope::detail {

/// An elastic set: a thread is started when a call finds none idle, up to a limit, and ends when it has been
/// idle for keep_alive. Calls beyond the limit wait in order; a stop takes one out of the line.
class blocking_threads {
public:
    static constexpr std::chrono::seconds keep_alive = hiding_limit(std::chrono::seconds(5));

    explicit blocking_threads(unsigned limit) noexcept : limit_(limit) {}
    /// Waits for running and waiting calls, then joins all threads.
    ~blocking_threads() { stop(); }
    blocking_threads(const blocking_threads&) = delete;
    blocking_threads& operator=(const blocking_threads&) = delete;

    /// Throws std::system_error if there is no thread and none can be started; then nothing has changed.
    void start(blocking_call& call);
    /// For who has claimed `call` instead of a thread: takes it out of the line, and decides that it was stopped. O(1).
    void withdraw(blocking_call& call) noexcept;
    void stop() noexcept;

    std::uint32_t threads() const noexcept { return alive_.load(std::memory_order_relaxed); }
    /// Calls not yet completed.
    std::uint32_t calls() const noexcept {
        // edge blocking.calls, acquire half (release half: the store in run()).
        return calls_.load(std::memory_order_acquire);
    }

private:
    struct thread_entry {
        std::thread thread;
        atomic<std::uint32_t> wake{0};
        bool idle = false;
    };
    using thread_list = std::list<thread_entry>;

    void run(thread_list::iterator self) noexcept;
    void link(blocking_call& call) noexcept;
    void unlink(blocking_call& call) noexcept;
    blocking_call* take() noexcept;
    bool wait_idle(std::unique_lock<std::mutex>& lock, thread_list::iterator self) noexcept;
    void reap(std::unique_lock<std::mutex>& lock) noexcept;

    const unsigned limit_;
    std::mutex mutex_;  // guards everything below; the counters are written under it
    blocking_call* first_ = nullptr;
    blocking_call* last_ = nullptr;
    unsigned waiting_ = 0;    // calls in that list
    unsigned finishing_ = 0;  // threads that hand in a result and then look for another call
    thread_list busy_;
    thread_list idle_;      // most recently used first
    thread_list finished_;  // to be joined
    bool stopping_ = false;
    atomic<std::uint32_t> alive_{0};
    atomic<std::uint32_t> calls_{0};
};

}  // namespace taskscope::detail
