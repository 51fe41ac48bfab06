// tests/sync/async_auto_event_test.cpp - one waiter for each set(), and one set() remembered.
// SPDX-License-Identifier: MIT
#include <taskscope/async_auto_event.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>

namespace {

using support::launched;
using support::sequence;
using taskscope::async_auto_event;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncAutoEvent = support::ledger;
using AsyncAutoEventRaces = support::ledger;

task<> wait(async_auto_event& e, sequence& seen, std::string name) {
    co_await e.wait();
    seen(name);
}

// cases: T418, T420
TEST_F(AsyncAutoEvent, LetsOneGoOnEachTimeInTheOrderInWhichTheyCame) {
    manual_executor ex;
    async_auto_event e;
    sequence seen;
    launched<void> a(ex, wait(e, seen, "a"));
    launched<void> b(ex, wait(e, seen, "b"));
    ex.run_ready();
    e.set();
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"});
    e.set();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a", "b"}));
}

// cases: T420
// Permit stored
TEST_F(AsyncAutoEvent, RemembersOneSetForTheNextWhoComes) {
    manual_executor ex;
    async_auto_event e;
    sequence seen;
    e.set();
    e.set();
    launched<void> a(ex, wait(e, seen, "a"));
    launched<void> b(ex, wait(e, seen, "b"));
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"a"}) << "two are remembered as one";
    e.set();
    ex.run_ready();
    EXPECT_TRUE(b.ended());
}

TEST_F(AsyncAutoEvent, WaitThatIsStoppedTakesNoSetWithIt) {
    manual_executor ex;
    async_auto_event e;
    sequence seen;
    launched<void> a(ex, wait(e, seen, "a"));
    launched<void> b(ex, wait(e, seen, "b"));
    ex.run_ready();
    a.request_stop();
    e.set();
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(seen, sequence{"b"});
}

TEST_F(AsyncAutoEvent, WaitDoesNotBeginAfterAStop) {
    manual_executor ex;
    async_auto_event e;
    sequence seen;
    e.set();
    stop_source source;
    source.request_stop();
    launched<void> a(ex, wait(e, seen, "a"), source.token());
    launched<void> b(ex, wait(e, seen, "b"));
    ex.run_ready();
    EXPECT_TRUE(a.stopped());
    EXPECT_EQ(seen, sequence{"b"}) << "it is still set";
}

// A flag is raised before each set(): whoever waits for it never misses the last one.
TEST_F(AsyncAutoEventRaces, LosesNoSet) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        async_auto_event e;
        std::atomic<int> raised{0};
        constexpr int last = 500;
        auto follows = [&]() -> task<> {
            while (raised.load() < last) co_await e.wait();
        };
        launched<void> follower(ex, follows());
        for (int i = 1; i <= last; ++i) {
            raised.store(i);
            e.set();
        }
        EXPECT_TRUE(support::until([&] { return follower.ended(); }));
    }
}

TEST_F(AsyncAutoEventRaces, SetIsNotLostToAStop) {
    executor ex{{.workers = 2}};
    for (int round = 0; round < 500; ++round) {
        async_auto_event e;
        auto waits = [&]() -> task<> { co_await e.wait(); };
        launched<void> a(ex, waits());
        launched<void> b(ex, waits());
        for (int i = round % 8; i > 0; --i) std::this_thread::yield();
        e.set();
        a.request_stop();
        ASSERT_TRUE(support::until([&] { return a.ended(); }));
        if (!a.stopped()) e.set();
        ASSERT_TRUE(support::until([&] { return b.ended(); }));
    }
}

}  // namespace
