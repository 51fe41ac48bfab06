// tests/stress/stress.hpp - sizes, clocks and figures for tests that run long.
// SPDX-License-Identifier: MIT
#pragma once

#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace taskscope::test {

/// `full` times TASKSCOPE_STRESS_SCALE, which is 1 unless the environment says otherwise; at least `least`.
inline std::int64_t scaled(std::int64_t full, std::int64_t least = 1) {
    const char* text = std::getenv("TASKSCOPE_STRESS_SCALE");
    const double scale = text != nullptr ? std::strtod(text, nullptr) : 1.0;
    return std::max<std::int64_t>(least, std::llround(static_cast<double>(full) * scale));
}

/// Whether this build is one that figures of time and memory are promised for.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
inline constexpr bool figures_hold = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool figures_hold = false;
#else
inline constexpr bool figures_hold = true;
#endif
#else
inline constexpr bool figures_hold = true;
#endif

/// Resident bytes of this process.
inline std::int64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0;
    std::int64_t resident = 0;
    statm >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

/// Bytes that malloc has handed out and not got back.
inline std::int64_t allocated_bytes() {
    const struct mallinfo2 m = mallinfo2();
    return static_cast<std::int64_t>(m.uordblks + m.hblkhd);
}

/// CPU time this process has used.
inline std::chrono::nanoseconds cpu_time() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

class stopwatch {
public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace taskscope::test
