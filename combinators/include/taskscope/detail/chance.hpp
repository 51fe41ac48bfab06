// <taskscope/detail/chance.hpp> - numbers by chance, for delays that are not to be the same everywhere.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace taskscope::detail {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class chance {
public:
    /// With a seed of 0 every object has a sequence of its own; with any other it is that of the seed.
    explicit chance(std::uint64_t seed) noexcept;

    /// At least 0, less than `limit`; 0 if that is not positive.
    std::chrono::steady_clock::duration below(std::chrono::steady_clock::duration limit) noexcept;

private:
    std::uint64_t state_;
};

}  // namespace taskscope::detail
