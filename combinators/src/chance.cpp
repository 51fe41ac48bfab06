// combinators/src/chance.cpp - seeds and numbers.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/chance.hpp>

#include <atomic>
#include <random>

namespace taskscope::detail {
namespace {

constexpr std::uint64_t step = 0x9e3779b97f4a7c15;

std::uint64_t fresh_seed() {
    static std::atomic<std::uint64_t> next{(std::uint64_t{std::random_device{}()} << 32) |
                                           std::random_device{}()};
    // relaxed: each caller gets another number, and that is all.
    return next.fetch_add(step * 2, std::memory_order_relaxed);
}

}  // namespace

chance::chance(std::uint64_t seed) noexcept : state_(seed != 0 ? seed : fresh_seed()) {}

std::chrono::steady_clock::duration chance::below(
    std::chrono::steady_clock::duration limit) noexcept {
    if (limit <= limit.zero()) return limit.zero();
    std::uint64_t z = state_ += step;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    using rep = std::chrono::steady_clock::rep;
    return std::chrono::steady_clock::duration(
        static_cast<rep>(z % static_cast<std::uint64_t>(limit.count())));
}

}  // namespace taskscope::detail
