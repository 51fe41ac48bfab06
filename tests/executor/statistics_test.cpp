// tests/executor/statistics_test.cpp - each figure counts what it says.
// SPDX-License-Identifier: MIT
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/statistics.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::until;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::statistics;
using taskscope::task;

using Statistics = support::ledger;

TEST_F(Statistics, OfAFreshExecutorAreZeroButForItsWorkers) {
    manual_executor ex;
    const statistics s = ex.statistics();
    EXPECT_EQ(s.workers, 1U);
    EXPECT_EQ(s.jobs + s.steals + s.injected + s.bounces + s.sleeps + s.wakes, 0U);
    EXPECT_EQ(s.timers + s.sleeping + s.blocking_threads, 0U);
}

// cases: T388
TEST_F(Statistics, CountJobsAndThoseHandedInFromOutside) {
    manual_executor ex;
    auto body = []() -> task<> {
        co_await taskscope::yield();
        co_await taskscope::sleep_for(1s);
    };
    launched<void> t(ex, body());
    ex.run_ready();
    EXPECT_EQ(ex.statistics().jobs, 2U);
    EXPECT_EQ(ex.statistics().injected, 2U);
    EXPECT_EQ(ex.statistics().timers, 1U);
    ex.advance(1s);
    EXPECT_EQ(ex.statistics().jobs, 3U);
    EXPECT_EQ(ex.statistics().injected, 2U) << "timers push into the deque";
    EXPECT_EQ(ex.statistics().timers, 0U);
}

TEST_F(Statistics, CountTransfersThatWentThroughTheLoop) {
    manual_executor ex;
    auto leaf = []() -> task<> { co_return; };
    auto body = [&](int n) -> task<> {
        for (int i = 0; i < n; ++i) co_await leaf();
    };
    ex.run(body(1));
    const auto few = ex.statistics().bounces;
    ex.run(body(10'000));
    const auto many = ex.statistics().bounces;
    EXPECT_LE(few, 2U);
    EXPECT_GE(many - few, 10'000U * 2 / taskscope::detail::transfer_budget / 2);
    EXPECT_LE(many - few, 10'000U);
}

// cases: T388
TEST_F(Statistics, ShowAllWorkersAsleepWhenThereIsNothingToDo) {
    executor ex{{.workers = 4}};
    ASSERT_TRUE(until([&] { return ex.statistics().sleeping == 4; }));
    const statistics before = ex.statistics();
    EXPECT_EQ(before.workers, 4U);
    auto body = []() -> task<> { co_return; };
    ex.run(body());
    const statistics after = ex.statistics();
    EXPECT_GE(after.wakes, before.wakes + 1);
    EXPECT_EQ(after.injected, before.injected + 1);
    EXPECT_TRUE(until([&] { return ex.statistics().sleeping == 4; }));
    EXPECT_TRUE(until([&] { return ex.statistics().sleeps >= before.sleeps + 1; }));
}

TEST_F(Statistics, CountSteals) {
    executor ex{{.workers = 2}};
    std::atomic<int> inside{0};
    auto both = [&]() -> task<> {
        inside.fetch_add(1);
        EXPECT_TRUE(until([&] { return inside.load() == 2; }));  // only on two workers
        co_return;
    };
    auto body = [&]() -> task<> { co_await taskscope::fork_join(both(), both()); };
    ex.run(body());
    EXPECT_GE(ex.statistics().steals, 1U);
}

TEST_F(Statistics, ShowThreadsOfBlockingCalls) {
    executor ex{{.workers = 1}};
    EXPECT_EQ(ex.statistics().blocking_threads, 0U);
    auto body = [&]() -> task<> {
        const auto threads =
            co_await taskscope::run_blocking([&ex] { return ex.statistics().blocking_threads; });
        EXPECT_EQ(threads, 1U);
    };
    ex.run(body());
}

// cases: T388
TEST_F(Statistics, MayBeReadWhileWorkersRun) {
    executor ex{{.workers = 2}};
    std::atomic<bool> done{false};
    auto body = [&]() -> task<> {
        while (!done.load()) co_await taskscope::yield();
    };
    launched<void> t(ex, body());
    statistics last;
    for (int i = 0; i < 2'000; ++i) {
        const statistics s = ex.statistics();
        EXPECT_GE(s.jobs, last.jobs);
        EXPECT_GE(s.injected, last.injected);
        EXPECT_GE(s.sleeps, last.sleeps);
        EXPECT_GE(s.wakes, last.wakes);
        EXPECT_LE(s.sleeping, s.workers);
        last = s;
    }
    done.store(true);
    ASSERT_TRUE(until([&] { return t.ended(); }));
}

}  // namespace
