// executor/src/job_batch.hpp - many jobs that wait, and are stolen, as one.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/deque.hpp>
#include <taskscope/detail/job.hpp>

#include <array>
#include <cstddef>

namespace taskscope::detail {

/// A job that puts those in it into the deque of whoever runs it.
///
/// So a worker's deque stays short, and in its cache, however many jobs it has made, and a thief that comes late takes
/// many at a time.
class job_batch : public function_job {
public:
    static constexpr std::size_t size =
        shrinkable<std::size_t>(124, 2);  // with those, a block of 1 KiB

    /// Of the youngest jobs. nullptr if there is no memory, or there are not so many.
    static job_batch* take_from(deque& queue) noexcept;

private:
    job_batch() noexcept : function_job(&job_batch::spread, job_kind::batch) {}

    static void spread(function_job& f) noexcept;

    std::array<job*, size> jobs_{};  // the oldest first
};

}  // namespace taskscope::detail
