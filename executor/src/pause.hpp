// executor/src/pause.hpp - what to do between two looks at something another thread is about to change.
// SPDX-License-Identifier: MIT
#pragma once

namespace taskscope::detail {

inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace taskscope::detail
