// tests/executor/run_blocking_test.cpp - functions that block, on threads of their own.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/current.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::until;
using taskscope::executor;
using taskscope::fork_join;
using taskscope::manual_executor;
using taskscope::run_blocking;
using taskscope::stop_source;
using taskscope::task;

using RunBlocking = support::ledger;
using RunBlockingDeathTest = support::ledger;

struct boom : std::runtime_error {
    boom() : std::runtime_error("boom") {}
};

TEST_F(RunBlocking, GivesTheResultOfTheFunction) {
    executor ex{{.workers = 1}};
    std::string text = "a";
    auto body = [&]() -> task<> {
        const int n = co_await run_blocking([] { return 42; });
        EXPECT_EQ(n, 42);
        bool ran = false;
        co_await run_blocking([&ran] { ran = true; });
        EXPECT_TRUE(ran);
        std::unique_ptr<int> p = co_await run_blocking([] { return std::make_unique<int>(7); });
        EXPECT_EQ(*p, 7);
        std::string& r = co_await run_blocking([&text]() -> std::string& { return text; });
        r += "b";
    };
    ex.run(body());
    EXPECT_EQ(text, "ab");
}

TEST_F(RunBlocking, RethrowsTheErrorOfTheFunction) {
    executor ex{{.workers = 1}};
    auto body = []() -> task<bool> {
        bool caught = false;
        try {
            co_await run_blocking([]() -> int { throw boom{}; });
        } catch (const boom&) {
            caught = true;
        }
        co_return caught;
    };
    EXPECT_TRUE(ex.run(body()));
}

TEST_F(RunBlocking, TakesAFunctionByNameOrByReferenceOrAsATemporary) {
    executor ex{{.workers = 1}};
    auto body = []() -> task<int> {
        auto cannot_be_copied = [p = std::make_unique<int>(5)] { return *p; };
        const int a = co_await run_blocking(std::ref(cannot_be_copied));
        auto copied = [p = std::make_shared<int>(6)] {
            return static_cast<int>(*p + p.use_count());
        };
        const int b = co_await run_blocking(copied);
        const int c = co_await run_blocking(std::bind_front(std::plus<int>(), 3, 4));
        co_return 100 * a + 10 * b + c;
    };
    EXPECT_EQ(ex.run(body()), 587);
}

bool on_worker_of(const executor& ex) {
    const taskscope::detail::worker* w = taskscope::detail::this_worker();
    return w != nullptr && w->core == &taskscope::detail::executor_access::core(ex);
}

TEST_F(RunBlocking, CallsOnNoWorkerAndGoesOnAtHome) {
    executor ex{{.workers = 2}};
    auto body = [&]() -> task<> {
        EXPECT_TRUE(on_worker_of(ex));
        const bool worker =
            co_await run_blocking([] { return taskscope::detail::this_worker() != nullptr; });
        EXPECT_FALSE(worker);
        EXPECT_TRUE(on_worker_of(ex));
    };
    ex.run(body());
}

TEST_F(RunBlocking, ShowsTheFunctionTheContextOfItsTask) {
    executor ex{{.workers = 1}};
    auto body = [&]() -> task<bool> {
        const executor* home =
            co_await run_blocking([] { return taskscope::detail::current_context()->home; });
        co_return home == &ex;
    };
    EXPECT_TRUE(ex.run(body()));
    EXPECT_EQ(taskscope::detail::current_context(), nullptr);
}

TEST_F(RunBlocking, KeepsTheWorkerFreeForOthers) {
    executor ex{{.workers = 1}};
    std::atomic<bool> other_ran{false};
    auto blocks = [&]() -> task<bool> {
        const bool seen =
            co_await run_blocking([&other_ran] { return until([&] { return other_ran.load(); }); });
        co_return seen;
    };
    auto other = [&]() -> task<> {
        other_ran.store(true);
        co_return;
    };
    launched<bool> t(ex, blocks());
    ASSERT_TRUE(until([&] { return ex.statistics().blocking_threads == 1; }));
    ex.run(other());
    ASSERT_TRUE(until([&] { return t.ended(); }));
    EXPECT_TRUE(t.take());
}

