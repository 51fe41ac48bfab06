// tests/support/watchdog.hpp - notices that a program does not get on, tells in which state its threads are, and aborts.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/executor.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace support {

/// TASKSCOPE_PATIENCE in seconds, or 20.
std::chrono::seconds patience();

/// While it lives somebody calls progress() at least once in the time of its patience. Else it prints, to stderr,
/// where the kernel says each thread is, what the executor counts, and the tree of scopes; and aborts.
class watchdog {
public:
    /// `program`: who does not get on, in words.
    explicit watchdog(std::string program, std::chrono::milliseconds limit = patience());
    ~watchdog();
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;

    void progress() noexcept { steps_.fetch_add(1, std::memory_order_relaxed); }

    /// Whose state it tells; nullptr: nobody's. The executor lives until the next call.
    void look_at(taskscope::executor* ex);

private:
    void run();
    [[noreturn]] void bark() noexcept;

    const std::string program_;
    const std::chrono::milliseconds limit_;
    std::atomic<std::uint64_t> steps_{0};
    std::mutex mutex_;
    std::condition_variable over_;
    bool ends_ = false;
    taskscope::executor* looked_at_ = nullptr;
    std::thread thread_;
};

}  // namespace support
