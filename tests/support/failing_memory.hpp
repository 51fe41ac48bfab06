// tests/support/failing_memory.hpp - memory that cannot be had when a test says so; and its count.
// SPDX-License-Identifier: MIT
//
// For executor_memory_failure_tests: failing_memory.cpp replaces operator new of the whole program.
#pragma once

#include <cstdint>

namespace support {

/// As long as it lives, the `k`-th allocation of this thread (from 1), and every one after it, fails.
class failing_memory {
public:
    explicit failing_memory(std::int64_t k) noexcept;
    ~failing_memory();
    failing_memory(const failing_memory&) = delete;
    failing_memory& operator=(const failing_memory&) = delete;
};

/// How often this thread has called operator new.
std::int64_t allocations() noexcept;

/// Bytes that operator new has given out in this program and that were not given back.
std::int64_t bytes_in_use() noexcept;

}  // namespace support
