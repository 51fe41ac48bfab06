// tests/support/stack.hpp - how deep the stack of a thread gets.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace support {

/// The part of one thread's stack between the deepest and the shallowest call of look().
class stack_range {
public:
    /// A hundred thousand calls of whatever kind need several megabytes.
    static constexpr std::size_t flat = std::size_t{512} << 10;

    [[gnu::noinline]] void look() noexcept {
        // Not the address of a local, which AddressSanitizer may put elsewhere.
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        low_ = std::min(low_, here);
        high_ = std::max(high_, here);
    }
    std::size_t bytes() const noexcept { return high_ > low_ ? high_ - low_ : 0; }

private:
    std::uintptr_t low_ = std::numeric_limits<std::uintptr_t>::max();
    std::uintptr_t high_ = 0;
};

}  // namespace support
