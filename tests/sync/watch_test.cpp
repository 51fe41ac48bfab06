// tests/sync/watch_test.cpp - observers see the latest value, never an older one after a newer.
// SPDX-License-Identifier: MIT
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/watch.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::launched;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;
using taskscope::watch;

using Watch = support::ledger;
using WatchRaces = support::ledger;

task<int> next(watch<int>::observer& o) {
    const std::shared_ptr<const int> value = co_await o.next();
    co_return value ? *value : -1;
}

// cases: T418, T420
TEST_F(Watch, GivesThePresentValueAndThenEachChange) {
    manual_executor ex;
    watch<int> w{1};
    watch<int>::observer o = w.observe();
    EXPECT_EQ(ex.run(next(o)), 1);
    launched<int> change(ex, next(o));
    ex.run_ready();
    EXPECT_FALSE(change.ended());
    w.set(2);
    ex.run_ready();
    EXPECT_EQ(change.take(), 2);
    EXPECT_EQ(*w.get(), 2);
}

TEST_F(Watch, SkipsWhatLiesBetween) {
    manual_executor ex;
    watch<int> w{1};
    watch<int>::observer o = w.observe();
    EXPECT_EQ(ex.run(next(o)), 1);
    w.set(2);
    w.set(3);
    EXPECT_EQ(ex.run(next(o)), 3);
    launched<int> latest(ex, next(o));
    ex.run_ready();
    w.set(4);
    w.set(5);
    ex.run_ready();
    EXPECT_EQ(latest.take(), 5) << "the value when it goes on, not when it was woken";
}

TEST_F(Watch, KeepsObserversApart) {
    manual_executor ex;
    watch<int> w{1};
    watch<int>::observer a = w.observe();
    watch<int>::observer b = w.observe();
    EXPECT_EQ(ex.run(next(a)), 1);
    launched<int> a2(ex, next(a));
    launched<int> b1(ex, next(b));
    ex.run_ready();
    EXPECT_EQ(b1.take(), 1);
    launched<int> b2(ex, next(b));
    ex.run_ready();
    w.set(2);
    ex.run_ready();
    EXPECT_EQ(a2.take(), 2);
    EXPECT_EQ(b2.take(), 2);
}

// cases: T420
// Close wakes all
TEST_F(Watch, ClosedEndsAfterItsLastValue) {
    manual_executor ex;
    watch<int> w{1};
    watch<int>::observer waiting = w.observe();
    watch<int>::observer fresh = w.observe();
    EXPECT_EQ(ex.run(next(waiting)), 1);
    launched<int> end(ex, next(waiting));
    ex.run_ready();
    w.close();
    w.close();
    w.set(2);
    ex.run_ready();
    EXPECT_EQ(end.take(), -1);
    EXPECT_EQ(ex.run(next(fresh)), 1);
    EXPECT_EQ(ex.run(next(fresh)), -1);
    EXPECT_EQ(*w.get(), 1);
}

TEST_F(Watch, NextThatIsStoppedHasSeenNothing) {
    manual_executor ex;
    watch<int> w{1};
    watch<int>::observer o = w.observe();
    EXPECT_EQ(ex.run(next(o)), 1);
    launched<int> stopped(ex, next(o));
    ex.run_ready();
    stopped.request_stop();
    ex.run_ready();
    EXPECT_TRUE(stopped.stopped());
    w.set(2);
    stop_source source;
    source.request_stop();
    launched<int> refused(ex, next(o), source.token());
    ex.run_ready();
    EXPECT_TRUE(refused.stopped());
    EXPECT_EQ(ex.run(next(o)), 2);
}

TEST_F(Watch, LetsAnOldValueGoWhenNobodyHoldsIt) {
    support::census values;
    watch<support::citizen> w{support::citizen(values)};
    const std::shared_ptr<const support::citizen> held = w.get();
    w.set(support::citizen(values));
    EXPECT_EQ(values.alive, 2);
    w.set(support::citizen(values));
    EXPECT_EQ(values.alive, 2) << "the one in between had no reader";
}

TEST_F(WatchRaces, SeesValuesInOrderAndAlwaysTheLast) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        watch<int> w{0};
        constexpr int last = 500;
        auto follows = [&]() -> task<> {
            watch<int>::observer o = w.observe();
            int seen = -1;
            while (seen != last) {
                const std::shared_ptr<const int> value = co_await o.next();
                EXPECT_GT(*value, seen);
                seen = *value;
            }
        };
        launched<void> a(ex, follows());
        launched<void> b(ex, follows());
        launched<void> c(ex, follows());
        for (int i = 1; i <= last; ++i) {
            w.set(i);
            if (i == last / 2) c.request_stop();
        }
        EXPECT_TRUE(support::until([&] { return a.ended() && b.ended() && c.ended(); }));
    }
}

}  // namespace
