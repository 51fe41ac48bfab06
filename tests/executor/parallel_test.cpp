// tests/executor/parallel_test.cpp - functions in parallel: results, errors, thieves, locks.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/parallel.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

using support::launched;
using support::until;
using taskscope::async_event;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::parallel_for;
using taskscope::parallel_invoke;
using taskscope::parallel_reduce;
using taskscope::task;

using Parallel = support::ledger;

/// Calls `f` on a worker, and gives what it returns.
template <class F>
auto on_worker(executor& ex, F f) {
    auto body = [](F& g) -> task<decltype(f())> { co_return g(); };
    return ex.run(body(f));
}

TEST_F(Parallel, GivesTheResultsInTheOrderOfTheFunctions) {
    manual_executor ex;
    const auto [a, b, c] = on_worker(ex, [] {
        return parallel_invoke([] { return 1; }, [] { return std::string("two"); },
                               [] { return std::make_unique<int>(3); });
    });
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, "two");
    EXPECT_EQ(*c, 3);
}

TEST_F(Parallel, GivesReferencesAndMonostateForVoid) {
    manual_executor ex;
    int x = 1;
    int called = 0;
    auto refer = [&]() -> int& { return x; };
    auto nothing = [&] { ++called; };
    on_worker(ex, [&] {
        auto [r, n] = parallel_invoke(refer, nothing);
        static_assert(std::is_same_v<decltype(r), int&>);
        static_assert(std::is_same_v<decltype(n), std::monostate>);
        r = 7;
        static_assert(std::is_void_v<decltype(parallel_invoke(nothing, nothing, nothing))>);
        parallel_invoke(nothing, nothing, nothing);
        return 0;
    });
    EXPECT_EQ(x, 7);
    EXPECT_EQ(called, 4);
}

