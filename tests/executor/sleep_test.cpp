// tests/executor/sleep_test.cpp - timers: their order, their ends, and how they leave the queue.
// SPDX-License-Identifier: MIT
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
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
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::sleep_for;
using taskscope::sleep_until;
using taskscope::stop_source;
using taskscope::task;
using taskscope::detail::saturating_add;
using clock = taskscope::executor::clock;

using Sleep = support::ledger;

TEST_F(Sleep, EndsInTheOrderOfTheDeadlinesWhateverTheOrderOfTheCalls) {
    manual_executor ex;
    sequence seen;
    auto sleeps = [&](clock::duration d, std::string name) -> task<> {
        co_await sleep_for(d);
        seen(name);
    };
    launched<void> c(ex, sleeps(30ms, "c"));
    launched<void> a(ex, sleeps(10ms, "a"));
    launched<void> d(ex, sleeps(1h, "d"));
    launched<void> b(ex, sleeps(20ms, "b"));
    ex.run_ready();
    EXPECT_EQ(ex.statistics().timers, 4U);
    ex.advance(2h);
    EXPECT_EQ(seen, (sequence{"a", "b", "c", "d"}));
    EXPECT_TRUE(ex.idle());
}

TEST_F(Sleep, ShowsTheTaskTheTimeOfItsDeadline) {
    manual_executor ex;
    const auto start = ex.now();
    std::vector<clock::duration> woken;
    auto sleeps = [&](clock::duration d) -> task<> {
        co_await sleep_for(d);
        woken.push_back(ex.now() - start);
        co_await sleep_until(start + 2 * d);
        woken.push_back(ex.now() - start);
    };
    launched<void> a(ex, sleeps(10ms));
    launched<void> b(ex, sleeps(15ms));
    ex.advance(1s);
    EXPECT_EQ(woken, (std::vector<clock::duration>{10ms, 15ms, 20ms, 30ms}));
    EXPECT_EQ(ex.now() - start, 1s);
}

TEST_F(Sleep, DoesNotEndAMomentTooEarly) {
    manual_executor ex;
    launched<void> t(ex, [](clock::duration d) -> task<> { co_await sleep_for(d); }(1s));
    ex.advance(1s - 1ns);
    EXPECT_FALSE(t.ended());
    ex.advance(1ns);
    EXPECT_TRUE(t.ended());
}

TEST_F(Sleep, EndsAllWithTheSameDeadlineInTheSameStep) {
    manual_executor ex;
    int ended = 0;
    const auto deadline = ex.now() + 5s;
    auto sleeps = [&]() -> task<> {
        co_await sleep_until(deadline);
        EXPECT_EQ(ex.now(), deadline);
        ++ended;
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<launched<void>>(ex, sleeps()));
    ex.run_ready();
    ex.advance(5s - 1ns);
    EXPECT_EQ(ended, 0);
    ex.advance(1ns);
    EXPECT_EQ(ended, 100);
}

// cases: T338
TEST_F(Sleep, OfTheSameDeadlineEndsFirstWhichBeganFirst) {
    manual_executor ex;
    const auto deadline = ex.now() + 5s;
    std::vector<int> order;
    std::vector<int> expected;
    auto sleeps = [&](clock::time_point until, int i) -> task<> {
        co_await sleep_until(until);
        if (until == deadline) order.push_back(i);
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (int i = 0; i < 100; ++i) {
        const auto other = ex.now() + 1s * (i * 37 % 11);  // before, at the same time, and after
        all.push_back(std::make_unique<launched<void>>(ex, sleeps(deadline, 2 * i)));
        all.push_back(std::make_unique<launched<void>>(ex, sleeps(other, 2 * i + 1)));
        expected.push_back(2 * i);
        if (other == deadline) expected.push_back(2 * i + 1);
    }
    ex.advance(1h);
    EXPECT_EQ(order, expected);
}

TEST_F(Sleep, DoesNotSuspendForNoTimeOrLess) {
    manual_executor ex;
    const auto start = ex.now();
    auto body = [&]() -> task<> {
        co_await sleep_for(0s);
        co_await sleep_for(-1h);
        co_await sleep_for(std::chrono::nanoseconds::min());
        co_await sleep_for(std::chrono::hours::min());
        co_await sleep_until(start);
        co_await sleep_until(start - 1s);
        co_await sleep_until(clock::time_point::min());
    };
    launched<void> t(ex, body());
    EXPECT_TRUE(ex.run_one());
    EXPECT_TRUE(t.ended()) << "in a single job";
    EXPECT_EQ(ex.now(), start);
}

// cases: T332
TEST_F(Sleep, BeyondTheEndOfTimeEndsOnlyByAStop) {
    manual_executor ex;
    ex.advance(1h);
    auto sleeps = [](auto d) -> task<> { co_await sleep_for(d); };
    auto until_end = []() -> task<> { co_await sleep_until(clock::time_point::max()); };
    launched<void> all[] = {
        {ex, sleeps(std::chrono::nanoseconds::max())},
        {ex, sleeps(std::chrono::hours::max())},
        {ex, sleeps(std::chrono::duration<double>(std::numeric_limits<double>::infinity()))},
        {ex, sleeps(std::chrono::duration<float, std::ratio<31556952>>(1e9F))},
        {ex,
         sleeps(std::chrono::duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max()))},
        {ex, until_end()},
    };
    ex.advance(std::chrono::years(200));
    EXPECT_EQ(ex.statistics().timers, std::size(all));
    for (auto& t : all) {
        EXPECT_FALSE(t.ended());
        t.request_stop();
    }
    ex.run_ready();
    for (auto& t : all) EXPECT_TRUE(t.stopped());
}

