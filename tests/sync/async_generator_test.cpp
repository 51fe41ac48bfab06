// tests/sync/async_generator_test.cpp - a task that asks for elements, and every way in which that ends.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/async_generator.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
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
using support::witness;
using taskscope::async_event;
using taskscope::async_generator;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using AsyncGenerator = support::ledger;
using AsyncGeneratorRaces = support::ledger;

// 1 ... n, one a second.
async_generator<int> ticks(int n) {
    for (int i = 1; i <= n; ++i) {
        co_await taskscope::sleep_for(1s);
        co_yield i;
    }
}

async_generator<int> told(sequence& seen) {
    const witness local(seen, "local");
    seen("begin");
    co_yield 1;
    seen("middle");
    co_await taskscope::sleep_for(1s);
    co_yield 2;
    seen("end");
}

template <class T>
task<std::vector<T>> collect(async_generator<T> g) {
    std::vector<T> all;
    while (T* element = co_await g.next()) all.push_back(*element);
    co_return all;
}

TEST_F(AsyncGenerator, GivesWhatIsYieldedInOrder) {
    manual_executor ex;
    EXPECT_EQ(ex.run(collect(ticks(4))), (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(ex.run(collect(ticks(0))), std::vector<int>{});
}

TEST_F(AsyncGenerator, RunsOnlyWhileAnElementIsAskedFor) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<> {
        async_generator<int> g = told(seen);
        seen("made");
        int* element = co_await g.next();
        EXPECT_EQ(*element, 1);
        co_await taskscope::sleep_for(1h);
        seen("asks again");
        element = co_await g.next();
        EXPECT_EQ(*element, 2);
        element = co_await g.next();
        EXPECT_EQ(element, nullptr);
        seen("over");
    };
    ex.run(body());
    EXPECT_EQ(seen, (sequence{"made", "begin", "asks again", "middle", "end", "~local", "over"}))
        << "and at its end it is gone, though its object is not";
}

TEST_F(AsyncGenerator, IsOverForGood) {
    manual_executor ex;
    auto body = [&]() -> task<> {
        async_generator<int> g = ticks(1);
        co_await g.next();
        for (int i = 0; i < 3; ++i) {
            int* element = co_await g.next();
            EXPECT_EQ(element, nullptr);
        }
    };
    ex.run(body());
}

// cases: T305, T315
// PartialConsume, EarlyDestroy
TEST_F(AsyncGenerator, LeftEarlyIsDestroyedWithItsLocals) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<> {
        async_generator<int> g = told(seen);
        while (int* element = co_await g.next()) {
            EXPECT_EQ(*element, 1);
            break;
        }
        seen("left");
    };
    ex.run(body());
    EXPECT_EQ(seen, (sequence{"begin", "left", "~local"}));
}

TEST_F(AsyncGenerator, NeverAskedNeverBegins) {
    sequence seen;
    {
        const async_generator<int> g = told(seen);
    }
    EXPECT_EQ(seen, sequence{});
}

// cases: T305
// Error in the consumer
TEST_F(AsyncGenerator, IsDestroyedByAnErrorOfItsConsumer) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<> {
        async_generator<int> g = told(seen);
        co_await g.next();
        throw std::runtime_error("consumer");
    };
    EXPECT_THROW(ex.run(body()), std::runtime_error);
    EXPECT_EQ(seen, (sequence{"begin", "~local"}));
}

// cases: T312
// The error of the producer comes after what it has yielded
TEST_F(AsyncGenerator, ErrorComesOutOfNextAndIsTheEnd) {
    manual_executor ex;
    auto fails = []() -> async_generator<int> {
        co_yield 1;
        co_await taskscope::sleep_for(1s);
        throw std::runtime_error("producer");
    };
    auto body = [&]() -> task<std::string> {
        async_generator<int> g = fails();
        co_await g.next();
        std::string what;
        try {
            co_await g.next();
        } catch (const std::runtime_error& e) {
            what = e.what();
        }
        int* element = co_await g.next();
        EXPECT_EQ(element, nullptr);
        co_return what;
    };
    EXPECT_EQ(ex.run(body()), "producer");
}

// cases: T315
// Cancelled
TEST_F(AsyncGenerator, IsUnwoundBeforeTheTaskThatIsStopped) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<> {
        const witness consumer(seen, "consumer");
        async_generator<int> g = told(seen);
        co_await g.next();
        co_await g.next();
    };
    launched<void> t(ex, body());
    ex.run_ready();
    t.request_stop();
    EXPECT_EQ(ex.statistics().timers, 0U);
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_EQ(seen, (sequence{"begin", "middle", "~local", "~consumer"}));
}

TEST_F(AsyncGenerator, StoppedWithOneConsumerIsOverForTheNext) {
    manual_executor ex;
    sequence seen;
    async_generator<int> g = told(seen);
    auto asks = [&]() -> task<bool> {
        int* element = co_await g.next();
        co_return element != nullptr;
    };
    launched<bool> first(ex, asks());
    ex.run_ready();
    EXPECT_TRUE(first.take());
    launched<bool> second(ex, asks());
    ex.run_ready();
    second.request_stop();
    ex.run_ready();
    EXPECT_TRUE(second.stopped());
    launched<bool> third(ex, asks());
    ex.run_ready();
    EXPECT_FALSE(third.take());
    EXPECT_EQ(seen, (sequence{"begin", "middle", "~local"}));
}

