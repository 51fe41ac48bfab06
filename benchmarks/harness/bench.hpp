// benchmarks/harness/bench.hpp - runs a workload once, checks its answer, and says what it cost, as a line of JSON.
// SPDX-License-Identifier: MIT
//
// One process per run: peak memory means something then, and run.py interleaves the contenders.
#pragma once

#include <chrono>
#include <initializer_list>
#include <span>
#include <string_view>

namespace bench {

/// A form of a workload that has results of its own.
struct variant {
    std::string_view name;
    unsigned threads = 0;  ///< 0: as many as were asked for
    bool quick = true;     ///< takes part in a first look
};

struct options {
    unsigned threads = 1;
    bool quick = false;
    std::string_view variant = {};
};

/// Reads `--threads N`, `--quick` and `--variant NAME`. `--variants` prints the names of all variants, and the
/// number of threads of those that have one, for run.py; with `--quick` before it only of those for a first look.
options parse(int argc, char** argv, std::span<const variant> variants = {});

/// A figure besides the usual ones; run.py shows it in a column of its own.
struct note {
    const char* name;
    double value;
};
using notes = std::initializer_list<note>;

/// What a run has to say. Run.py completes it with the names.
struct result {
    double seconds;
    double cpu_seconds;
    double operations;
    bool ok;
    const char* part = nullptr;       ///< of the workload, if a run has several results
    const char* contender = nullptr;  ///< if it is not the one the program is named after
};

/// Prints the line. Returns the exit status: 1 for a wrong answer.
int report(const result& r, notes more = {});

/// Of this process, with all its threads.
double cpu_seconds();
long rss_kib();

class stopwatch {
public:
    double seconds() const;
    double cpu() const { return cpu_seconds() - cpu_; }

private:
    double cpu_ = cpu_seconds();
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Runs `run()` once for the record, after `warm_up()`; then asks `correct()`.
template <class Run, class WarmUp, class Correct>
int measure_checked(double operations, Run run, WarmUp warm_up, Correct correct, notes more = {}) {
    warm_up();
    const stopwatch watch;
    run();
    const double seconds = watch.seconds();
    return report({seconds, watch.cpu(), operations, correct()}, more);
}

/// The same where `run()` gives an answer that is to be `expected`.
template <class Answer, class Run, class WarmUp>
int measure(const Answer& expected, double operations, Run run, WarmUp warm_up, notes more = {}) {
    Answer answer{};
    return measure_checked(
        operations, [&] { answer = run(); }, warm_up, [&] { return answer == expected; }, more);
}

}  // namespace bench
