// tests/executor/async_event_test.cpp - waiting for an event, and the three ends of a wait.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::rendezvous;
using support::sequence;
using taskscope::async_event;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::stop_source;
using taskscope::task;

using AsyncEvent = support::ledger;

task<> wait_for(async_event& event) { co_await event.wait(); }

TEST_F(AsyncEvent, LetsAllWaitersGoOnInTheOrderInWhichTheyCame) {
    manual_executor ex;
    async_event event;
    sequence seen;
    auto waits = [&](std::string name) -> task<> {
        co_await event.wait();
        seen(name);
    };
    launched<void> a(ex, waits("a"));
    launched<void> b(ex, waits("b"));
    launched<void> c(ex, waits("c"));
    ex.run_ready();
    EXPECT_EQ(seen, sequence{});
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_EQ(seen, sequence{}) << "tasks run on their executor, not inside set()";
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "b", "c"}));
}

TEST_F(AsyncEvent, ThatHappenedBeforeKeepsNobodyWaiting) {
    manual_executor ex;
    async_event event;
    event.set();
    event.set();
    auto body = [&]() -> task<> {
        co_await event.wait();
        co_await event.wait_shielded();
        const bool happened = co_await event.wait_until(ex.now() - 1s);
        EXPECT_TRUE(happened);
    };
    launched<void> t(ex, body());
    EXPECT_TRUE(ex.run_one());
    EXPECT_TRUE(t.ended());
}

TEST_F(AsyncEvent, MakesVisibleWhatCameBeforeIt) {
    executor ex{{.workers = 2}};
    for (int i = 0; i < 200; ++i) {
        async_event event;
        int written = 0;  // not atomic
        auto reads = [&]() -> task<int> {
            co_await event.wait();
            co_return written;
        };
        launched<int> t(ex, reads());
        written = 1;
        event.set();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        EXPECT_EQ(t.take(), 1);
    }
}

TEST_F(AsyncEvent, WaitIsEndedByAStop) {
    manual_executor ex;
    async_event event;
    launched<void> first(ex, wait_for(event));
    launched<void> middle(ex, wait_for(event));
    launched<void> last(ex, wait_for(event));
    ex.run_ready();
    middle.request_stop();
    ex.run_ready();
    EXPECT_TRUE(middle.ended() && middle.stopped());
    EXPECT_FALSE(first.ended() || last.ended());
    last.request_stop();
    event.set();
    ex.run_ready();
    EXPECT_FALSE(first.stopped());
    EXPECT_TRUE(last.stopped());
}

// cases: T206
TEST_F(AsyncEvent, WaitPrefersTheEventToAStopThatCameBeforeIt) {
    manual_executor ex;
    async_event event;
    event.set();
    stop_source source;
    source.request_stop();
    launched<void> t(ex, wait_for(event), source.token());
    ex.run_ready();
    EXPECT_FALSE(t.stopped());
}

TEST_F(AsyncEvent, WaitDoesNotBeginAfterAStop) {
    manual_executor ex;
    async_event event;
    stop_source source;
    source.request_stop();
    launched<void> a(ex, wait_for(event), source.token());
    auto with_deadline = [&]() -> task<> { co_await event.wait_until(ex.now() + 1h); };
    launched<void> b(ex, with_deadline(), source.token());
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_TRUE(b.stopped());
    EXPECT_TRUE(ex.idle());
}

// cases: T254, T255
TEST_F(AsyncEvent, ShieldedWaitIgnoresStops) {
    manual_executor ex;
    async_event event;
    auto waits = [&]() -> task<> { co_await event.wait_shielded(); };
    auto waits_until = [&]() -> task<bool> {
        const bool happened = co_await event.wait_until_shielded(ex.now() + 1h);
        co_return happened;
    };
    launched<void> a(ex, waits());
    launched<bool> b(ex, waits_until());
    a.request_stop();
    b.request_stop();
    ex.run_ready();
    EXPECT_FALSE(a.ended() || b.ended());
    event.set();
    ex.run_ready();
    EXPECT_FALSE(a.stopped());
    EXPECT_TRUE(b.take());
}