TEST_F(Parallel, CallsOneAfterAnotherWhereThereIsNoWorker) {
    std::vector<int> order;
    parallel_invoke([&] { order.push_back(1); }, [&] { order.push_back(2); },
                    [&] { order.push_back(3); });
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(Parallel, ThrowsTheFirstErrorAndDoesNotBeginWhatFollows) {
    manual_executor ex;
    int called = 0;
    const auto fail = [] { throw std::runtime_error("first"); };
    const auto count = [&] { ++called; };
    EXPECT_THROW(on_worker(ex,
                           [&] {
                               parallel_invoke(fail, count, count);
                               return 0;
                           }),
                 std::runtime_error);
    EXPECT_EQ(called, 0);
    EXPECT_THROW(on_worker(ex,
                           [&] {
                               parallel_invoke(count, fail, count);
                               return 0;
                           }),
                 std::runtime_error);
    EXPECT_EQ(called, 1);
}

// What becomes ready meanwhile lies above the forked call in the deque.
TEST_F(Parallel, FindsItsCallBelowTasksThatBecameReady) {
    manual_executor ex;
    async_event event;
    std::vector<std::string> order;
    auto waits = [&](std::string name) -> task<> {
        co_await event.wait();
        order.push_back(std::move(name));
    };
    launched<void> a(ex, waits("a"));
    launched<void> b(ex, waits("b"));
    ex.run_ready();
    on_worker(ex, [&] {
        parallel_invoke([&] { event.set(); }, [&] { order.emplace_back("call"); });
        order.emplace_back("after");
        return 0;
    });
    ex.run_ready();
    ASSERT_EQ(order.size(), 4U);
    EXPECT_EQ(order[0], "call");
    EXPECT_EQ(order[1], "after");
}

TEST_F(Parallel, ForVisitsEachIndexOfAnyRange) {
    manual_executor ex;
    on_worker(ex, [] {
        for (const std::size_t grain : {0U, 1U, 3U, 1000U}) {
            support::tally visits(100);
            parallel_for(
                -50, 50, [&](int i) { visits.count(static_cast<std::size_t>(i + 50)); }, grain);
            EXPECT_TRUE(visits.exactly_once());
        }
        int empty = 0;
        parallel_for(5, 5, [&](int) { ++empty; });
        parallel_for(5, -5, [&](int) { ++empty; });
        EXPECT_EQ(empty, 0);
        std::vector<std::int8_t> all;
        using limits = std::numeric_limits<std::int8_t>;
        parallel_for(limits::min(), limits::max(), [&](std::int8_t i) { all.push_back(i); });
        EXPECT_EQ(all.size(), 255U);
        EXPECT_EQ(all.front(), -128);
        EXPECT_EQ(all.back(), 126);
        return 0;
    });
}

TEST_F(Parallel, ReduceKeepsTheOrder) {
    manual_executor ex;
    const std::string text = on_worker(ex, [] {
        const auto letter = [](int i) { return std::string(1, static_cast<char>('a' + i)); };
        return parallel_reduce(0, 26, std::string(), letter, std::plus<>(), 2);
    });
    EXPECT_EQ(text, "abcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(parallel_reduce(3, 3, 17, [](int i) { return i; }, std::plus<>()), 17);
}

class ParallelOnWorkers : public support::ledger, public testing::WithParamInterface<unsigned> {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Workers, ParallelOnWorkers, testing::Values(1, 2, 3, 8));

long fib(int n) {
    if (n < 2) return n;
    auto [a, b] = parallel_invoke([n] { return fib(n - 1); }, [n] { return fib(n - 2); });
    return a + b;
}

TEST_P(ParallelOnWorkers, ForksARecursion) {
    for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(on_worker(ex, [] { return fib(20); }), 6765);
    }
}

TEST_P(ParallelOnWorkers, ForksSeveralRecursionsAtATime) {
    std::vector<std::unique_ptr<launched<long>>> all;
    auto body = []() -> task<long> { co_return fib(16); };
    for (int i = 0; i < 20; ++i) all.push_back(std::make_unique<launched<long>>(ex, body()));
    for (const auto& l : all) {
        ASSERT_TRUE(until([&] { return l->ended(); }));
        EXPECT_EQ(l->take(), 987);
    }
}

TEST_P(ParallelOnWorkers, RunsEachPartOnce) {
    constexpr std::size_t n = 20'000;
    support::tally visits(n);
    on_worker(ex, [&] {
        parallel_for(std::size_t{0}, n, [&](std::size_t i) { visits.count(i); }, 1);
        return 0;
    });
    EXPECT_TRUE(visits.exactly_once());
}

TEST_P(ParallelOnWorkers, DropsResultsOfAThiefWhenTheFirstFails) {
    for (int round = 0; round < 200; ++round) {
        support::census made;
        auto make = [&] {
            return parallel_invoke([&] { return 1; },
                                   [&] { return std::make_unique<support::citizen>(made); });
        };
        auto fail = [&]() -> int {
            if (round % 2 == 0) std::this_thread::yield();
            throw std::runtime_error("first");
        };
        EXPECT_THROW(on_worker(ex,
                               [&] {
                                   parallel_invoke(fail, make);
                                   return 0;
                               }),
                     std::runtime_error);
        ASSERT_EQ(made.alive, 0);
    }
}

TEST_P(ParallelOnWorkers, CarriesTheErrorOfAThief) {
    for (int round = 0; round < 200; ++round) {
        EXPECT_THROW(on_worker(ex,
                               [&] {
                                   parallel_invoke([] { std::this_thread::yield(); },
                                                   [] { throw std::runtime_error("second"); });
                                   return 0;
                               }),
                     std::runtime_error);
    }
}

// If a waiting worker took just any job, it would come back here with the lock held below on its own stack.
TEST_P(ParallelOnWorkers, MayHoldALockMeanwhile) {
    std::mutex lock;
    std::atomic<int> entered{0};
    auto locked = [&] {
        const std::lock_guard held{lock};
        entered.fetch_add(1, std::memory_order_relaxed);
        fib(8);
    };
    auto tree = [&](auto& self, int depth) -> void {
        if (depth == 0) return locked();
        parallel_invoke([&] { self(self, depth - 1); }, [&] { self(self, depth - 1); });
    };
    on_worker(ex, [&] {
        tree(tree, 8);
        return 0;
    });
    EXPECT_EQ(entered.load(), 256);
}

TEST_P(ParallelOnWorkers, RunsOnBehalfOfTheCallingTask) {
    taskscope::detail::task_context* caller = nullptr;
    std::atomic<int> others{0};
    on_worker(ex, [&] {
        caller = taskscope::detail::current_context();
        parallel_for(
            0, 1000,
            [&](int) {
                if (taskscope::detail::current_context() != caller) others.fetch_add(1);
            },
            1);
        EXPECT_EQ(taskscope::detail::current_context(), caller);
        return 0;
    });
    EXPECT_EQ(others.load(), 0);
}

// Tasks that a part makes ready are not resumed on a stack that waits.
TEST_P(ParallelOnWorkers, LetsTasksThatItMakesReadyRunElsewhere) {
    for (int round = 0; round < 50; ++round) {
        async_event event;
        std::atomic<int> resumed{0};
        auto waits = [&]() -> task<> {
            co_await event.wait();
            resumed.fetch_add(1);
        };
        std::vector<std::unique_ptr<launched<void>>> all;
        for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<launched<void>>(ex, waits()));
        on_worker(ex, [&] {
            parallel_invoke([] { fib(10); },
                            [&] {
                                event.set();
                                fib(10);
                            });
            return 0;
        });
        for (const auto& l : all) ASSERT_TRUE(until([&] { return l->ended(); }));
        ASSERT_EQ(resumed.load(), 4);
    }
}

}  // namespace