TEST_F(AsyncGenerator, NextDoesNotBeginAfterAStop) {
    manual_executor ex;
    sequence seen;
    stop_source source;
    source.request_stop();
    auto body = [&]() -> task<> {
        async_generator<int> g = told(seen);
        co_await g.next();
    };
    launched<void> t(ex, body(), source.token());
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_EQ(seen, sequence{});
}

// A generator can also stop its consumer, like a task that is awaited.
TEST_F(AsyncGenerator, ThatStopsItselfStopsItsConsumer) {
    manual_executor ex;
    auto stops = []() -> async_generator<int> {
        co_yield 1;
        co_await taskscope::just_stopped();
    };
    auto body = [&]() -> task<int> {
        async_generator<int> g = stops();
        int n = 0;
        while (co_await g.next() != nullptr) ++n;
        co_return n;
    };
    auto outer = [&]() -> task<bool> {
        auto answer = co_await taskscope::stopped_as_optional(body());
        co_return answer.has_value();
    };
    EXPECT_FALSE(ex.run(outer()));
}

TEST_F(AsyncGenerator, GivesTheVeryObjectThatWasYielded) {
    manual_executor ex;
    auto yields = []() -> async_generator<std::unique_ptr<int>> {
        auto mine = std::make_unique<int>(1);
        co_yield mine;
        EXPECT_EQ(mine, nullptr) << "the consumer has taken it";
        co_yield std::make_unique<int>(2);
    };
    auto body = [&]() -> task<int> {
        async_generator<std::unique_ptr<int>> g = yields();
        int sum = 0;
        while (std::unique_ptr<int>* element = co_await g.next()) {
            const std::unique_ptr<int> taken = std::move(*element);
            sum += *taken;
        }
        co_return sum;
    };
    EXPECT_EQ(ex.run(body()), 3);
}

TEST_F(AsyncGenerator, GivesACopyOfAConstant) {
    manual_executor ex;
    const std::string constant = "constant";
    auto yields = [&]() -> async_generator<std::string> { co_yield constant; };
    auto body = [&]() -> task<> {
        async_generator<std::string> g = yields();
        while (std::string* s = co_await g.next()) *s += " no more";
    };
    ex.run(body());
    EXPECT_EQ(constant, "constant");
}

TEST_F(AsyncGenerator, MayUseOthers) {
    manual_executor ex;
    auto twice = [](async_generator<int> from) -> async_generator<int> {
        while (int* element = co_await from.next()) {
            co_yield *element;
            co_yield *element;
        }
    };
    EXPECT_EQ(ex.run(collect(twice(twice(ticks(2))))), (std::vector<int>{1, 1, 1, 1, 2, 2, 2, 2}));
}

TEST_F(AsyncGenerator, CanBeMovedBetweenElements) {
    manual_executor ex;
    auto body = [&]() -> task<int> {
        async_generator<int> a = ticks(3);
        co_await a.next();
        async_generator<int> b = std::move(a);
        int* element = co_await b.next();
        int sum = *element;
        a = std::move(b);
        element = co_await a.next();
        sum += *element;
        co_return sum;
    };
    EXPECT_EQ(ex.run(body()), 5);
}

// cases: T316
TEST_F(AsyncGenerator, YieldsALongSequenceWithoutStack) {
    manual_executor ex;
    support::stack_range stack;
    auto counts = [&](int n) -> async_generator<int> {
        for (int i = 0; i < n; ++i) {
            stack.look();
            co_yield i;
        }
    };
    auto body = [&]() -> task<int> {
        async_generator<int> g = counts(100'000);
        int n = 0;
        while (co_await g.next() != nullptr) ++n;
        co_return n;
    };
    EXPECT_EQ(ex.run(body()), 100'000);
    EXPECT_LT(stack.bytes(), support::stack_range::flat);
}

// cases: T434
TEST_F(AsyncGenerator, GivesWayToOthersWhileItNeverWaits) {
    executor ex{{.workers = 1}};
    async_event enough;
    auto forever = []() -> async_generator<int> {
        for (int i = 0;; ++i) co_yield i;
    };
    auto body = [&]() -> task<> {
        async_generator<int> g = forever();
        while (!enough.is_set()) co_await g.next();
    };
    auto ends_it = [&]() -> task<> {
        enough.set();
        co_return;
    };
    launched<void> busy(ex, body());
    launched<void> other(ex, ends_it());
    EXPECT_TRUE(support::until([&] { return busy.ended() && other.ended(); }));
}

// A stop arrives while the generator waits, yields or has just ended.
TEST_F(AsyncGeneratorRaces, LeavesNothingBehindWhenItIsStopped) {
    for (const unsigned workers : {1U, 2U, 8U}) {
        executor ex{{.workers = workers}};
        auto yields = []() -> async_generator<int> {
            for (int i = 0; i < 20; ++i) {
                co_await taskscope::yield();
                co_yield i;
            }
        };
        auto body = [&]() -> task<> {
            async_generator<int> g = yields();
            int expected = 0;
            while (int* element = co_await g.next()) {
                EXPECT_EQ(*element, expected);
                ++expected;
            }
        };
        for (int round = 0; round < 200; ++round) {
            launched<void> a(ex, body());
            launched<void> b(ex, body());
            for (int i = round % 16; i > 0; --i) std::this_thread::yield();
            a.request_stop();
            ASSERT_TRUE(support::until([&] { return a.ended() && b.ended(); }));
            EXPECT_FALSE(b.stopped());
        }
    }
}

}  // namespace
