// tests/sync/broadcast_test.cpp - every subscriber gets every value, and is told what it missed.
// SPDX-License-Identifier: MIT
#include <taskscope/broadcast.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>

namespace {

using support::launched;
using taskscope::broadcast;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using Broadcast = support::ledger;
using BroadcastRaces = support::ledger;

task<int> next(broadcast<int>::subscriber& s) {
    const std::shared_ptr<const int> value = co_await s.next();
    co_return value ? *value : -1;
}

// cases: T418
// Multi wakeup
TEST_F(Broadcast, GivesEveryValueToEverySubscriber) {
    manual_executor ex;
    broadcast<int> b{4};
    broadcast<int>::subscriber early = b.subscribe();
    b.send(1);
    broadcast<int>::subscriber late = b.subscribe();
    launched<int> waiting(ex, next(late));
    ex.run_ready();
    EXPECT_FALSE(waiting.ended()) << "it sees only what comes after it";
    EXPECT_EQ(ex.run(next(early)), 1);
    launched<int> waiting_too(ex, next(early));
    ex.run_ready();
    b.send(2);
    b.send(3);
    ex.run_ready();
    EXPECT_EQ(waiting.take(), 2);
    EXPECT_EQ(waiting_too.take(), 2);
    EXPECT_EQ(ex.run(next(early)), 3);
    EXPECT_EQ(ex.run(next(late)), 3);
    EXPECT_EQ(early.missed() + late.missed(), 0U);
}

TEST_F(Broadcast, TellsASlowSubscriberWhatItMissed) {
    manual_executor ex;
    broadcast<int> b{2};
    broadcast<int>::subscriber s = b.subscribe();
    for (int i = 1; i <= 5; ++i) b.send(i);
    EXPECT_EQ(ex.run(next(s)), 4);
    EXPECT_EQ(s.missed(), 3U);
    EXPECT_EQ(ex.run(next(s)), 5);
    EXPECT_EQ(s.missed(), 3U);
}

TEST_F(Broadcast, ClosedEndsAfterTheLastValue) {
    manual_executor ex;
    broadcast<int> b{2};
    broadcast<int>::subscriber s = b.subscribe();
    broadcast<int>::subscriber waits = b.subscribe();
    b.send(1);
    EXPECT_EQ(ex.run(next(waits)), 1);
    launched<int> end(ex, next(waits));
    ex.run_ready();
    b.close();
    b.close();
    b.send(2);
    ex.run_ready();
    EXPECT_EQ(end.take(), -1);
    EXPECT_EQ(ex.run(next(s)), 1);
    EXPECT_EQ(ex.run(next(s)), -1);
}

TEST_F(Broadcast, NextThatIsStoppedHasTakenNothing) {
    manual_executor ex;
    broadcast<int> b{2};
    broadcast<int>::subscriber s = b.subscribe();
    launched<int> stopped(ex, next(s));
    ex.run_ready();
    stopped.request_stop();
    ex.run_ready();
    EXPECT_TRUE(stopped.stopped());
    b.send(1);
    stop_source source;
    source.request_stop();
    launched<int> refused(ex, next(s), source.token());
    ex.run_ready();
    EXPECT_TRUE(refused.stopped());
    EXPECT_EQ(ex.run(next(s)), 1);
}

TEST(BroadcastDeathTest, WithoutRoomTerminates) {
    EXPECT_DEATH(broadcast<int>{0}, "a broadcast was made without room for a value");
}

TEST_F(BroadcastRaces, GivesEachSubscriberAllValuesInOrder) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        broadcast<int> b{64};
        constexpr int values = 500;
        auto follows = [&](broadcast<int>::subscriber s) -> task<> {
            int seen = 0;
            std::uint64_t got = 0;
            for (;;) {
                const std::shared_ptr<const int> value = co_await s.next();
                if (!value) break;
                EXPECT_GT(*value, seen);
                seen = *value;
                ++got;
            }
            EXPECT_EQ(got + s.missed(), static_cast<std::uint64_t>(values));
            EXPECT_EQ(seen, values);
        };
        launched<void> a(ex, follows(b.subscribe()));
        launched<void> c(ex, follows(b.subscribe()));
        for (int i = 1; i <= values; ++i) b.send(i);
        b.close();
        EXPECT_TRUE(support::until([&] { return a.ended() && c.ended(); }));
    }
}

}  // namespace
