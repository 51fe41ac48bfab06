// tests/model/checker/model.hpp - runs a small concurrent program in every order that matters.
// SPDX-License-Identifier: MIT
//
//     model::expect_holds([] {                       // an ordinary program, with real std:: types
//         std::atomic<int> ready{0};
//         int data = 0;
//         std::thread t([&] { data = 42; ready.store(1, std::memory_order_release); });
//         if (ready.load(std::memory_order_acquire) == 1) model::check(data == 42, "sees the data");
//         t.join();
//     });
//
// How it works, how to replay a failure, and what it cannot see: tests/model/README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>

namespace model {

enum class mode : std::uint8_t {
    exhaustive,  ///< every schedule with at most `preemptions` preemptions, every value a load may return
    random,  ///< `rounds` runs, every choice by a coin
    pct,     ///< `rounds` runs by priorities that change at `preemptions` random points
    replay,  ///< one run, with the choices in `path`
};

struct options {
    mode how = mode::exhaustive;
    unsigned preemptions = 2;
    std::uint64_t rounds = 10'000;
    std::uint64_t seed = 1;
    std::string path;          ///< choices of a failed run, as its report prints them
    unsigned steps = 5'000;    ///< a run that takes more does not come to an end
    unsigned stale_reads = 2;  ///< how often a thread may get the same outdated value of a variable
    unsigned outdated = 2;     ///< outdated values, and stores put before newer ones, in one run
    unsigned spurious =
        1;  ///< failures of compare_exchange_weak and wakes for no reason, in one run
    bool membarrier = true;           ///< whether the kernel has membarrier(2)
    std::uint64_t runs = 50'000'000;  ///< gives up beyond
    std::chrono::seconds limit{0};    ///< stops after so long, if that is not 0
};

/// The defaults, changed by TASKSCOPE_MODEL_BOUND, _MODE, _SEED, _ROUNDS, _PATH and _SECONDS in the environment.
options from_environment();

/// The same with at most one outdated value in a run: for models that are large.
options with_few_outdated();

struct result {
    bool failed = false;
    bool complete = false;     ///< everything within the bound was seen
    bool cut_off = false;      ///< options::limit was over
    std::string what;          ///< first line of the report: what went wrong
    std::string report;        ///< with the interleaving, as a table
    std::uint64_t runs = 0;    ///< executions that came to their end
    std::uint64_t pruned = 0;  ///< executions given up because an equivalent one was run before
};

/// Runs `body` as often as it takes. Every thread it starts must have ended when it returns, every block it
/// allocates must be freed.
result explore(const std::function<void()>& body, options o = from_environment());

/// explore(), and a test failure with the report if anything went wrong or was left unseen.
void expect_holds(const std::function<void()>& body, options o = from_environment());

// Inside a body.

/// Ends the run as failed unless `holds`.
void check(bool holds, const char* what,
           std::source_location where = std::source_location::current());

/// One of 0 ... n - 1; every one of them is tried.
unsigned choose(unsigned n);

/// The virtual clock behind std::chrono::steady_clock moves on. It also moves to the earliest limit of a
/// timed wait when no thread can go on.
void advance_clock(std::chrono::nanoseconds by);

/// The rare half of the pair whose frequent half is std::atomic_signal_fence(seq_cst): membarrier(2).
void heavy_barrier();

/// Runs `f` outside of the program: what it allocates and writes is the test's.
void outside(const std::function<void()>& f);

/// `variable` is thread_local, and every thread of the program has one.
void register_thread_local(void** variable);

}  // namespace model
