// <taskscope/detail/await_note.hpp> - where a task was last suspended, for those who look from outside.
// SPDX-License-Identifier: MIT
//
// A suspended task may be resumed, and its frames be gone, at any moment, so nobody else may walk over them. Therefore
// the task itself, on its way into a suspension, copies what others may want to know into its record, which stays while
// they look. Each promise knows where its coroutine awaits (job::awaits_at). One store of the innermost place is all; an
// executor that traces awaits keeps the places above it too, in an await_trace. (docs/decisions/0009-await-sites.md)
//
// Branches of a fork_join may be suspended at the same time, on several workers, and note it in the same record. One
// of them writes the trace; who comes meanwhile leaves it at that. A reader that sees `sequence` odd, or changed at the
// end, has met a writer, and reads again.
//
// Source: Boehm: Can seqlocks get along with programming language memory models? MSPC 2012: orders on the data
// instead of fences.
#pragma once

#include <taskscope/detail/atomic.hpp>
#include <taskscope/detail/promise.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <source_location>

namespace taskscope::detail {

/// Places of co_awaits, innermost first.
struct await_list {
    static constexpr std::size_t most = 12;  // from nowhere: it fits a screen

    void add(std::source_location at) noexcept {
        if (count < most) {
            places[count++] = at;
        } else {
            ++unlisted;
        }
    }

    std::array<std::source_location, most> places{};
    std::uint32_t count = 0;
    std::uint32_t unlisted = 0;  ///< how many more there are further out
};

/// An await_list that several may write and any number read.
class await_trace {
public:
    /// Does nothing if another thread is just writing.
    void write(const await_list& list) noexcept;
    /// False, and leaves `list` as it may be, if there was always somebody writing.
    bool read(await_list& list) const noexcept;
    /// The innermost place; line 0 if there was none yet.
    std::source_location innermost() const noexcept {
        return places_.front().load(std::memory_order_relaxed);
    }

private:
    std::array<atomic<std::source_location>, await_list::most> places_{};
    atomic<std::uint64_t> numbers_{
        0};  // how many there are, and above that how many are not listed
    atomic<std::uint32_t> sequence_{first_count<std::uint32_t>()};  // odd: being written
};

/// One word in a record: the place, or where the trace is.
class await_note {
public:
    await_note() noexcept = default;

    /// From now on `t`, which lives as long as the record, is written. Before the task begins.
    void trace_into(await_trace& t) noexcept {
        word_.store(std::bit_cast<std::uintptr_t>(&t) | traced, std::memory_order_relaxed);
    }
    /// The trace; nullptr if there is none.
    await_trace* trace() const noexcept {
        const std::uintptr_t word = word_.load(std::memory_order_relaxed);
        return (word & traced) != 0 ? std::bit_cast<await_trace*>(word - traced) : nullptr;
    }
    void set_place(std::source_location at) noexcept {
        word_.store(std::bit_cast<std::uintptr_t>(at), std::memory_order_relaxed);
    }
    /// Where the task was last suspended; line 0 if it has not been yet. Any thread, while the record is there.
    std::source_location place() const noexcept {
        if (const await_trace* t = trace()) return t->innermost();
        return std::bit_cast<std::source_location>(word_.load(std::memory_order_relaxed));
    }

private:
    static_assert(sizeof(std::source_location) == sizeof(std::uintptr_t));
    static constexpr std::uintptr_t traced = 1;  // what both point to is aligned to more

    atomic<std::uintptr_t> word_{0};
};

/// One that keeps where its task was last suspended, and that no coroutine waits for.
struct noted_receiver : receiver {
    explicit constexpr noted_receiver(function f) noexcept : receiver(f) {}

    await_note note;
};

/// The leaf of a task is about to be suspended, and not yet known to anybody who may resume it. Puts the places into the
/// records on the way up; those that are more than 256 awaits away are not reached.
void note_suspension(promise_base& leaf) noexcept;

}  // namespace taskscope::detail
