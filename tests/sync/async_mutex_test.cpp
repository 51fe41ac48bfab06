// tests/sync/async_mutex_test.cpp - one owner at a time, in the order of the line, whoever is stopped.
// SPDX-License-Identifier: MIT
#include <taskscope/async_mutex.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::sequence;
using taskscope::async_mutex;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncMutex = support::ledger;
using AsyncMutexRaces = support::ledger;

// Holds the mutex for a second, across an await.
task<> hold(async_mutex& m, sequence& seen, std::string name) {
    const async_mutex::guard held = co_await m.lock();
    seen(name + " in");
    co_await taskscope::sleep_for(1s);
    seen(name + " out");
}

// cases: T419, T422
TEST_F(AsyncMutex, IsHeldByOneAfterTheOtherInTheOrderInWhichTheyCame) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    launched<void> a(ex, hold(m, seen, "a"));
    launched<void> b(ex, hold(m, seen, "b"));
    launched<void> c(ex, hold(m, seen, "c"));
    ex.advance(3s);
    EXPECT_TRUE(a.ended() && b.ended() && c.ended());
    EXPECT_EQ(seen, (sequence{"a in", "a out", "b in", "b out", "c in", "c out"}));
}

TEST_F(AsyncMutex, TryLockSucceedsWhileItIsFree) {
    async_mutex m;
    async_mutex::guard first = m.try_lock();
    EXPECT_TRUE(first);
    EXPECT_EQ(first.mutex(), &m);
    EXPECT_FALSE(m.try_lock());
    first.unlock();
    first.unlock();
    EXPECT_FALSE(first);
    EXPECT_TRUE(m.try_lock());
}

TEST_F(AsyncMutex, IsHandedOverSoThatNobodyGetsPast) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    async_mutex::guard first = m.try_lock();
    launched<void> waiting(ex, hold(m, seen, "waiting"));
    ex.run_ready();
    first.unlock();
    EXPECT_FALSE(m.try_lock()) << "the one that waits owns it already";
    EXPECT_EQ(seen, sequence{}) << "but runs on its executor, not inside unlock()";
    ex.advance(1s);
    EXPECT_EQ(seen, (sequence{"waiting in", "waiting out"}));
}

TEST_F(AsyncMutex, GuardUnlocksOnceAlsoWhenItWasMoved) {
    async_mutex m;
    async_mutex other;
    {
        async_mutex::guard a = m.try_lock();
        async_mutex::guard b = std::move(a);
        EXPECT_TRUE(b);
        async_mutex::guard c = other.try_lock();
        c = std::move(b);
        EXPECT_TRUE(other.try_lock()) << "what it held before is free";
        EXPECT_FALSE(m.try_lock());
    }
    EXPECT_TRUE(m.try_lock());
}

// cases: T422
// Cancellation while waiting
TEST_F(AsyncMutex, WaiterThatIsStoppedLeavesTheLine) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    launched<void> a(ex, hold(m, seen, "a"));
    launched<void> b(ex, hold(m, seen, "b"));
    launched<void> c(ex, hold(m, seen, "c"));
    ex.run_ready();
    b.request_stop();
    ex.run_ready();
    EXPECT_TRUE(b.ended() && b.stopped()) << "at once, not when it would have been its turn";
    ex.advance(2s);
    EXPECT_EQ(seen, (sequence{"a in", "a out", "c in", "c out"}));
}

TEST_F(AsyncMutex, OwnerThatIsStoppedUnlocks) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    launched<void> a(ex, hold(m, seen, "a"));
    launched<void> b(ex, hold(m, seen, "b"));
    ex.run_ready();
    a.request_stop();
    ex.advance(1s);
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(seen, (sequence{"a in", "b in", "b out"}));
}

// The lock was handed over, then the stop came: it has the lock, and unlocks on its way out.
TEST_F(AsyncMutex, IsNotLostWhenAStopComesAfterTheHandOver) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    async_mutex::guard first = m.try_lock();
    launched<void> a(ex, hold(m, seen, "a"));
    ex.run_ready();
    first.unlock();
    a.request_stop();
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(seen, (sequence{"a in"}));
    EXPECT_TRUE(m.try_lock());
}

