// <taskscope/detail/gated_ring.hpp> - a bounded queue without a lock, that whoever has a lock can have to himself.
// SPDX-License-Identifier: MIT
//
// A channel in which nobody waits is a bounded queue, and many threads may use it at once. As soon as somebody waits
// its calls must look at queue and waiters together, under a mutex. So both ends of the queue have a gate:
//
//   head, tail      [ lap | index | gate ]      whoever moves one on with a compare-exchange owns the cell it leaves
//   cell.stamp      p: free for the push at position p;  p + 1: holds its value;  p + lap: popped, free for the next lap
//
//   gate open       try_push and try_pop, any thread
//   gate closed     these fail at once; push and pop, by the holder of the owner's mutex alone
//
// Gate and position are one word: when it is closed, each try_ has either got its cell before or will fail. Those that
// have got one may still be busy with it, for a few instructions; push and pop wait for the stamp of their cell.
//
// Sources
//   Vyukov: Bounded MPMC queue. 1024cores.net. The stamps.
//   crossbeam-channel: laps, so that the capacity need not be a power of two; a mark in the tail when it is closed.
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/pause.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace taskscope::detail {

/// Allocates: once, in the constructor.
template <class T>
class gated_ring {
public:
    /// The gate is open, unless there is no room at all.
    explicit gated_ring(std::size_t capacity)
        : capacity_(capacity),
          lap_(2 * std::bit_ceil(std::uint64_t{capacity} + 1)),
          cells_(std::make_unique<cell[]>(capacity)) {
        for (std::size_t i = 0; i < capacity; ++i) {
            cells_[i].stamp.store(2 * i, std::memory_order_relaxed);
        }
        if (capacity == 0) close_gate();
    }
    gated_ring(const gated_ring&) = delete;
    gated_ring& operator=(const gated_ring&) = delete;
    ~gated_ring() {
        close_gate();
        while (!empty()) pop();
    }

    std::size_t capacity() const noexcept { return capacity_; }

    std::size_t size() const noexcept {
        // Exact behind the gate. Else a guess, of two positions that need not be of the same moment.
        const std::uint64_t head = count(position(head_));
        const std::uint64_t tail = count(position(tail_));
        return tail > head ? std::min<std::size_t>(tail - head, capacity_) : 0;
    }

    /// False, and `value` is as it was, if the gate is closed, or there is no room just now.
    bool try_push(T& value) noexcept {
        // relaxed, here and in the compare-exchange: what is in a cell is ordered by its stamp.
        std::uint64_t at = tail_.load(std::memory_order_relaxed);
        for (spin_backoff lost;;) {
            if ((at & gate) != 0) return false;
            cell& c = cells_[index(at)];
            // edge channel.cell, acquire half (release half: the stores of stamps): the pop before us is over.
            if (c.stamp.load(std::memory_order_acquire) != at) {
                if (tail_.load(std::memory_order_relaxed) == at) return false;
                lost.pause();
                at = tail_.load(std::memory_order_relaxed);
            } else if (tail_.compare_exchange_weak(at, next(at), std::memory_order_relaxed)) {
                fill(c, at, value);
                return true;
            } else {
                lost.pause();
                at = tail_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Nothing if the gate is closed, or there is no value just now.
    bool try_pop(std::optional<T>& value) noexcept {
        // relaxed: as in try_push().
        std::uint64_t at = head_.load(std::memory_order_relaxed);
        for (spin_backoff lost;;) {
            if ((at & gate) != 0) return false;
            cell& c = cells_[index(at)];
            // edge channel.cell, acquire half (release half: the stores of stamps): the value is there.
            if (c.stamp.load(std::memory_order_acquire) != at + full_cell) {
                if (head_.load(std::memory_order_relaxed) == at) return false;
                lost.pause();
                at = head_.load(std::memory_order_relaxed);
            } else if (head_.compare_exchange_weak(at, next(at), std::memory_order_relaxed)) {
                value.emplace(std::move(c.value));
                clear(c, at);
                return true;
            } else {
                lost.pause();
                at = head_.load(std::memory_order_relaxed);
            }
        }
    }

    // The rest: with the owner's mutex held.

    void close_gate() noexcept {
        if (gate_closed_) return;
        gate_closed_ = true;
        // relaxed: a try_ that still succeeds comes before this in the order of changes of the same word.
        tail_.fetch_or(gate, std::memory_order_relaxed);
        head_.fetch_or(gate, std::memory_order_relaxed);
    }
    void open_gate() noexcept {
        if (!gate_closed_ || capacity_ == 0) return;
        gate_closed_ = false;
        head_.fetch_and(~gate, std::memory_order_relaxed);
        tail_.fetch_and(~gate, std::memory_order_relaxed);
    }

    // And with the gate closed.

    bool empty() const noexcept { return position(head_) == position(tail_); }
    bool full() const noexcept {
        return position(head_) + lap_ == position(tail_) || capacity_ == 0;
    }

    /// There is room.
    void push(T& value) noexcept {
        const std::uint64_t at = position(tail_);
        cell& c = cells_[index(at)];
        wait_for(c, at);
        tail_.store(next(at) | gate, std::memory_order_relaxed);
        fill(c, at, value);
    }

    /// There is a value.
    T pop() noexcept {
        const std::uint64_t at = position(head_);
        cell& c = cells_[index(at)];
        wait_for(c, at + full_cell);
        head_.store(next(at) | gate, std::memory_order_relaxed);
        T value(std::move(c.value));
        clear(c, at);
        return value;
    }

private:
    static constexpr std::uint64_t gate = 1;
    static constexpr std::uint64_t full_cell = 1;

    struct cell {
        cell() noexcept {}
        ~cell() {}  // whether there is a value, its stamp knows
        atomic<std::uint64_t> stamp{0};
        union {
            T value;
        };
    };

    std::size_t index(std::uint64_t at) const noexcept { return (at & (lap_ - 1)) / 2; }
    std::uint64_t next(std::uint64_t at) const noexcept {
        return index(at) + 1 < capacity_ ? at + 2 : (at & ~(lap_ - 1)) + lap_;
    }
    /// How many came before.
    std::uint64_t count(std::uint64_t at) const noexcept {
        return at / lap_ * capacity_ + index(at);
    }
    static std::uint64_t position(const atomic<std::uint64_t>& word) noexcept {
        return word.load(std::memory_order_relaxed) & ~gate;
    }

    // A try_ that has got this cell is just finishing with it.
    static void wait_for(cell& c, std::uint64_t stamp) noexcept {
        // edge channel.cell, acquire half (release half: the stores of stamps).
        while (c.stamp.load(std::memory_order_acquire) != stamp) std::this_thread::yield();
    }
    void fill(cell& c, std::uint64_t at, T& value) noexcept {
        std::construct_at(std::addressof(c.value), std::move(value));
        // edge channel.cell, release half (acquire half: the loads of stamps): the value is there.
        c.stamp.store(at + full_cell, std::memory_order_release);
    }
    void clear(cell& c, std::uint64_t at) noexcept {
        std::destroy_at(std::addressof(c.value));
        // edge channel.cell, release half (acquire half: the loads of stamps): we are out of the cell.
        c.stamp.store(at + lap_, std::memory_order_release);
    }

    // Apart, but not aligned to cache lines: a channel may be a local variable of a coroutine, whose frame is not.
    const std::size_t capacity_;
    const std::uint64_t lap_;  // a power of two, in units of positions
    const std::unique_ptr<cell[]> cells_;
    bool gate_closed_ = false;  // guarded by the owner's mutex
    std::byte before_tail_[cache_line]{};
    atomic<std::uint64_t> tail_{0};
    std::byte before_head_[cache_line]{};
    atomic<std::uint64_t> head_{0};
    std::byte after_head_[cache_line]{};
};

}  // namespace taskscope::detail
