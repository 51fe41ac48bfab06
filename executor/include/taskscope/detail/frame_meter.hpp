// <taskscope/detail/frame_meter.hpp> - how much memory for frames this thread takes within a block.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/frame_memory.hpp>

#include <cstddef>

namespace taskscope::detail {

/// Adds to `bytes` what this thread allocates as long as it lives. A local variable of a function that is no
/// coroutine. Nobody else pays for it: it takes the thread's cache away, so that each allocation comes by the way that
/// is there for threads without one. Of meters that nest only the inner one counts.
class frame_meter {
public:
    explicit frame_meter(std::size_t& bytes) noexcept;
    frame_meter(const frame_meter&) = delete;
    frame_meter& operator=(const frame_meter&) = delete;
    ~frame_meter();

private:
    friend struct without_cache;

    std::size_t& bytes_;
    frame_cache* cache_;  // the thread's; nullptr in a thread that is just ending
    frame_meter* outer_;
};

/// Of this thread.
extern constinit thread_local frame_meter* innermost_meter;

}  // namespace taskscope::detail
