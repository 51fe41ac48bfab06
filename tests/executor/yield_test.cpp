// tests/executor/yield_test.cpp - giving way, and looking whether to stop.
// SPDX-License-Identifier: MIT
#include <taskscope/manual_executor.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>

namespace {

using support::launched;
using support::sequence;
using support::stack_range;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using Yield = support::ledger;
using Checkpoint = support::ledger;

TEST_F(Yield, LetsEveryOtherReadyTaskHaveATurn) {
    manual_executor ex;
    sequence seen;
    auto speaks = [&](std::string name) -> task<> {
        for (int i = 0; i < 3; ++i) {
            seen(name);
            co_await taskscope::yield();
        }
    };
    launched<void> a(ex, speaks("a"));
    launched<void> b(ex, speaks("b"));
    launched<void> c(ex, speaks("c"));
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "b", "c", "a", "b", "c", "a", "b", "c"}));
    EXPECT_TRUE(a.ended() && b.ended() && c.ended());
}

// cases: T433
TEST_F(Yield, LetsOneWorkerAlternateBetweenTasksThatWaitForEachOther) {
    executor ex{{.workers = 1}};
    std::atomic<int> turn{0};
    auto plays = [&](int self) -> task<> {
        for (int i = 0; i < 1'000; ++i) {
            while (turn.load() != self) co_await taskscope::yield();
            turn.store(1 - self);
        }
    };
    launched<void> ping(ex, plays(0));
    launched<void> pong(ex, plays(1));
    EXPECT_TRUE(support::until([&] { return ping.ended() && pong.ended(); }));
}

TEST_F(Yield, CompletesAsStoppedWhenAStopWasRequested) {
    manual_executor ex;
    int turns = 0;
    auto body = [&]() -> task<> {
        for (;; ++turns) co_await taskscope::yield();
    };
    launched<void> t(ex, body());
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ex.run_one());
    t.request_stop();
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_LE(turns, 4);
}

TEST_F(Yield, KeepsTheStackFlat) {
    executor ex{{.workers = 1}};
    stack_range stack;
    auto body = [&]() -> task<> {
        for (int i = 0; i < 20'000; ++i) {
            co_await taskscope::yield();
            stack.look();
        }
    };
    ex.run(body());
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Checkpoint, GoesOnAtOnceWhileNoStopIsRequested) {
    manual_executor ex;
    sequence seen;
    auto speaks = [&](std::string name) -> task<> {
        for (int i = 0; i < 2; ++i) {
            seen(name);
            co_await taskscope::checkpoint();
        }
    };
    launched<void> a(ex, speaks("a"));
    launched<void> b(ex, speaks("b"));
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "a", "b", "b"}));
}

TEST_F(Checkpoint, EndsAComputationThatAwaitsNothingElse) {
    manual_executor ex;
    stop_source source;
    int rounds = 0;
    auto computes = [&]() -> task<> {
        for (;; ++rounds) {
            if (rounds == 10) source.request_stop();
            co_await taskscope::checkpoint();
        }
    };
    launched<void> t(ex, computes(), source.token());
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_EQ(rounds, 10);
}

// cases: T434
TEST_F(Checkpoint, DoesNotKeepAnotherTaskOfTheSameWorkerWaitingForEver) {
    executor ex{{.workers = 1}};
    std::atomic<bool> other_ran{false};
    auto computes = [&]() -> task<> {
        while (!other_ran.load()) co_await taskscope::checkpoint();
    };
    auto other = [&]() -> task<> {
        other_ran.store(true);
        co_return;
    };
    launched<void> a(ex, computes());
    launched<void> b(ex, other());
    EXPECT_TRUE(support::until([&] { return a.ended() && b.ended(); }));
}

TEST_F(Checkpoint, KeepsTheStackFlat) {
    executor ex{{.workers = 1}};
    stack_range stack;
    auto body = [&]() -> task<> {
        for (int i = 0; i < 100'000; ++i) {
            co_await taskscope::checkpoint();
            stack.look();
        }
    };
    ex.run(body());
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

}  // namespace
