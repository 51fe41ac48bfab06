// <taskscope/detail/tsan.hpp> - tells a user's ThreadSanitizer about hand-offs inside our compiled code.
// SPDX-License-Identifier: MIT
//
// The library is compiled once, usually without ThreadSanitizer. A program built with it would not see
// the atomics inside our .cpp files, and every job handed from one worker to another would look like a
// race. So each hand-off names itself to the run-time, if there is one.
#pragma once

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the names are the run-time's
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
// NOLINTEND(bugprone-reserved-identifier)
}

namespace taskscope::detail {

inline bool tsan_listens() noexcept { return &__tsan_release != nullptr; }

/// This thread is done with what `address` stands for; another will call tsan_acquire on it.
inline void tsan_release([[maybe_unused]] void* address) noexcept {
    if (&__tsan_release != nullptr) [[unlikely]]
        __tsan_release(address);
}

/// This thread takes over what the last tsan_release(address) gave away.
inline void tsan_acquire([[maybe_unused]] void* address) noexcept {
    if (&__tsan_acquire != nullptr) [[unlikely]]
        __tsan_acquire(address);
}

}  // namespace taskscope::detail
