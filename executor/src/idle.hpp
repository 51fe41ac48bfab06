// executor/src/idle.hpp - which workers sleep, which search, and the one way to wake one.
// SPDX-License-Identifier: MIT
//
// The protocol and why no wake-up is lost: executor/README.md, "Falling asleep".
#pragma once

#include "futex.hpp"

#include <taskscope/detail/worker.hpp>
#include <taskscope/reactor.hpp>

#include <cstdint>
#include <mutex>

namespace taskscope::detail {

class idle_state {
public:
    /// `searchers`: at most so many workers search at the same time, at least 1.
    void set_limit(std::uint32_t searchers) noexcept { searcher_limit_ = searchers; }

    // Searching. A searcher looks into all queues; while there is one, nobody needs to be woken. Who is woken
    // counts as a searcher from that moment, so that a burst of pushes wakes one worker and not all.

    bool try_start_search(worker& w) noexcept;
    /// Returns whether this was the last searcher: if it found work it must see to waking another.
    bool stop_search(worker& w) noexcept;

    // Sleeping. announce(), heavy_barrier(), look into all queues once more, block, retract().

    /// Returns whether `w` is to drive: to wait for timers and I/O instead of only on its wake_word.
    bool announce(worker& w) noexcept;
    /// After waking up, or instead of blocking. Gives up the driver's role. Whoever was woken searches now.
    void retract(worker& w) noexcept;

    /// Wakes one sleeping worker, if there is one: rather not the driver.
    void wake_one() noexcept;
    /// Makes somebody wait for timers and I/O anew: wakes the driver, or a sleeper to become it.
    void wake_driver() noexcept;
    /// Wakes a sleeper to become the driver, if nobody drives.
    void appoint_driver() noexcept;
    void wake_all() noexcept;

    /// Whether a worker that sleeps could help with a job that was just made ready. The caller has put the
    /// job where searchers look, and passed a full barrier.
    bool should_wake() const noexcept {
        return sleeping_.load(std::memory_order_relaxed) != 0 &&
               searching_.load(std::memory_order_relaxed) == 0;
    }

    const atomic<std::uint32_t>& sleeping() const noexcept { return sleeping_; }
    std::uint64_t wakes() const noexcept { return wakes_.load(std::memory_order_relaxed); }

    /// Where the driver waits; nullptr: on its wake_word.
    atomic<reactor*> io{nullptr};

private:
    worker* take_sleeper() noexcept;
    worker* take_driver() noexcept;
    void remove_driver() noexcept;
    void wake(worker& w, bool in_reactor) noexcept;

    alignas(cache_line_pair) atomic<std::uint32_t> sleeping_{0};
    atomic<std::uint32_t> searching_{0};
    std::uint32_t searcher_limit_ = 1;

    std::mutex mutex_;            // guards the list, the driver's role, and asleep of each worker
    worker* sleepers_ = nullptr;  // without the driver; last in, first out
    worker* driver_ = nullptr;    // asleep, and drives
    atomic<std::uint64_t> wakes_{0};
};

}  // namespace taskscope::detail
