// benchmarks/harness/bench.cpp - the command line, the clocks and the line of JSON.
// SPDX-License-Identifier: MIT
#include "bench.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace bench {
namespace {

[[noreturn]] void usage(const char* program, std::span<const variant> variants) {
    std::fprintf(stderr, "usage: %s [--threads N] [--quick]%s\n", program,
                 variants.empty() ? "" : " --variant NAME | --variants");
    std::exit(2);
}

[[noreturn]] void list(std::span<const variant> variants, bool quick) {
    for (const variant& v : variants) {
        if (quick && !v.quick) continue;
        std::printf("%.*s %u\n", static_cast<int>(v.name.size()), v.name.data(), v.threads);
    }
    std::exit(0);
}

/// A line of /proc/self/status. Not getrusage: its peak is inherited from the process that started this one.
long status_kib(std::string_view key) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        long kib = 0;
        if (word == key && status >> kib) return kib;
    }
    return 0;
}

}  // namespace

options parse(int argc, char** argv, std::span<const variant> variants) {
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--variants") list(variants, o.quick);
        if (argument == "--quick") {
            o.quick = true;
        } else if (argument == "--threads" && i + 1 < argc) {
            o.threads = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        } else if (argument == "--variant" && i + 1 < argc) {
            o.variant = argv[++i];
        } else {
            usage(argv[0], variants);
        }
    }
    const auto chosen = std::find_if(variants.begin(), variants.end(),
                                     [&](const variant& v) { return v.name == o.variant; });
    if (!variants.empty() && chosen == variants.end()) usage(argv[0], variants);
    if (!variants.empty() && chosen->threads != 0) o.threads = chosen->threads;
    if (o.threads == 0) usage(argv[0], variants);
    return o;
}

double cpu_seconds() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

long rss_kib() { return status_kib("VmRSS:"); }

double stopwatch::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

int report(const result& r, notes more) {
    std::printf("{\"seconds\": %.9f, \"cpu_s\": %.6f, \"peak_rss_kib\": %ld, \"ns_per_op\": %.3f, ",
                r.seconds, r.cpu_seconds, status_kib("VmHWM:"), 1e9 * r.seconds / r.operations);
    if (r.part != nullptr) std::printf("\"part\": \"%s\", ", r.part);
    if (r.contender != nullptr) std::printf("\"contender\": \"%s\", ", r.contender);
    std::printf("\"notes\": {");
    const char* separator = "";
    for (const note& n : more) {
        std::printf("%s\"%s\": %.3f", separator, n.name, n.value);
        separator = ", ";
    }
    std::printf("}, \"ok\": %s}\n", r.ok ? "true" : "false");
    return r.ok ? 0 : 1;
}

}  // namespace bench
