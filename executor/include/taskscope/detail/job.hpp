// <taskscope/detail/job.hpp> - what a deque holds: a coroutine to go on with, a function to call, or the record of a child.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <source_location>

namespace taskscope::detail {

class await_trace;

/// How a worker runs a job.
enum class job_kind : std::uint8_t {
    coroutine,  ///< a promise_base: resume, unwind or deliver, see worker::run
    function,   ///< a function_job: call it
    batch,      ///< the same, and nobody's: it is not counted
    child,      ///< a traced_receiver that has no task: told at once
};

/// Base of everything that can wait in a deque or in the injection queue. A job is in at most one of
/// them at a time, and whoever takes it out owns it.
struct job {
    explicit constexpr job(job_kind k) noexcept : kind(k) {}
    job(const job&) = delete;
    job& operator=(const job&) = delete;

    // A job that is not queued needs no link. What was written last is not told: who reads knows.
    union {
        job* next;                       ///< while it is queued: link of the injection queue
        std::source_location awaits_at;  ///< while it is suspended in a co_await: where that stands
        await_trace* trace;  ///< of a traced_receiver that has a task, which is queued in its place
    };
    job_kind kind;
};

/// A job that is no coroutine. Its memory is its owner's affair; `call` may destroy it.
struct function_job : job {
    using function = void (*)(function_job&) noexcept;

    explicit constexpr function_job(function f, job_kind k = job_kind::function) noexcept
        : job(k), call(f) {}

    function call;
};

}  // namespace taskscope::detail
