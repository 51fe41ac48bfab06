// tests/executor/manual_executor_test.cpp - jobs in order, and a clock that moves when it is told to.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::sequence;
using taskscope::async_event;
using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::sleep_for;
using taskscope::task;

using ManualExecutor = support::ledger;
using ManualExecutorDeathTest = support::ledger;

TEST_F(ManualExecutor, RunsJobsInTheOrderInWhichTheyWereSpawnedAndOnlyWhenAsked) {
    manual_executor ex;
    sequence seen;
    auto speaks = [&](std::string name) -> task<> {
        seen(name);
        co_return;
    };
    launched<void> a(ex, speaks("a"));
    launched<void> b(ex, speaks("b"));
    launched<void> c(ex, speaks("c"));
    EXPECT_EQ(seen, sequence{});
    EXPECT_FALSE(ex.idle());
    EXPECT_TRUE(ex.run_one());
    EXPECT_EQ(seen, sequence{"a"});
    EXPECT_EQ(ex.run_ready(), 2U);
    EXPECT_EQ(seen, (sequence{"a", "b", "c"}));
    EXPECT_FALSE(ex.run_one());
    EXPECT_TRUE(ex.idle());
}

TEST_F(ManualExecutor, RunsWhatWasWokenInTheOrderOfTheEvents) {
    manual_executor ex;
    sequence seen;
    async_event first;
    async_event second;
    auto waits = [&](async_event& e, std::string name) -> task<> {
        co_await e.wait();
        seen(name);
    };
    auto sets = [&]() -> task<> {
        second.set();
        first.set();
        co_return;
    };
    launched<void> a(ex, waits(first, "first"));
    launched<void> b(ex, waits(second, "second"));
    launched<void> c(ex, sets());
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"second", "first"}));
}

TEST_F(ManualExecutor, ClockStandsStillWhileJobsRun) {
    manual_executor ex;
    const auto start = ex.now();
    auto body = []() -> task<> {
        for (int i = 0; i < 1'000; ++i) co_await taskscope::yield();
    };
    launched<void> t(ex, body());
    ex.run_ready();
    EXPECT_EQ(ex.now(), start);
    EXPECT_TRUE(t.ended());
}

// cases: T336
TEST_F(ManualExecutor, RunReadyLeavesTimersAlone) {
    manual_executor ex;
    launched<void> t(ex, []() -> task<> { co_await sleep_for(1ns); }());
    EXPECT_EQ(ex.run_ready(), 1U);
    EXPECT_EQ(ex.run_ready(), 0U);
    EXPECT_FALSE(ex.idle()) << "a timer is armed";
    EXPECT_EQ(ex.advance(1ns), 1U);
    EXPECT_TRUE(t.ended());
    EXPECT_TRUE(ex.idle());
}

// cases: T336
TEST_F(ManualExecutor, AdvanceStopsAtEachTimerOnTheWay) {
    manual_executor ex;
    const auto start = ex.now();
    int ticks = 0;
    auto ticker = [&]() -> task<> {
        for (int i = 1; i <= 10; ++i) {
            co_await sleep_for(1s);
            EXPECT_EQ(ex.now(), start + 1s * i);
            ++ticks;
        }
    };
    launched<void> t(ex, ticker());
    EXPECT_EQ(ex.advance(3500ms), 4U);  // the start, and three ticks
    EXPECT_EQ(ticks, 3);
    EXPECT_EQ(ex.now(), start + 3500ms);
    ex.advance(-1h);
    ex.advance(0s);
    EXPECT_EQ(ex.now(), start + 3500ms);
    ex.advance(1h);
    EXPECT_EQ(ticks, 10);
}

// cases: T336
TEST_F(ManualExecutor, RunMovesTheClockFromTimerToTimer) {
    manual_executor ex;
    const auto start = ex.now();
    auto body = []() -> task<int> {
        co_await sleep_for(1h);
        co_await sleep_for(24h);
        co_return 5;
    };
    EXPECT_EQ(ex.run(body()), 5);
    EXPECT_EQ(ex.now() - start, 25h);
}

TEST_F(ManualExecutor, RunDrivesOtherTasksOnlyUntilItsOwnHasCompleted) {
    manual_executor ex;
    sequence seen;
    auto later = [&]() -> task<> {
        co_await sleep_for(2s);
        seen("later");
    };
    launched<void> other(ex, later());
    ex.run([]() -> task<> { co_await sleep_for(1s); }());
    EXPECT_EQ(seen, sequence{});
    ex.advance(1s);
    EXPECT_EQ(seen, sequence{"later"});
}

TEST_F(ManualExecutor, RunInsideOneOfItsOwnJobsIsRefused) {
    manual_executor ex;
    auto nothing = []() -> task<> { co_return; };
    auto body = [&]() -> task<> {
        EXPECT_THROW(ex.run(nothing()), misuse_error);
        co_return;
    };
    ex.run(body());
}

// cases: T441
TEST_F(ManualExecutor, MayBeRunInsideAJobOfAnother) {
    manual_executor outer;
    manual_executor inner;
    auto number = []() -> task<int> {
        co_await sleep_for(1s);
        co_return 3;
    };
    auto body = [&]() -> task<int> {
        const int n = inner.run(number());
        co_await taskscope::yield();
        co_return n;
    };
    EXPECT_EQ(outer.run(body()), 3);
}

TEST_F(ManualExecutorDeathTest, RunOfATaskThatWaitsForNothingPossibleEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            manual_executor ex;
            async_event event;
            auto waits = [&]() -> task<> { co_await event.wait(); };
            ex.run(waits());
        },
        "taskscope: manual_executor::run\\(\\): the task waits, but no job is ready and no timer "
        "is "
        "armed. What it waits for can not happen.");
}

TEST_F(ManualExecutor, TakesJobsFromOtherThreads) {
    manual_executor ex;
    async_event event;
    auto waits = [&]() -> task<> { co_await event.wait(); };
    launched<void> t(ex, waits());
    ex.run_ready();
    support::threads other;
    other.start([&] { event.set(); });
    ASSERT_TRUE(support::until([&] { return ex.run_one(); }));
    EXPECT_TRUE(t.ended());
}

TEST_F(ManualExecutor, RunsWhatIsQueuedWhenItIsDestroyed) {
    int ran = 0;
    auto body = [&]() -> task<> {
        co_await taskscope::yield();
        ++ran;
    };
    std::optional<manual_executor> ex(std::in_place);
    launched<void> a(*ex, body());
    launched<void> b(*ex, body());
    ex.reset();
    EXPECT_EQ(ran, 2);
}

TEST_F(ManualExecutor, HasOneWorkerAndNoThread) {
    manual_executor ex;
    EXPECT_EQ(ex.workers(), 1U);
    EXPECT_EQ(ex.name(), "manual");
    EXPECT_TRUE(taskscope::detail::is_manual(ex));
    EXPECT_EQ(ex.statistics().sleeping, 0U);
}

}  // namespace