TEST_F(AsyncMutex, LockDoesNotBeginAfterAStop) {
    manual_executor ex;
    async_mutex m;
    sequence seen;
    stop_source source;
    source.request_stop();
    launched<void> a(ex, hold(m, seen, "a"), source.token());
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(seen, sequence{});
    EXPECT_TRUE(m.try_lock());
}

// cases: T419
// Stack overflow avoidance
TEST_F(AsyncMutex, GoesThroughALongLineWithoutStack) {
    manual_executor ex;
    async_mutex m;
    support::stack_range stack;
    constexpr std::size_t n = 20'000;
    std::size_t count = 0;
    auto passes = [&]() -> task<> {
        const async_mutex::guard held = co_await m.lock();
        stack.look();
        ++count;
    };
    async_mutex::guard first = m.try_lock();
    std::vector<std::unique_ptr<launched<void>>> line;
    for (std::size_t i = 0; i < n; ++i) {
        line.push_back(std::make_unique<launched<void>>(ex, passes()));
    }
    ex.run_ready();
    first.unlock();
    ex.run_ready();
    EXPECT_EQ(count, n);
    EXPECT_LT(stack.bytes(), support::stack_range::flat);
}

TEST(AsyncMutexDeathTest, DestroyedWhileLockedTerminates) {
    auto destroys = [] {
        auto m = std::make_unique<async_mutex>();
        const async_mutex::guard held = m->try_lock();
        m.reset();
    };
    EXPECT_DEATH(destroys(), "an async_mutex was destroyed while it was locked");
}

// Races

// cases: T419, T437
TEST_F(AsyncMutexRaces, GuardsPlainMemory) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        async_mutex m;
        int counter = 0;  // not atomic
        constexpr int rounds = 300;
        auto counts = [&]() -> task<> {
            for (int i = 0; i < rounds; ++i) {
                const async_mutex::guard held = co_await m.lock();
                ++counter;
            }
        };
        launched<void> a(ex, counts());
        launched<void> b(ex, counts());
        launched<void> c(ex, counts());
        ASSERT_TRUE(support::until([&] { return a.ended() && b.ended() && c.ended(); }));
        EXPECT_EQ(counter, 3 * rounds);
    }
}

// The owner unlocks while the next in line is stopped: it has either the lock, or nothing to do with it.
TEST_F(AsyncMutexRaces, HandOverAndStopExcludeEachOther) {
    executor ex{{.workers = 2}};
    support::rendezvous start(2);
    support::threads other;
    constexpr int rounds = 300;
    launched<void>* next = nullptr;
    other.start([&] {
        for (int round = 0; round < rounds; ++round) {
            start.meet();
            next->request_stop();
            start.meet();
        }
    });
    for (int round = 0; round < rounds; ++round) {
        async_mutex m;
        bool owned = false;
        std::atomic<bool> waits{false};
        auto locks = [&]() -> task<> {
            waits.store(true);
            const async_mutex::guard held = co_await m.lock();
            owned = true;
        };
        async_mutex::guard first = m.try_lock();
        launched<void> t(ex, locks());
        ASSERT_TRUE(support::until([&] { return waits.load(); }));
        next = &t;
        start.meet();
        first.unlock();
        start.meet();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        EXPECT_EQ(owned, !t.stopped());
        EXPECT_TRUE(m.try_lock());
    }
    other.join();
}

// Whoever is stopped while it waits or owns, the lock comes to the others and is free in the end.
TEST_F(AsyncMutexRaces, IsNotLostToStops) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        for (int round = 0; round < 200; ++round) {
            async_mutex m;
            int inside = 0;  // not atomic
            auto passes = [&]() -> task<> {
                const async_mutex::guard held = co_await m.lock();
                ++inside;
                EXPECT_EQ(inside, 1);
                --inside;
            };
            launched<void> a(ex, passes());
            launched<void> b(ex, passes());
            launched<void> c(ex, passes());
            launched<void> d(ex, passes());
            for (int i = round % 8; i > 0; --i) std::this_thread::yield();
            b.request_stop();
            c.request_stop();
            ASSERT_TRUE(
                support::until([&] { return a.ended() && b.ended() && c.ended() && d.ended(); }));
            EXPECT_FALSE(a.stopped() || d.stopped());
            EXPECT_TRUE(m.try_lock());
        }
    }
}

}  // namespace
