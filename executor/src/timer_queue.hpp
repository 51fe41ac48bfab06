// executor/src/timer_queue.hpp - the deadlines of an executor's sleeping tasks.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/timer.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace taskscope::detail {

/// A binary heap whose entries know their place, so that a stopped sleep leaves in O(log n).
///
/// An entry is claimed under the mutex, in the same step in which it leaves the heap. Whoever stops a sleep
/// claims first and takes the mutex then. So of the two exactly one wins, and the loser has stopped looking
/// at the entry before the winner lets the task go on.
class timer_queue {
public:
    /// Returns whether the entry is now the earliest. Throws std::bad_alloc.
    bool arm(timer_entry& entry);
    void disarm(timer_entry& entry) noexcept;

    /// Ends the waits that are due. Returns whether there were any.
    bool fire(clock::time_point now) noexcept;

    /// time_point::max() if there is none. Any thread, without the mutex.
    clock::time_point earliest() const noexcept {
        return clock::time_point(clock::duration(earliest_.load(std::memory_order_relaxed)));
    }
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
    struct place {
        clock::time_point deadline;
        std::uint64_t number;  // of the call of arm(): of equal deadlines the first goes first
        timer_entry* entry;

        bool before(const place& other) const noexcept {
            return deadline < other.deadline ||
                   (deadline == other.deadline && number < other.number);
        }
    };

    void put(std::size_t i, place p) noexcept;
    void sift_up(std::size_t i, place p) noexcept;
    void sift_down(std::size_t i, place p) noexcept;
    void remove(std::size_t i) noexcept;
    void publish() noexcept;

    std::mutex mutex_;  // guards heap_, armed_, and the index of every entry in it
    std::vector<place> heap_;
    std::uint64_t armed_ = 0;
    atomic<clock::rep> earliest_{clock::time_point::max().time_since_epoch().count()};
    atomic<std::size_t> size_{0};
};

}  // namespace taskscope::detail
