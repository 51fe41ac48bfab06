// <taskscope/detail/await_trace.hpp> - where a task was last suspended, for those who look from outside.
// SPDX-License-Identifier: MIT
//
// A suspended task may be resumed, and its frames be gone, at any moment, so nobody else may walk over them. Therefore
// the task itself, on its way into a suspension, copies what others may want to know into its record, which stays while
// they look. Each promise knows where its coroutine awaits (job::awaits_at). Only on an executor that traces awaits: the
// way from the leaf to the record is long. (docs/decisions/0009-await-sites.md)
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

/// What the room above keeps of a child, and no coroutine waits for. If the child is a task this is told of its end, and
/// has a `trace`, set before the task begins, if the executor traces awaits. Else it is itself what is queued, and the
/// worker that takes it tells it of the end of no task: to do the child's work is then its affair.
struct traced_receiver : receiver, job {
    explicit traced_receiver(function f) noexcept : receiver(f), job(job_kind::child) {}
};

/// Puts the places into the traces on the way up; those that are more than 256 awaits away are not reached.
void trace_suspension(promise_base& leaf) noexcept;

/// The record at the top of the task; nullptr if it has none, or is more than 256 awaits away.
traced_receiver* record_of(promise_base& leaf) noexcept;

/// note_suspension() where somebody wants to know.
void tell_suspension(promise_base& leaf) noexcept;

/// The leaf of a task is about to be suspended, and not yet known to anybody who may resume it.
inline void note_suspension(promise_base& leaf) noexcept {
    if (this_worker()->notes) [[unlikely]]
        tell_suspension(leaf);
}

}  // namespace taskscope::detail
