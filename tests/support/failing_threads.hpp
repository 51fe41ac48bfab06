// tests/support/failing_threads.hpp - threads that cannot be started when a test says so.
// SPDX-License-Identifier: MIT
//
// For executor_thread_failure_tests: failing_threads.cpp replaces pthread_create of the whole program.
#pragma once

namespace support {

/// As long as it lives, the `k`-th thread (from 1) that anybody starts, and every one after it, cannot be.
class failing_threads {
public:
    explicit failing_threads(int k) noexcept;
    ~failing_threads();
    failing_threads(const failing_threads&) = delete;
    failing_threads& operator=(const failing_threads&) = delete;
};

}  // namespace support
