// benchmarks/shared_writes/lines.hpp - who wrote a line of memory last, who has read it since, and what was counted.
// SPDX-License-Identifier: MIT
#pragma once

#include "shared_writes/machine.hpp"

#include <bitset>
#include <source_location>
#include <string>
#include <unordered_map>

namespace shared_writes {

inline constexpr std::size_t max_threads = 128;

class lines {
public:
    /// Returns whether the line had to come from elsewhere.
    bool read(const void* address, unsigned thread, const std::source_location& at);
    bool write(const void* address, unsigned thread, const std::source_location& at);

    void reset();
    /// All but what machines count.
    report take() const;

private:
    struct line {
        int writer = -1;  // the last one
        std::bitset<max_threads> readers;
        std::uint64_t misses = 0;
    };
    struct by_text {
        std::size_t operator()(const std::source_location& at) const noexcept;
        bool operator()(const std::source_location& a,
                        const std::source_location& b) const noexcept;
    };

    line& of(const void* address);

    std::unordered_map<std::uintptr_t, line> lines_;
    std::unordered_map<std::source_location, counts, by_text, by_text> places_;
};

}  // namespace shared_writes
