// tests/sync/async_condition_test.cpp - waiting for a state, and notifications that are never lost.
// SPDX-License-Identifier: MIT
#include <taskscope/async_condition.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::launched;
using support::sequence;
using taskscope::async_condition;
using taskscope::async_mutex;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::task;

using AsyncCondition = support::ledger;
using AsyncConditionRaces = support::ledger;

// A number that tasks wait to be at least so large.
struct level {
    async_mutex mutex;
    async_condition changed;
    int value = 0;

    task<> wait_for(int wanted, sequence& seen, std::string name) {
        auto reached = [this, wanted] { return value >= wanted; };
        async_mutex::guard held = co_await mutex.lock();
        co_await changed.wait(held, reached);
        EXPECT_TRUE(held);
        seen(name);
    }
    void raise(int to) {
        const async_mutex::guard held = mutex.try_lock();
        ASSERT_TRUE(held) << "a task that waits does not hold the mutex";
        value = to;
    }
};

TEST_F(AsyncCondition, GoesOnAtOnceIfItIsTrue) {
    manual_executor ex;
    level l;
    sequence seen;
    launched<void> a(ex, l.wait_for(0, seen, "a"));
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"});
}

TEST_F(AsyncCondition, WaitsUntilItIsTrueHoweverOftenItIsNotified) {
    manual_executor ex;
    level l;
    sequence seen;
    launched<void> a(ex, l.wait_for(2, seen, "a"));
    ex.run_ready();
    l.changed.notify_one();
    ex.run_ready();
    l.raise(1);
    l.changed.notify_all();
    ex.run_ready();
    EXPECT_FALSE(a.ended());
    l.raise(2);
    ex.run_ready();
    EXPECT_FALSE(a.ended()) << "nobody has told it";
    l.changed.notify_one();
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"});
    EXPECT_TRUE(l.mutex.try_lock());
}

TEST_F(AsyncCondition, NotifiesOneOrAllInTheOrderInWhichTheyCame) {
    manual_executor ex;
    level l;
    sequence seen;
    launched<void> a(ex, l.wait_for(1, seen, "a"));
    launched<void> b(ex, l.wait_for(1, seen, "b"));
    launched<void> c(ex, l.wait_for(1, seen, "c"));
    ex.run_ready();
    l.raise(1);
    l.changed.notify_one();
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"});
    l.changed.notify_all();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "b", "c"}));
}

TEST_F(AsyncCondition, ErrorOfThePredicateComesOutWithTheMutexHeld) {
    manual_executor ex;
    async_mutex m;
    async_condition c;
    auto body = [&]() -> task<bool> {
        auto throws = []() -> bool { throw std::runtime_error("predicate"); };
        async_mutex::guard held = co_await m.lock();
        bool thrown = false;
        try {
            co_await c.wait(held, throws);
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(held);
        co_return thrown;
    };
    EXPECT_TRUE(ex.run(body()));
}

TEST_F(AsyncCondition, WaitThatIsStoppedEndsWithoutTheMutex) {
    manual_executor ex;
    level l;
    sequence seen;
    launched<void> a(ex, l.wait_for(1, seen, "a"));
    launched<void> b(ex, l.wait_for(1, seen, "b"));
    ex.run_ready();
    const async_mutex::guard held = l.mutex.try_lock();
    a.request_stop();
    ex.run_ready();
    EXPECT_TRUE(a.ended() && a.stopped()) << "though somebody else holds the mutex";
    l.value = 1;
    l.changed.notify_one();
    EXPECT_FALSE(b.ended());
    b.request_stop();
    ex.run_ready();
    EXPECT_TRUE(b.stopped());
    EXPECT_EQ(seen, sequence{});
}

// a was notified and waits for the mutex when it is stopped: then b is notified in its place.
TEST_F(AsyncCondition, NotificationOfAStoppedWaiterGoesToTheNext) {
    manual_executor ex;
    level l;
    sequence seen;
    launched<void> a(ex, l.wait_for(1, seen, "a"));
    launched<void> b(ex, l.wait_for(1, seen, "b"));
    ex.run_ready();
    {
        const async_mutex::guard held = l.mutex.try_lock();
        l.value = 1;
        l.changed.notify_one();
        ex.run_ready();
        a.request_stop();
        ex.run_ready();
        EXPECT_TRUE(a.ended() && a.stopped());
    }
    ex.run_ready();
    ASSERT_TRUE(b.ended());
    EXPECT_EQ(seen, sequence{"b"});
}

TEST(AsyncConditionDeathTest, AwaitedWithoutItsMutexTerminates) {
    auto waits = [] {
        manual_executor ex;
        async_condition c;
        async_mutex::guard nothing;
        auto never = [] { return false; };
        ex.run(c.wait(nothing, never));
    };
    EXPECT_DEATH(waits(), "a condition was awaited without its mutex");
}

// Consumers take from a queue that a condition guards; one notification per element, some consumers are stopped.
TEST_F(AsyncConditionRaces, LosesNoNotification) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        for (int round = 0; round < 100; ++round) {
            async_mutex m;
            async_condition arrived;
            std::deque<int> queue;
            auto takes = [&]() -> task<int> {
                auto any = [&] { return !queue.empty(); };
                async_mutex::guard held = co_await m.lock();
                co_await arrived.wait(held, any);
                const int front = queue.front();
                queue.pop_front();
                co_return front;
            };
            auto puts = [&](int n) -> task<> {
                for (int i = 0; i < n; ++i) {
                    {
                        const async_mutex::guard held = co_await m.lock();
                        queue.push_back(i);
                    }
                    arrived.notify_one();
                }
            };
            launched<int> a(ex, takes());
            launched<int> b(ex, takes());
            launched<int> c(ex, takes());
            launched<void> producer(ex, puts(3));
            for (int i = round % 8; i > 0; --i) std::this_thread::yield();
            b.request_stop();
            ASSERT_TRUE(support::until(
                [&] { return a.ended() && b.ended() && c.ended() && producer.ended(); }));
            EXPECT_FALSE(a.stopped() || c.stopped());
            EXPECT_EQ(queue.size(), b.stopped() ? 1U : 0U);
        }
    }
}

}  // namespace
