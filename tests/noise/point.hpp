// tests/noise/point.hpp - where a thread may be held up, and from which seed.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace noise {

/// Now and then: spins, gives the processor away, or sleeps for a moment. Any thread. Threads are calm and restless
/// by turns, each in its own way, so that now this and now that one is much slower than the others.
void point() noexcept;

/// TASKSCOPE_NOISE_SEED, or a seed of this run; printed when it is first asked for.
std::uint64_t seed();

/// From here on each thread has numbers of its own that depend on the seed, on `name`, and on how many threads have
/// come before it since this call: as much of a run as can be repeated.
void reseed(std::string_view name) noexcept;

/// How many waits on a futex have ended because their time was over.
std::uint64_t time_outs() noexcept;

}  // namespace noise
