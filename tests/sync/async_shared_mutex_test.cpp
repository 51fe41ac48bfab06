// tests/sync/async_shared_mutex_test.cpp - readers together, writers alone, nobody starved.
// SPDX-License-Identifier: MIT
#include <taskscope/async_shared_mutex.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::sequence;
using taskscope::async_shared_mutex;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncSharedMutex = support::ledger;
using AsyncSharedMutexRaces = support::ledger;

task<> read(async_shared_mutex& m, sequence& seen, std::string name) {
    const async_shared_mutex::shared_guard held = co_await m.lock_shared();
    seen(name + " reads");
    co_await taskscope::sleep_for(1s);
    seen(name + " done");
}

task<> write(async_shared_mutex& m, sequence& seen, std::string name) {
    const async_shared_mutex::guard held = co_await m.lock();
    seen(name + " writes");
    co_await taskscope::sleep_for(1s);
    seen(name + " done");
}

// cases: T419
TEST_F(AsyncSharedMutex, ReadersAreInTogetherAndWritersAlone) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    launched<void> r1(ex, read(m, seen, "r1"));
    launched<void> r2(ex, read(m, seen, "r2"));
    launched<void> w1(ex, write(m, seen, "w1"));
    launched<void> w2(ex, write(m, seen, "w2"));
    ex.advance(10s);
    EXPECT_TRUE(r1.ended() && r2.ended() && w1.ended() && w2.ended());
    EXPECT_EQ(seen, (sequence{"r1 reads", "r2 reads", "r1 done", "r2 done", "w1 writes", "w1 done",
                              "w2 writes", "w2 done"}));
}

// cases: T419
// Writer starvation rule
TEST_F(AsyncSharedMutex, WriterThatWaitsIsPreferredToReadersWhoComeLater) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    launched<void> r1(ex, read(m, seen, "r1"));
    launched<void> w(ex, write(m, seen, "w"));
    launched<void> r2(ex, read(m, seen, "r2"));
    launched<void> r3(ex, read(m, seen, "r3"));
    ex.run_ready();
    EXPECT_EQ(seen, sequence{"r1 reads"});
    EXPECT_FALSE(m.try_lock_shared());
    ex.advance(10s);
    EXPECT_EQ(seen, (sequence{"r1 reads", "r1 done", "w writes", "w done", "r2 reads", "r3 reads",
                              "r2 done", "r3 done"}));
    EXPECT_TRUE(r1.ended() && r2.ended() && r3.ended() && w.ended());
}

TEST_F(AsyncSharedMutex, ReaderThatWaitsIsPreferredToWritersWhoComeLater) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    launched<void> w1(ex, write(m, seen, "w1"));
    launched<void> r(ex, read(m, seen, "r"));
    launched<void> w2(ex, write(m, seen, "w2"));
    ex.advance(10s);
    EXPECT_TRUE(w1.ended() && r.ended() && w2.ended());
    EXPECT_EQ(seen,
              (sequence{"w1 writes", "w1 done", "r reads", "r done", "w2 writes", "w2 done"}));
}

TEST_F(AsyncSharedMutex, TryLockSucceedsWhileItCan) {
    async_shared_mutex m;
    {
        const async_shared_mutex::shared_guard a = m.try_lock_shared();
        const async_shared_mutex::shared_guard b = m.try_lock_shared();
        EXPECT_TRUE(a && b);
        EXPECT_FALSE(m.try_lock());
    }
    const async_shared_mutex::guard c = m.try_lock();
    EXPECT_TRUE(c);
    EXPECT_FALSE(m.try_lock());
    EXPECT_FALSE(m.try_lock_shared());
}

// cases: T422
// Cancellation while waiting
TEST_F(AsyncSharedMutex, WriterThatIsStoppedLetsTheReadersBehindItGoOn) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    launched<void> r1(ex, read(m, seen, "r1"));
    launched<void> w(ex, write(m, seen, "w"));
    launched<void> r2(ex, read(m, seen, "r2"));
    ex.run_ready();
    w.request_stop();
    ex.run_ready();
    EXPECT_TRUE(w.ended() && w.stopped());
    EXPECT_EQ(seen, (sequence{"r1 reads", "r2 reads"}));
    ex.advance(1s);
    EXPECT_TRUE(r1.ended() && r2.ended());
    EXPECT_TRUE(m.try_lock());
}

TEST_F(AsyncSharedMutex, OwnersThatAreStoppedUnlock) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    launched<void> r(ex, read(m, seen, "r"));
    launched<void> w(ex, write(m, seen, "w"));
    ex.run_ready();
    r.request_stop();
    ex.run_ready();
    w.request_stop();
    ex.run_ready();
    EXPECT_TRUE(r.stopped() && w.stopped());
    EXPECT_EQ(seen, (sequence{"r reads", "w writes"}));
    EXPECT_TRUE(m.try_lock());
}

TEST_F(AsyncSharedMutex, LockDoesNotBeginAfterAStop) {
    manual_executor ex;
    async_shared_mutex m;
    sequence seen;
    stop_source source;
    source.request_stop();
    launched<void> r(ex, read(m, seen, "r"), source.token());
    launched<void> w(ex, write(m, seen, "w"), source.token());
    ex.run_ready();
    EXPECT_TRUE(r.stopped() && w.stopped());
    EXPECT_EQ(seen, sequence{});
}

TEST(AsyncSharedMutexDeathTest, DestroyedWhileLockedTerminates) {
    auto destroys = [] {
        auto m = std::make_unique<async_shared_mutex>();
        const async_shared_mutex::shared_guard held = m->try_lock_shared();
        m.reset();
    };
    EXPECT_DEATH(destroys(), "an async_shared_mutex was destroyed while it was locked");
}

TEST_F(AsyncSharedMutexRaces, WritersAreAloneAndNothingIsLostToStops) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        for (int round = 0; round < 100; ++round) {
            async_shared_mutex m;
            int data = 0;  // not atomic
            std::atomic<int> sum{0};
            auto writes = [&]() -> task<> {
                const async_shared_mutex::guard held = co_await m.lock();
                ++data;
                co_await taskscope::yield();
                ++data;
            };
            auto reads = [&]() -> task<> {
                const async_shared_mutex::shared_guard held = co_await m.lock_shared();
                EXPECT_EQ(data % 2, 0);
                sum.fetch_add(data);
            };
            launched<void> w1(ex, writes());
            launched<void> r1(ex, reads());
            launched<void> r2(ex, reads());
            launched<void> w2(ex, writes());
            launched<void> r3(ex, reads());
            launched<void> r4(ex, reads());
            for (int i = round % 8; i > 0; --i) std::this_thread::yield();
            r1.request_stop();
            r3.request_stop();
            ASSERT_TRUE(support::until([&] {
                return w1.ended() && w2.ended() && r1.ended() && r2.ended() && r3.ended() &&
                       r4.ended();
            }));
            EXPECT_TRUE(m.try_lock());
            EXPECT_EQ(data, 4);
        }
    }
}

}  // namespace
