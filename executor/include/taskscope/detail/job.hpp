// <taskscope/detail/job.hpp> - what a deque holds: a coroutine to go on with, or a function to call.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace taskscope::detail {

/// How a worker runs a job.
enum class job_kind : std::uint8_t {
    coroutine,  ///< a promise_base: resume, unwind or deliver, see worker::run
    function,   ///< a function_job: call it
};

/// Base of everything that can wait in a deque or in the injection queue. A job is in at most one of
/// them at a time, and whoever takes it out owns it.
struct job {
    explicit constexpr job(job_kind k) noexcept : kind(k) {}
    job(const job&) = delete;
    job& operator=(const job&) = delete;

    job* next =
        nullptr;  ///< link of the injection queue; free for anybody while the job is not queued
    job_kind kind;
};

/// A job that is no coroutine. Its memory is its owner's affair; `call` may destroy it.
struct function_job : job {
    using function = void (*)(function_job&) noexcept;

    explicit constexpr function_job(function f) noexcept : job(job_kind::function), call(f) {}

    function call;
};

}  // namespace taskscope::detail