TEST_F(Sleep, SumsOfTimesStopAtTheEndsInsteadOfWrapping) {
    const clock::time_point start{std::chrono::hours(1000)};
    const auto end = clock::time_point::max();
    EXPECT_EQ(saturating_add(start, 1ns), start + 1ns);
    EXPECT_EQ(saturating_add(start, 90min), start + 90min);
    EXPECT_EQ(saturating_add(start, std::chrono::duration<double>(0.25)), start + 250ms);
    EXPECT_EQ(saturating_add(start, -1ns), start);
    EXPECT_EQ(saturating_add(start, std::chrono::nanoseconds::min()), start);
    EXPECT_EQ(saturating_add(start, std::chrono::nanoseconds::max()), end);
    EXPECT_EQ(saturating_add(start, std::chrono::hours::max()), end);
    EXPECT_EQ(saturating_add(start, end - start), end);
    EXPECT_EQ(saturating_add(end, 1ns), end);
    EXPECT_EQ(saturating_add(end, 0ns), end);
    const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(saturating_add(start, nan), start);
}

// cases: T364
TEST_F(Sleep, ThatIsStoppedLeavesTheQueueBeforeRequestStopReturns) {
    manual_executor ex;
    auto sleeps = [&](int i) -> task<> { co_await sleep_for(1s * (i * 7919 % 100'000 + 1)); };
    stop_source source;
    constexpr int n = 100'000;
    std::vector<std::unique_ptr<launched<void>>> all;
    all.reserve(n);
    for (int i = 0; i < n; ++i) {
        all.push_back(std::make_unique<launched<void>>(ex, sleeps(i), source.token()));
    }
    ex.run_ready();
    EXPECT_EQ(ex.statistics().timers, static_cast<std::size_t>(n));
    source.request_stop();
    EXPECT_EQ(ex.statistics().timers, 0U);
    ex.run_ready();
    EXPECT_TRUE(std::ranges::all_of(all, [](const auto& t) { return t->ended() && t->stopped(); }));
}

TEST_F(Sleep, ThatIsStoppedLeavesTheOthersInOrder) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 50; ++round) {
        manual_executor ex;
        std::vector<clock::time_point> woken;
        auto sleeps = [&](clock::duration d) -> task<> {
            co_await sleep_for(d);
            woken.push_back(ex.now());
        };
        constexpr std::size_t n = 60;
        std::vector<std::unique_ptr<launched<void>>> all;
        std::vector<clock::time_point> expected;
        std::vector<std::size_t> victims;
        for (std::size_t i = 0; i < n; ++i) {
            const auto d = std::chrono::milliseconds(1 + random() % 40);  // many are equal
            all.push_back(std::make_unique<launched<void>>(ex, sleeps(d)));
            if (random() % 2 == 0) {
                victims.push_back(i);
            } else {
                expected.push_back(ex.now() + d);
            }
        }
        ex.run_ready();
        std::ranges::shuffle(victims, random);
        for (const std::size_t i : victims) all[i]->request_stop();
        std::ranges::sort(expected);
        EXPECT_EQ(ex.statistics().timers, expected.size());
        ex.advance(1s);
        EXPECT_EQ(woken, expected);
    }
}

TEST_F(Sleep, IsNotArmedWhenTheStopCameBefore) {
    manual_executor ex;
    stop_source source;
    source.request_stop();
    launched<void> t(ex, []() -> task<> { co_await sleep_for(1h); }(), source.token());
    EXPECT_TRUE(ex.run_one());
    EXPECT_TRUE(t.stopped());
    EXPECT_TRUE(ex.idle());
}

TEST_F(Sleep, IgnoresAStopThatComesAfterItsEnd) {
    manual_executor ex;
    auto body = []() -> task<int> {
        co_await sleep_for(1s);
        co_return 1;
    };
    launched<int> t(ex, body());
    ex.advance(1s);
    ASSERT_TRUE(t.ended());
    t.request_stop();
    EXPECT_EQ(t.take(), 1);
}

// Real threads

TEST_F(Sleep, EndsByItsDeadlineOnWorkersThatAreAsleep) {
    executor ex{{.workers = 2}};
    const auto start = clock::now();
    auto body = []() -> task<> { co_await sleep_for(2ms); };
    ex.run(body());
    EXPECT_GE(clock::now() - start, 2ms);
    EXPECT_EQ(ex.statistics().timers, 0U);
}

TEST_F(Sleep, EndsWhileTheOnlyWorkerIsBusyWithOtherTasks) {
    executor ex{{.workers = 1}};
    std::atomic<bool> slept{false};
    auto sleeps = [&]() -> task<> {
        co_await sleep_for(1us);
        slept.store(true);
    };
    auto spins = [&]() -> task<> {
        while (!slept.load()) co_await taskscope::yield();
    };
    launched<void> busy(ex, spins());
    launched<void> sleeper(ex, sleeps());
    EXPECT_TRUE(support::until([&] { return busy.ended() && sleeper.ended(); }));
}

TEST_F(Sleep, EndsWhileAllWorkersButOneAreStuckInAFunction) {
    // Whoever arms the timer gets stuck. A sleeping worker has to wait for the deadline in its place.
    executor ex{{.workers = 3}};
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> slept{0};
        std::atomic<int> stuck{0};
        auto sleeps = [&]() -> task<> {
            co_await sleep_for(20us);
            slept.fetch_add(1);
        };
        auto blocks = [&]() -> task<> {
            stuck.fetch_add(1);
            EXPECT_TRUE(support::until([&] { return slept.load() == 2; }));
            co_return;
        };
        launched<void> a(ex, sleeps());
        launched<void> b(ex, blocks());
        launched<void> c(ex, blocks());
        launched<void> d(ex, sleeps());
        ASSERT_TRUE(
            support::until([&] { return a.ended() && b.ended() && c.ended() && d.ended(); }));
    }
}

