// tests/sync/async_latch_test.cpp - waiting until something has happened so many times.
// SPDX-License-Identifier: MIT
#include <taskscope/async_latch.hpp>
#include <taskscope/channel.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>

namespace {

using support::launched;
using taskscope::async_latch;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncLatch = support::ledger;
using AsyncLatchRaces = support::ledger;

task<> wait(async_latch& l) { co_await l.wait(); }

TEST_F(AsyncLatch, LetsAllGoOnWhenTheCountIsZero) {
    manual_executor ex;
    async_latch l{3};
    launched<void> a(ex, wait(l));
    launched<void> b(ex, wait(l));
    ex.run_ready();
    l.count_down(2);
    ex.run_ready();
    EXPECT_FALSE(l.try_wait() || a.ended() || b.ended());
    l.count_down();
    EXPECT_TRUE(l.try_wait());
    ex.run_ready();
    EXPECT_TRUE(a.ended() && b.ended());
    ex.run(wait(l));
    ex.run(wait(l));
}

TEST_F(AsyncLatch, OfZeroKeepsNobodyWaiting) {
    manual_executor ex;
    async_latch l{0};
    EXPECT_TRUE(l.try_wait());
    ex.run(wait(l));
}

TEST_F(AsyncLatch, WaitIsEndedByAStop) {
    manual_executor ex;
    async_latch l{1};
    launched<void> a(ex, wait(l));
    launched<void> b(ex, wait(l));
    ex.run_ready();
    a.request_stop();
    ex.run_ready();
    EXPECT_TRUE(a.ended() && a.stopped());
    l.count_down();
    stop_source source;
    source.request_stop();
    launched<void> late(ex, wait(l), source.token());
    ex.run_ready();
    EXPECT_FALSE(b.stopped());
    EXPECT_TRUE(late.stopped());
}

// cases: T423
// A queue is done when each of its elements was worked off, not when it is empty
TEST_F(AsyncLatch, TellsWhenAllOfAChannelWasWorkedOff) {
    manual_executor ex;
    constexpr int n = 5;
    taskscope::channel<int> queue{n};
    async_latch done{n};
    int worked_off = 0;
    auto works = [&]() -> task<> {
        for (;;) {
            const std::optional<int> element = co_await queue.receive();
            if (!element) break;
            ++worked_off;
            done.count_down();
        }
    };
    auto joins = [&]() -> task<int> {
        co_await done.wait();
        co_return worked_off;
    };
    launched<int> join(ex, joins());
    for (int i = 0; i < n; ++i) EXPECT_TRUE(queue.try_send(i));
    EXPECT_FALSE(join.ended());
    launched<void> a(ex, works());
    launched<void> b(ex, works());
    ex.run_ready();
    EXPECT_EQ(join.take(), n);
    queue.close();
    ex.run_ready();
    EXPECT_TRUE(a.ended() && b.ended());
}

TEST(AsyncLatchDeathTest, BelowZeroTerminates) {
    async_latch l{1};
    EXPECT_DEATH(l.count_down(2), "an async_latch was counted down below zero");
}

TEST_F(AsyncLatchRaces, MakesVisibleWhatCameBeforeIt) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        for (int round = 0; round < 100; ++round) {
            async_latch l{2};
            int first = 0;   // not atomic
            int second = 0;  // not atomic
            auto counts = [&](int& own) -> task<> {
                own = 1;
                l.count_down();
                co_return;
            };
            auto sums = [&]() -> task<int> {
                co_await l.wait();
                co_return first + second;
            };
            launched<int> sum(ex, sums());
            launched<void> a(ex, counts(first));
            launched<void> b(ex, counts(second));
            ASSERT_TRUE(support::until([&] { return sum.ended() && a.ended() && b.ended(); }));
            EXPECT_EQ(sum.take(), 2);
        }
    }
}

}  // namespace
