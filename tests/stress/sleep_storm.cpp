// tests/stress/sleep_storm.cpp - a foreign thread hands in one job each time a worker falls asleep, ten million times.
// SPDX-License-Identifier: MIT
//
// A worker's sleep has no time limit here: no timer is armed, and there is no reactor (executor/README.md, "Falling
// asleep"). So a lost wake-up hangs.
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <support/processors.hpp>
#include <support/watchdog.hpp>
#include <thread>
#include <tuple>

namespace taskscope::test {
namespace {

class sleep_storm : public testing::TestWithParam<std::tuple<unsigned, unsigned>> {};

constexpr unsigned default_spins = executor_options{.workers = 1}.spins;

INSTANTIATE_TEST_SUITE_P(on, sleep_storm,
                         testing::Combine(testing::Values(1U, 2U, 8U),
                                          testing::Values(0U, default_spins)),
                         [](const auto& one) {
                             return std::to_string(std::get<0>(one.param)) + "_workers_" +
                                    std::to_string(std::get<1>(one.param)) + "_spins";
                         });

/// Looks at the executor until `condition(statistics)` holds, but at most so many times.
template <class Condition>
void look(const executor& ex, std::uint64_t most, Condition condition) {
    for (std::uint64_t looks = 0; looks < most && !condition(ex.statistics()); ++looks) {
        if (looks % 1024 == 1023) std::this_thread::yield();  // whom we wait for may not be running
    }
}

TEST_P(sleep_storm, each_job_comes_when_a_worker_is_just_falling_asleep) {
    constexpr std::uint64_t for_ever = std::numeric_limits<std::uint64_t>::max();
    const auto cycles = static_cast<std::uint64_t>(scaled(10'000'000, 1000));
    const auto [workers, spins] = GetParam();
    support::watchdog dog("sleep_storm");
    // Apart, so that neither ever waits for the other's processor.
    std::optional<support::stay_on> apart(support::processors::all_but_first);
    executor ex{{.workers = workers, .spins = spins}};
    apart.reset();
    apart.emplace(support::processors::first);
    dog.look_at(&ex);
    task_scope s{ex};
    std::atomic<std::uint64_t> ran{0};
    std::uint64_t sleeps_when_it_ran = 0;  // written before `ran`, by the job
    std::uint64_t handed_in = 0;
    std::minstd_rand random(1);
    const stopwatch watch;
    while (handed_in < cycles) {
        s.spawn([&] {
            sleeps_when_it_ran = ex.statistics().sleeps;
            ran.fetch_add(1, std::memory_order_release);
        });
        ++handed_in;
        look(ex, for_ever,
             [&](const statistics&) { return ran.load(std::memory_order_acquire) == handed_in; });
        switch (handed_in % 4) {
            case 0:  // all have said that they will sleep; the last one may still look around
                look(ex, for_ever, [&](const statistics& n) { return n.sleeping == workers; });
                break;
            case 1:
            case 2:  // the one that ran the job has looked around, and is about to block or blocks
                look(ex, for_ever,
                     [&](const statistics& n) { return n.sleeps > sleeps_when_it_ran; });
                break;
            default:  // somewhere on the way there, of some 10 us: up to 2, 4, 8, ... 1024 looks, of 50 to 200 ns
                look(ex, random() % (std::uint64_t{2} << random() % 10),
                     [](const statistics&) { return false; });
                break;
        }
        dog.progress();
    }
    const double seconds = watch.seconds();
    const std::uint64_t sleeps = ex.statistics().sleeps;
    s.blocking_join();
    dog.look_at(nullptr);
    EXPECT_EQ(ran.load(), handed_in);
    EXPECT_GE(sleeps, cycles / 2 - 1) << "one for each of the two that wait for it";
    std::printf(
        "[ figure   ] %u workers, %u spins: %llu sleeps, %llu jobs in %.1f s, %.2f us each\n",
        workers, spins, static_cast<unsigned long long>(sleeps),
        static_cast<unsigned long long>(handed_in), seconds,
        seconds / static_cast<double>(handed_in) * 1e6);
}

}  // namespace
}  // namespace taskscope::test