TEST_F(RunBlocking, UsesAsManyThreadsAsAllowedAndNoMore) {
    constexpr int limit = 3;
    executor ex{{.workers = 2, .blocking_threads = limit}};
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> entered{0};
    constexpr int n = 20;
    auto call = [&](int) -> task<> {
        co_await run_blocking([&inside, &most, &entered] {
            const int now = inside.fetch_add(1) + 1;
            int seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            entered.fetch_add(1);
            EXPECT_TRUE(until([&] { return entered.load() >= limit; }));  // all threads at once
            inside.fetch_sub(1);
        });
    };
    ex.run(fork_join(std::views::iota(0, n) | std::views::transform(call)));
    EXPECT_EQ(entered.load(), n);
    EXPECT_EQ(most.load(), limit);
    EXPECT_LE(ex.statistics().blocking_threads, static_cast<unsigned>(limit));
}

TEST_F(RunBlocking, LetsCallsBeyondTheLimitWaitInOrder) {
    executor ex{{.workers = 1, .blocking_threads = 1}};
    std::vector<int> order;  // only the one thread writes
    std::atomic<bool> go{false};
    auto call = [&](int i) -> task<> {
        co_await run_blocking([&order, &go, i] {
            EXPECT_TRUE(until([&] { return go.load(); }));
            order.push_back(i);
        });
    };
    std::vector<std::unique_ptr<launched<void>>> all;
    for (int i = 0; i < 5; ++i) {
        const auto injected = ex.statistics().jobs;
        all.push_back(std::make_unique<launched<void>>(ex, call(i)));
        ASSERT_TRUE(until([&] { return ex.statistics().jobs > injected; }));
    }
    ASSERT_TRUE(until([&] { return ex.statistics().sleeping == 1; }));
    go.store(true);
    ASSERT_TRUE(
        until([&] { return std::ranges::all_of(all, [](const auto& t) { return t->ended(); }); }));
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST_F(RunBlocking, UsesItsThreadsAgain) {
    executor ex{{.workers = 1}};
    auto body = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 2'000; ++i) sum += co_await run_blocking([] { return 1; });
        co_return sum;
    };
    EXPECT_EQ(ex.run(body()), 2'000);
    EXPECT_EQ(ex.statistics().blocking_threads, 1U);
}

TEST_F(RunBlocking, RunsThousandsOfCallsOnceEach) {
    executor ex{{.workers = 2, .blocking_threads = 4}};
    constexpr int n = 5'000;
    support::tally calls(n);
    auto call = [&](int i) -> task<int> {
        const int result = co_await run_blocking([&calls, i] {
            calls.count(static_cast<std::size_t>(i));
            return i;
        });
        co_return result;
    };
    const std::vector<int> results =
        ex.run(fork_join(std::views::iota(0, n) | std::views::transform(call)));
    EXPECT_TRUE(std::ranges::equal(results, std::views::iota(0, n)));
    EXPECT_TRUE(calls.exactly_once());
}

// cases: T431
TEST_F(RunBlocking, DoesNotCallTheFunctionAfterAStop) {
    executor ex{{.workers = 1}};
    stop_source source;
    source.request_stop();
    bool called = false;
    auto body = [&]() -> task<> { co_await run_blocking([&called] { called = true; }); };
    launched<void> t(ex, body(), source.token());
    ASSERT_TRUE(until([&] { return t.ended(); }));
    EXPECT_TRUE(t.stopped());
    EXPECT_FALSE(called);
    EXPECT_EQ(ex.statistics().blocking_threads, 0U);
}

// cases: T255, T429, T431
TEST_F(RunBlocking, WaitsForACallThatHasBegunWhenAStopComes) {
    executor ex{{.workers = 1}};
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
    auto body = [&]() -> task<int> {
        const int n = co_await run_blocking([&entered, &leave] {
            entered.store(true);
            return until([&] { return leave.load(); }) ? 1 : 0;
        });
        co_return n;
    };
    launched<int> t(ex, body());
    ASSERT_TRUE(until([&] { return entered.load(); }));
    t.request_stop();
    EXPECT_FALSE(t.ended());
    leave.store(true);
    ASSERT_TRUE(until([&] { return t.ended(); }));
    EXPECT_EQ(t.take(), 1);
}

// Occupies the only thread until `open`.
struct gate {
    task<> hold() {
        auto f = [this] {
            entered.store(true);
            open.wait(false);
        };
        co_await run_blocking(f);
    }
    void let_go() {
        open.store(true);
        open.notify_all();
    }
    std::atomic<bool> entered{false};
    std::atomic<bool> open{false};
};

task<int> count_call(std::atomic<int>& calls) {
    auto f = [&calls] { return ++calls; };
    const int n = co_await run_blocking(f);
    co_return n;
}

// cases: T431
TEST_F(RunBlocking, IsStoppedAtOnceWhileItWaitsForAThread) {
    gate g;
    std::atomic<int> calls{0};
    executor ex{{.workers = 1, .blocking_threads = 1}};
    launched<void> holder(ex, g.hold());
    ASSERT_TRUE(until([&] { return g.entered.load(); }));
    std::vector<std::unique_ptr<launched<int>>> waiting;
    for (int i = 0; i < 5; ++i) {
        waiting.push_back(std::make_unique<launched<int>>(ex, count_call(calls)));
    }
    auto nothing = []() -> task<> { co_return; };
    ex.run(nothing());  // they are in line now
    for (const int i : {2, 0, 4}) {
        waiting[static_cast<std::size_t>(i)]->request_stop();
        EXPECT_TRUE(until([&] { return waiting[static_cast<std::size_t>(i)]->ended(); })) << i;
    }
    EXPECT_FALSE(holder.ended());
    EXPECT_FALSE(waiting[1]->ended());
    EXPECT_FALSE(waiting[3]->ended());
    g.let_go();
    EXPECT_TRUE(until([&] { return waiting[3]->ended() && holder.ended(); }));
    for (const int i : {2, 0, 4}) EXPECT_TRUE(waiting[static_cast<std::size_t>(i)]->stopped());
    EXPECT_EQ(waiting[1]->take(), 1);
    EXPECT_EQ(waiting[3]->take(), 2);
    EXPECT_EQ(calls.load(), 2);
}

// cases: T431
TEST_F(RunBlocking, StoppedOrCalledButNeverBothUnderARace) {
    std::atomic<int> calls{0};
    int values = 0;
    executor ex{{.workers = 2, .blocking_threads = 1}};
    for (int round = 0; round < 500; ++round) {
        std::vector<std::unique_ptr<launched<int>>> waiting;
        for (int i = 0; i < 4; ++i) {
            waiting.push_back(std::make_unique<launched<int>>(ex, count_call(calls)));
        }
        for (int i = 3; i >= 0; --i) waiting[static_cast<std::size_t>(i)]->request_stop();
        for (const auto& w : waiting) {
            ASSERT_TRUE(until([&] { return w->ended(); }));
            if (!w->stopped()) ++values;
        }
    }
    EXPECT_EQ(calls.load(), values);
}

TEST_F(RunBlocking, LeavesNoThreadBehindWhenItsExecutorGoes) {
    for (int round = 0; round < 50; ++round) {
        executor ex{{.workers = 2, .blocking_threads = 4}};
        auto call = [](int) -> task<> { co_await run_blocking([] {}); };
        ex.run(fork_join(std::views::iota(0, 8) | std::views::transform(call)));
    }
}

// cases: T430
TEST_F(RunBlocking, IsWaitedForByTheDestructorOfTheExecutor) {
    std::optional<executor> ex(std::in_place, taskscope::executor_options{.workers = 1});
    std::atomic<bool> entered{false};
    std::atomic<bool> destroying{false};
    auto body = [&]() -> task<> {
        co_await run_blocking([&entered, &destroying] {
            entered.store(true);
            EXPECT_TRUE(until([&] { return destroying.load(); }));
        });
    };
    launched<void> t(*ex, body());
    ASSERT_TRUE(until([&] { return entered.load(); }));
    destroying.store(true);
    ex.reset();
    EXPECT_TRUE(t.ended()) << "what the call made ready was run before the workers ended";
}

TEST_F(RunBlockingDeathTest, ShuttingDownItsOwnExecutorEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            executor ex({.workers = 1, .name = "api"});
            auto body = [&]() -> task<> { co_await run_blocking([&ex] { ex.shutdown(); }); };
            ex.run(body());
        },
        "taskscope: executor \"api\" was shut down or destroyed by one of its own workers");
}

TEST_F(RunBlocking, WorksOnTheManualExecutorWhoseClockStandsStillMeanwhile) {
    manual_executor ex;
    const auto start = ex.now();
    auto sleeps = []() -> task<> { co_await taskscope::sleep_for(1h); };
    launched<void> sleeper(ex, sleeps());
    auto body = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 100; ++i) sum += co_await run_blocking([] { return 1; });
        co_return sum;
    };
    EXPECT_EQ(ex.run(body()), 100);
    EXPECT_EQ(ex.now(), start);
    ex.advance(1h);
    EXPECT_TRUE(sleeper.ended());
}

}  // namespace