TEST_F(AsyncEvent, ShieldedWaitEndsByItsDeadline) {
    manual_executor ex;
    async_event event;
    auto waits = [&]() -> task<bool> {
        const bool happened = co_await event.wait_until_shielded(ex.now() + 1s);
        co_return happened;
    };
    launched<bool> t(ex, waits());
    t.request_stop();
    ex.advance(1s);
    EXPECT_FALSE(t.take());
}

TEST_F(AsyncEvent, WaitWithADeadlineTellsWhichCameFirst) {
    manual_executor ex;
    async_event event;
    auto waits = [&](executor::clock::duration d) -> task<bool> {
        const bool happened = co_await event.wait_until(ex.now() + d);
        co_return happened;
    };
    launched<bool> early(ex, waits(1s));
    launched<bool> late(ex, waits(1h));
    launched<bool> never(ex, waits(-1s));
    ex.advance(2s);
    ASSERT_TRUE(early.ended() && never.ended());
    EXPECT_FALSE(early.take());
    EXPECT_FALSE(never.take());
    ASSERT_FALSE(late.ended());
    event.set();
    EXPECT_EQ(ex.statistics().timers, 0U) << "the event takes the deadline out of the queue";
    ex.run_ready();
    EXPECT_TRUE(late.take());
}

TEST_F(AsyncEvent, WaitWithADeadlineIsEndedByAStopThatTakesTheDeadlineWithIt) {
    manual_executor ex;
    async_event event;
    auto waits = [&]() -> task<> { co_await event.wait_until(ex.now() + 1h); };
    launched<void> t(ex, waits());
    ex.run_ready();
    EXPECT_EQ(ex.statistics().timers, 1U);
    t.request_stop();
    EXPECT_EQ(ex.statistics().timers, 0U);
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    event.set();  // finds nobody
}

// Blocking

TEST_F(AsyncEvent, BlockingWaitReturnsAtOnceWhenItHasHappened) {
    executor ex{{.workers = 1}};
    async_event event;
    event.set();
    EXPECT_TRUE(event.blocking_wait(ex));
    EXPECT_TRUE(event.blocking_wait(ex, 0ns));
}

TEST_F(AsyncEvent, BlockingWaitIsEndedByATask) {
    executor ex{{.workers = 1}};
    async_event event;
    auto sets = [&]() -> task<> {
        event.set();
        co_return;
    };
    launched<void> t(ex, sets());
    EXPECT_TRUE(event.blocking_wait(ex));
    EXPECT_TRUE(support::until([&] { return t.ended(); }));
}

TEST_F(AsyncEvent, BlockingWaitGivesUpAtItsLimit) {
    executor ex{{.workers = 1}};
    async_event event;
    EXPECT_FALSE(event.blocking_wait(ex, 1ms));
    EXPECT_FALSE(event.blocking_wait(ex, 0ns));
    EXPECT_FALSE(event.blocking_wait(ex, -1s));
    event.set();  // finds nobody
}

TEST_F(AsyncEvent, BlockingWaitDoesNotGiveUpAnEventThatComesAtItsLimit) {
    executor ex{{.workers = 1}};
    for (int i = 0; i < 100; ++i) {
        async_event event;
        support::threads other;
        rendezvous start(2);
        other.start([&] {
            start.meet();
            event.set();
        });
        start.meet();
        const bool happened = event.blocking_wait(ex, std::chrono::microseconds(i % 50));
        EXPECT_TRUE(!happened || event.is_set());
        other.join();
    }
}

TEST_F(AsyncEvent, BlockingWaitOnAWorkerIsRefused) {
    executor ex{{.workers = 1}};
    async_event event;
    auto body = [&]() -> task<> {
        EXPECT_THROW(event.blocking_wait(ex), misuse_error);
        co_return;
    };
    ex.run(body());
}

