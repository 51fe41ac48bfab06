// tests/sync/async_semaphore_test.cpp - never more than the limit, in the order of the line, whoever is stopped.
// SPDX-License-Identifier: MIT
#include <taskscope/async_semaphore.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <utility>
#include <vector>

namespace {

using support::launched;
using taskscope::async_permit;
using taskscope::async_semaphore;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncSemaphore = support::ledger;
using AsyncSemaphoreRaces = support::ledger;

task<async_permit> acquire(async_semaphore& s, std::size_t n = 1) {
    async_permit permit = co_await s.acquire(n);
    co_return permit;
}

// cases: T419, T422
TEST_F(AsyncSemaphore, LetsSoManyInAndTheOthersInTurn) {
    manual_executor ex;
    async_semaphore s{2};
    launched<async_permit> a(ex, acquire(s));
    launched<async_permit> b(ex, acquire(s));
    launched<async_permit> c(ex, acquire(s));
    launched<async_permit> d(ex, acquire(s));
    ex.run_ready();
    EXPECT_TRUE(a.ended() && b.ended());
    EXPECT_FALSE(c.ended() || d.ended());
    EXPECT_EQ(s.available(), 0U);
    {
        const async_permit back = a.take();
    }
    EXPECT_FALSE(s.try_acquire()) << "the permit is already that of the first in line";
    ex.run_ready();
    EXPECT_TRUE(c.ended());
    EXPECT_FALSE(d.ended());
    {
        const async_permit back = b.take();
    }
    ex.run_ready();
    EXPECT_TRUE(d.take());
    EXPECT_TRUE(c.take());
    EXPECT_EQ(s.available(), 2U);
}

TEST_F(AsyncSemaphore, PermitsGoBackOnceAlsoWhenTheyWereMoved) {
    async_semaphore s{5};
    {
        async_permit a = s.try_acquire(3);
        EXPECT_EQ(a.count(), 3U);
        async_permit b = std::move(a);
        EXPECT_EQ(s.available(), 2U);
        async_permit c = s.try_acquire(2);
        c = std::move(b);
        EXPECT_EQ(s.available(), 2U);
        EXPECT_EQ(c.count(), 3U);
        c.release();
        c.release();
        EXPECT_FALSE(c);
        EXPECT_EQ(s.available(), 5U);
    }
    EXPECT_EQ(s.available(), 5U);
    EXPECT_FALSE(s.try_acquire(6));
}

TEST_F(AsyncSemaphore, RequestForManyIsNotStarvedByRequestsForFew) {
    manual_executor ex;
    async_semaphore s{3};
    async_permit held = s.try_acquire(2);
    launched<async_permit> many(ex, acquire(s, 3));
    launched<async_permit> few(ex, acquire(s, 1));
    ex.run_ready();
    EXPECT_FALSE(many.ended() || few.ended()) << "one permit is left, but the first wants three";
    EXPECT_FALSE(s.try_acquire());
    held.release();
    ex.run_ready();
    ASSERT_TRUE(many.ended());
    EXPECT_FALSE(few.ended());
    {
        const async_permit back = many.take();
    }
    ex.run_ready();
    EXPECT_TRUE(few.take());
}

// cases: T422
// Cancellation while waiting
TEST_F(AsyncSemaphore, RequestThatIsStoppedLetsThoseBehindItGoOn) {
    manual_executor ex;
    async_semaphore s{3};
    const async_permit held = s.try_acquire(2);
    launched<async_permit> many(ex, acquire(s, 3));
    launched<async_permit> few(ex, acquire(s, 1));
    ex.run_ready();
    many.request_stop();
    ex.run_ready();
    EXPECT_TRUE(many.ended() && many.stopped());
    ASSERT_TRUE(few.ended());
    EXPECT_TRUE(few.take());
}

TEST_F(AsyncSemaphore, PermitIsNotLostWhenAStopComesAfterIt) {
    manual_executor ex;
    async_semaphore s{1};
    async_permit held = s.try_acquire();
    auto acquires_and_waits = [&]() -> task<> {
        const async_permit permit = co_await s.acquire();
        co_await taskscope::yield();
    };
    launched<void> a(ex, acquires_and_waits());
    ex.run_ready();
    held.release();
    a.request_stop();
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(s.available(), 1U);
}

TEST_F(AsyncSemaphore, AcquireDoesNotBeginAfterAStop) {
    manual_executor ex;
    async_semaphore s{1};
    stop_source source;
    source.request_stop();
    launched<async_permit> a(ex, acquire(s), source.token());
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(s.available(), 1U);
}

TEST_F(AsyncSemaphore, LimitThatIsRaisedLetsWaitersGoOn) {
    manual_executor ex;
    async_semaphore s{0};
    launched<async_permit> a(ex, acquire(s));
    launched<async_permit> b(ex, acquire(s));
    ex.run_ready();
    EXPECT_FALSE(a.ended() || b.ended());
    s.set_limit(2);
    EXPECT_EQ(s.limit(), 2U);
    ex.run_ready();
    EXPECT_TRUE(a.take() && b.take());
}

TEST_F(AsyncSemaphore, LimitThatIsLoweredTakesNothingAway) {
    manual_executor ex;
    async_semaphore s{3};
    async_permit a = s.try_acquire();
    async_permit b = s.try_acquire();
    async_permit c = s.try_acquire();
    s.set_limit(1);
    EXPECT_EQ(s.available(), 0U);
    launched<async_permit> next(ex, acquire(s));
    a.release();
    b.release();
    ex.run_ready();
    EXPECT_FALSE(next.ended()) << "one is still held, and that is the limit";
    c.release();
    ex.run_ready();
    EXPECT_TRUE(next.take());
}

// cases: T420, T421
// Close wakes all
TEST_F(AsyncSemaphore, CloseEndsAllWaitsWithoutAPermit) {
    manual_executor ex;
    async_semaphore s{1};
    async_permit held = s.try_acquire();
    launched<async_permit> a(ex, acquire(s));
    launched<async_permit> b(ex, acquire(s));
    ex.run_ready();
    s.close();
    s.close();
    launched<async_permit> late(ex, acquire(s));
    ex.run_ready();
    EXPECT_FALSE(a.take());
    EXPECT_FALSE(b.take());
    EXPECT_FALSE(late.take());
    held.release();
    EXPECT_EQ(s.available(), 1U);
    EXPECT_FALSE(s.try_acquire());
}

// Races

// cases: T440
TEST_F(AsyncSemaphoreRaces, NeverMoreThanTheLimit) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        async_semaphore s{2};
        std::atomic<int> inside{0};
        std::atomic<int> most{0};
        auto enters = [&]() -> task<> {
            for (int i = 0; i < 100; ++i) {
                const async_permit permit = co_await s.acquire();
                const int now = inside.fetch_add(1) + 1;
                int seen = most.load();
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                co_await taskscope::yield();
                inside.fetch_sub(1);
            }
        };
        std::vector<std::unique_ptr<launched<void>>> all;
        for (int i = 0; i < 5; ++i) all.push_back(std::make_unique<launched<void>>(ex, enters()));
        ASSERT_TRUE(support::until([&] {
            return std::all_of(all.begin(), all.end(), [](const auto& t) { return t->ended(); });
        }));
        EXPECT_LE(most.load(), 2);
        EXPECT_EQ(s.available(), 2U);
    }
}

TEST_F(AsyncSemaphoreRaces, PermitsAreNotLostToStops) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        for (int round = 0; round < 200; ++round) {
            async_semaphore s{2};
            auto passes = [&](std::size_t n) -> task<> {
                const async_permit permit = co_await s.acquire(n);
                co_await taskscope::yield();
            };
            launched<void> a(ex, passes(2));
            launched<void> b(ex, passes(2));
            launched<void> c(ex, passes(1));
            launched<void> d(ex, passes(1));
            for (int i = round % 8; i > 0; --i) std::this_thread::yield();
            a.request_stop();
            b.request_stop();
            ASSERT_TRUE(
                support::until([&] { return a.ended() && b.ended() && c.ended() && d.ended(); }));
            EXPECT_FALSE(c.stopped() || d.stopped());
            EXPECT_EQ(s.available(), 2U);
        }
    }
}

}  // namespace