TEST_F(Sleep, EndsWhileTheOnlyWorkerSearchesForAsLongAsItLikes) {
    executor ex{{.workers = 1, .spins = std::numeric_limits<unsigned>::max()}};
    auto sleeps = []() -> task<> { co_await sleep_for(1ms); };
    ex.run(sleeps());
}

TEST_F(Sleep, AnEarlierDeadlineShortensTheSleepOfTheWorkerThatWaitsForALaterOne) {
    executor ex{{.workers = 2}};
    auto sleeps = [](clock::duration d) -> task<> { co_await sleep_for(d); };
    launched<void> late(ex, sleeps(1h));
    ASSERT_TRUE(support::until([&] { return ex.statistics().sleeping == 2; }));
    launched<void> early(ex, sleeps(1ms));
    EXPECT_TRUE(support::until([&] { return early.ended(); }));
    late.request_stop();
    EXPECT_TRUE(support::until([&] { return late.ended(); }));
}

TEST_F(Sleep, EndsOnceWhenStopAndDeadlineRace) {
    executor ex{{.workers = 2}};
    int stopped = 0;
    constexpr int rounds = 500;
    for (int i = 0; i < rounds; ++i) {
        auto body = [](clock::duration d) -> task<> { co_await sleep_for(d); };
        launched<void> t(ex, body(std::chrono::microseconds(i % 60)));
        for (int spin = 0; spin < (i * 37) % 200; ++spin) {
            [[maybe_unused]] const auto now = clock::now();
        }
        t.request_stop();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        if (t.stopped()) ++stopped;
    }
    EXPECT_EQ(ex.statistics().timers, 0U);
    RecordProperty("stopped", stopped);
}

}  // namespace
