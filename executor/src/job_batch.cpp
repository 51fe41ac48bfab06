// executor/src/job_batch.cpp - out of a deque into a batch, and back into another one.
// SPDX-License-Identifier: MIT
#include "job_batch.hpp"

#include <taskscope/detail/worker.hpp>

#include <new>

namespace taskscope::detail {

static_assert(sizeof(job_batch) <= frame_class::bytes(frame_class::count - 1),
              "recycled as frames are");

job_batch* job_batch::take_from(deque& queue) noexcept {
    void* memory = nullptr;
    try {
        memory = allocate_frame(sizeof(job_batch));
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    auto* const batch = ::new (memory) job_batch;
    if (queue.pop_many(batch->jobs_.data(), size)) return batch;
    free_frame(batch, sizeof(job_batch));
    return nullptr;
}

void job_batch::spread(function_job& f) noexcept {
    auto* const self = static_cast<job_batch*>(&f);
    worker& w = *this_worker();
    for (job* const j : self->jobs_) {
        __builtin_prefetch(j, 1);  // made long ago, and run soon
        w.push(*j);
    }
    free_frame(self, sizeof(job_batch));
}

}  // namespace taskscope::detail
