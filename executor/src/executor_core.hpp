// executor/src/executor_core.hpp - what is behind an executor: workers, queues, and the loop.
// SPDX-License-Identifier: MIT
#pragma once

#include "blocking_threads.hpp"
#include "idle.hpp"
#include "injection_queue.hpp"
#include "timer_queue.hpp"

#include <taskscope/executor.hpp>

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace taskscope::detail {

class executor_core {
public:
    executor_core(executor& home, const executor_options& options, bool by_hand);
    ~executor_core() = default;
    executor_core(const executor_core&) = delete;
    executor_core& operator=(const executor_core&) = delete;

    /// Starts one thread per worker. Throws std::system_error after joining those it had started.
    void start_threads();
    /// Shuts down extensions, lets workers finish what is queued, joins them. Idempotent.
    void shutdown();
    /// shutdown(), and the end of the extensions. The last call.
    void close();
    bool is_shut_down() const noexcept { return shut_down_.load(std::memory_order_relaxed); }

    // Handing in. Any thread.

    void schedule(job& j) noexcept;
    void inject(job& j) noexcept;
    void arm(timer_entry& entry);

    clock::time_point now() const noexcept;

    // One step of the manual executor, on the calling thread.

    bool run_one_manually();
    /// Runs a job, or waits for a blocking call, or moves the clock to the next timer but not beyond `limit`.
    /// False if there is nothing of all this.
    bool drive_manually(clock::time_point limit);
    void wait_manually() noexcept;
    bool advance_manually(clock::time_point t) noexcept;

    executor_extension& extension(const void* key,
                                  std::unique_ptr<executor_extension> (*make)(executor&));

    taskscope::statistics statistics() const noexcept;

    executor& self;
    const std::string name;
    const unsigned spins;
    const bool manual;
    const bool trace_awaits;
    task_context base;
    idle_state idle;
    injection_queue injected;
    timer_queue timers;
    std::vector<std::unique_ptr<worker>> workers;
    blocking_threads blocking;

private:
    /// So many injected jobs go into a worker's deque at once, at most; of stolen ones, deque::most_stolen. From nowhere.
    using several_jobs = std::array<job*, 32>;

    friend struct worker;
    friend struct core_access;  // tests/model

    // The loop; src/worker.cpp.
    void run_worker(worker& w) noexcept;
    void run(worker& w, job* j) noexcept;
    job* step(worker& w, job& j) noexcept;
    job* find(worker& w) noexcept;
    job* find_fairly(worker& w) noexcept;
    bool others_wait(const worker& w) const noexcept;
    job* take_injected(worker& w) noexcept;
    /// Puts all but the first, which it returns, into the deque of `w`.
    job* keep(worker& w, several_jobs& found, std::size_t n) noexcept;
    job* steal(worker& w) noexcept;
    const worker* left_alone(worker& w) noexcept;
    job* search(worker& w) noexcept;
    void sleep(worker& w) noexcept;
    void drive(worker& w) noexcept;
    bool work_visible(const worker* elsewhere_than = nullptr) const noexcept;
    void poll(worker& w) noexcept;
    void leave_idling(worker& w) noexcept;
    void join_threads() noexcept;
    executor_extension* last_running_extension() noexcept;

    struct extension_entry {
        const void* key = nullptr;
        std::unique_ptr<executor_extension> extension;
        bool shut_down = false;
    };

    std::recursive_mutex extensions_mutex_;  // an extension may want another one when it is made
    std::list<extension_entry> extensions_;
    std::mutex shutdown_mutex_;
    atomic<bool> shut_down_{false};  // written under the mutex
    atomic<bool> exiting_{false};
    atomic<bool> reactor_busy_{false};  // one caller of poll() and wait() at a time
    atomic<clock::rep> manual_now_{0};
    std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace taskscope::detail