TEST_F(AsyncEvent, BlockingWaitDrivesAManualExecutor) {
    manual_executor ex;
    async_event event;
    auto sets = [&]() -> task<> {
        co_await taskscope::stopped_as_optional(wait_for(event));
        co_return;
    };
    auto later = [&]() -> task<> {
        async_event never;
        co_await never.wait_until(ex.now() + 1h);
        event.set();
    };
    launched<void> a(ex, sets());
    launched<void> b(ex, later());
    const auto start = ex.now();
    EXPECT_FALSE(event.blocking_wait(ex, 30min));
    EXPECT_EQ(ex.now() - start, 30min);
    EXPECT_TRUE(event.blocking_wait(ex));
    EXPECT_EQ(ex.now() - start, 1h);
    ex.run_ready();
    EXPECT_TRUE(a.ended() && b.ended());
}

TEST_F(AsyncEvent, BlockingWaitOnAManualExecutorReturnsWhenNothingCanHappenAnyMore) {
    manual_executor ex;
    async_event event;
    const auto start = ex.now();
    EXPECT_FALSE(event.blocking_wait(ex));
    EXPECT_EQ(ex.now(), start);
}

// Races. Whoever wins, each wait ends once and nothing touches event or waiter afterwards.

TEST_F(AsyncEvent, EndsEachWaitOnceWhenEventStopAndDeadlineRace) {
    executor ex{{.workers = 2}};
    constexpr int rounds = 1'000;
    for (int i = 0; i < rounds; ++i) {
        auto event = std::make_unique<async_event>();
        auto waits_until = [&]() -> task<bool> {
            const bool happened =
                co_await event->wait_until(ex.now() + std::chrono::microseconds(i % 40));
            co_return happened;
        };
        auto waits = [&]() -> task<bool> {
            co_await event->wait();
            co_return true;
        };
        launched<bool> a(ex, waits_until());
        launched<bool> b(ex, waits());
        launched<bool> c(ex, waits());
        rendezvous start(2);
        support::threads other;
        other.start([&] {
            start.meet();
            a.request_stop();
            b.request_stop();
        });
        start.meet();
        event->set();
        ASSERT_TRUE(support::until([&] { return a.ended() && b.ended() && c.ended(); }));
        event.reset();
        EXPECT_FALSE(c.stopped());
        EXPECT_TRUE(b.stopped() || b.take());
    }
    EXPECT_EQ(ex.statistics().timers, 0U);
}

TEST_F(AsyncEvent, MayBeDestroyedByTheTaskItHasWoken) {
    executor ex{{.workers = 2}};
    for (int i = 0; i < 100; ++i) {
        auto event = std::make_unique<async_event>();
        async_event* const shared = event.get();
        std::atomic<bool> set_returned{false};
        auto waits = [&]() -> task<> {
            co_await event->wait();
            while (!set_returned.load()) co_await taskscope::yield();
            event.reset();
        };
        launched<void> t(ex, waits());
        shared->set();
        set_returned.store(true);
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        EXPECT_EQ(event, nullptr);
    }
}

TEST_F(AsyncEvent, WakesThousandsOfWaitersOnSeveralWorkers) {
    executor ex{{.workers = 4}};
    async_event event;
    constexpr std::size_t n = 5'000;
    support::tally woken(n);
    auto waits = [&](std::size_t i) -> task<> {
        co_await event.wait();
        woken.count(i);
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (std::size_t i = 0; i < n; ++i) {
        all.push_back(std::make_unique<launched<void>>(ex, waits(i)));
    }
    event.set();
    ASSERT_TRUE(support::until([&] {
        return std::all_of(all.begin(), all.end(), [](const auto& t) { return t->ended(); });
    }));
    EXPECT_TRUE(woken.exactly_once());
}

}  // namespace
