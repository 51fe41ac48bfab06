// benchmarks/harness/bench.hpp - runs a workload once, checks its answer, and says what it cost, as one line of JSON.
// SPDX-License-Identifier: MIT
//
// One process per run: peak memory means something then, and run.py interleaves the contenders.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

struct options {
    unsigned threads = 1;
    bool quick = false;
};

inline options parse(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--quick") == 0) {
            o.quick = true;
        } else if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            o.threads = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        } else {
            std::fprintf(stderr, "usage: %s [--threads N] [--quick]\n", argv[0]);
            std::exit(2);
        }
    }
    if (o.threads == 0) {
        std::fprintf(stderr, "%s: --threads takes a number from 1\n", argv[0]);
        std::exit(2);
    }
    return o;
}

inline double cpu_seconds() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

/// Not getrusage: its figure is inherited from the process that started this one.
inline long peak_rss_kib() {
    long kib = 0;
    if (std::FILE* status = std::fopen("/proc/self/status", "r")) {
        char line[128];
        while (std::fgets(line, sizeof line, status) != nullptr) {
            if (std::sscanf(line, "VmHWM: %ld", &kib) == 1) break;
        }
        std::fclose(status);
    }
    return kib;
}

/// Runs `run()` once to warm up with a small size and once for the record. Exit status 1 for a wrong answer.
template <class Answer, class Run, class WarmUp>
int measure(Answer expected, double operations, Run run, WarmUp warm_up) {
    warm_up();
    const double cpu_before = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const Answer answer = run();
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool ok = answer == expected;
    std::printf(
        "{\"seconds\": %.6f, \"cpu_s\": %.6f, \"peak_rss_kib\": %ld, \"ns_per_op\": %.3f, \"ok\": "
        "%s}\n",
        wall, cpu_seconds() - cpu_before, peak_rss_kib(), 1e9 * wall / operations,
        ok ? "true" : "false");
    return ok ? 0 : 1;
}

}  // namespace bench
