// tests/executor/result_promise_test.cpp - results that come from elsewhere, once, late, twice, or never.
// SPDX-License-Identifier: MIT
#include <taskscope/deadline.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/result_promise.hpp>
#include <taskscope/stopped.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>
#include <type_traits>
#include <utility>

namespace {

using namespace std::chrono_literals;
using support::census;
using support::citizen;
using support::launched;
using taskscope::broken_promise;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::pending_result;
using taskscope::result_promise;
using taskscope::task;

using ResultPromise = support::ledger;

static_assert(!std::is_copy_constructible_v<result_promise<int>>);
static_assert(std::is_nothrow_move_constructible_v<result_promise<int>>);

template <class T>
task<T> wait_for(pending_result<T>& r) {
    co_return co_await r;
}

TEST_F(ResultPromise, GivesAValueThatWasThereOrComesLater) {
    manual_executor ex;
    pending_result<std::unique_ptr<int>> early;
    auto first = early.make_promise();
    EXPECT_FALSE(early.done());
    EXPECT_TRUE(first.set_value(std::make_unique<int>(1)));
    EXPECT_TRUE(early.done());
    EXPECT_EQ(*ex.run(wait_for(early)), 1);

    pending_result<> late;
    auto second = late.make_promise();
    launched<void> waiting(ex, wait_for(late));
    ex.run_ready();
    EXPECT_FALSE(waiting.ended());
    EXPECT_TRUE(second.set_value());
    EXPECT_FALSE(waiting.ended()) << "it goes on on its executor, not here";
    ex.run_ready();
    EXPECT_TRUE(waiting.ended());
}

TEST_F(ResultPromise, CarriesErrorsReferencesAndStops) {
    manual_executor ex;
    pending_result<int> fails;
    fails.make_promise().set_error(std::make_exception_ptr(std::out_of_range("far")));
    EXPECT_THROW(ex.run(wait_for(fails)), std::out_of_range);

    int target = 0;
    pending_result<int&> refers;
    refers.make_promise().set_value(target);
    EXPECT_EQ(&ex.run(wait_for(refers)), &target);

    pending_result<int> stops;
    stops.make_promise().set_stopped();
    EXPECT_THROW(ex.run(wait_for(stops)), taskscope::stopped_error);
}

TEST_F(ResultPromise, IsBrokenWhenNobodyKeepsIt) {
    manual_executor ex;
    pending_result<int> r;
    {
        const auto dropped = r.make_promise();
    }
    EXPECT_THROW(ex.run(wait_for(r)), broken_promise);
}

TEST_F(ResultPromise, TakesTheFirstResultAndNoOther) {
    manual_executor ex;
    census people;
    pending_result<citizen> r;
    auto promise = r.make_promise();
    EXPECT_TRUE(promise.set_value(citizen(people)));
    EXPECT_FALSE(promise.set_value(citizen(people)));
    EXPECT_FALSE(promise.set_error(std::make_exception_ptr(std::out_of_range("far"))));
    EXPECT_FALSE(promise.set_stopped());
    EXPECT_EQ(people.alive, 1);
    static_cast<void>(ex.run(wait_for(r)));
}

TEST_F(ResultPromise, IsMadeOnce) {
    pending_result<int> r;
    const auto promise = r.make_promise();
    EXPECT_THROW(static_cast<void>(r.make_promise()), misuse_error);
}

struct cannot_be_moved_yet {
    explicit cannot_be_moved_yet(bool& t) : throws(&t) {}
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): that is what it is for
    cannot_be_moved_yet(cannot_be_moved_yet&& o) : throws(o.throws) {
        if (*throws) throw std::out_of_range("far");
    }
    bool* throws;
};

TEST_F(ResultPromise, MayBeTriedAgainWhenTheValueCouldNotBeMoved) {
    pending_result<cannot_be_moved_yet> r;
    auto promise = r.make_promise();
    bool throws = true;
    EXPECT_THROW(promise.set_value(cannot_be_moved_yet(throws)), std::out_of_range);
    EXPECT_FALSE(r.done());
    throws = false;
    EXPECT_TRUE(promise.set_value(cannot_be_moved_yet(throws)));
}

TEST_F(ResultPromise, DropsAResultThatComesAfterItsTaskWasStopped) {
    manual_executor ex;
    census people;
    std::optional<result_promise<citizen>> promise;
    const auto asks = [&]() -> task<> {
        pending_result<citizen> r;
        promise = r.make_promise();
        static_cast<void>(co_await r);
    };
    launched<void> waiting(ex, asks());
    ex.run_ready();
    waiting.request_stop();
    ex.run_ready();
    EXPECT_TRUE(waiting.stopped());
    EXPECT_FALSE(promise->set_value(citizen(people)));
    EXPECT_EQ(people.alive, 0);
    promise.reset();  // in vain: nobody hears of a broken promise
}

TEST_F(ResultPromise, GoesWithAResultThatNobodyHasTaken) {
    census people;
    pending_result<citizen> r;
    std::optional<result_promise<citizen>> promise = r.make_promise();
    EXPECT_TRUE(promise->set_value(citizen(people)));
    {
        const pending_result<citizen> gone = std::move(r);
    }
    EXPECT_EQ(people.alive, 1);
    promise.reset();
    EXPECT_EQ(people.alive, 0);
}

TEST_F(ResultPromise, CanBeWaitedForAgainAfterATimeout) {
    manual_executor ex;
    pending_result<int> r;
    auto promise = r.make_promise();
    const auto body = [&]() -> task<int> {
        taskscope::deadline limit(ex.now() + 1ms);
        const auto end = co_await taskscope::settle_by(limit, wait_for(r));
        EXPECT_TRUE(end.is_stopped());
        promise.set_value(7);
        co_return co_await r;
    };
    EXPECT_EQ(ex.run(body()), 7);
}

// What a C library looks like from here.
extern "C" {
using answer_function = void (*)(void* user_data, int answer);
}
struct c_library {
    void ask(answer_function f, void* user_data) {
        threads.start([f, user_data] { f(user_data, 42); });
    }
    support::threads threads;
};

task<int> ask(c_library& library) {
    pending_result<int> r;
    void* const user_data = r.make_promise().release();
    library.ask([](void* p, int answer) { result_promise<int>::take_back(p).set_value(answer); },
                user_data);
    co_return co_await r;
}

class ResultPromiseOn : public support::ledger, public testing::WithParamInterface<unsigned> {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Workers, ResultPromiseOn, testing::Values(1, 2, 8));

TEST_P(ResultPromiseOn, GoesThroughACInterfaceAsAPointer) {
    c_library library;
    for (int i = 0; i < 50; ++i) ASSERT_EQ(ex.run(ask(library)), 42);
}

// The result, a second one, and a stop: exactly one ends the wait, and every party is told what became of it.
TEST_P(ResultPromiseOn, OfTwoResultsAndAStopExactlyOneCounts) {
    for (int round = 0; round < 300; ++round) {
        auto r = std::make_unique<pending_result<std::unique_ptr<int>>>();
        auto promise = std::make_shared<result_promise<std::unique_ptr<int>>>(r->make_promise());
        support::rendezvous start(3);
        std::atomic<int> taken{0};
        const auto asks = [&]() -> task<int> {
            const std::unique_ptr<pending_result<std::unique_ptr<int>>> mine = std::move(r);
            const std::unique_ptr<int> value = co_await *mine;
            co_return *value;
        };
        {
            launched<int> waiting(ex, asks());
            support::threads givers;
            for (int n = 1; n <= 2; ++n) {
                givers.start([&, n, p = promise] {
                    start.meet();
                    if (p->set_value(std::make_unique<int>(n))) taken.fetch_add(n);
                });
            }
            promise.reset();
            start.meet();
            waiting.request_stop();
            givers.join();
            ASSERT_TRUE(support::until([&] { return waiting.ended(); }));
            if (!waiting.stopped()) {
                ASSERT_EQ(waiting.take(), taken.load());
            }
            ASSERT_LE(taken.load(), 2);
        }
    }
}

TEST_P(ResultPromiseOn, ADroppedPromiseAgainstAStopEndsTheWaitOnce) {
    for (int round = 0; round < 300; ++round) {
        pending_result<int> r;
        std::optional<result_promise<int>> promise = r.make_promise();
        launched<int> waiting(ex, wait_for(r));
        std::thread dropper([&] { promise.reset(); });
        waiting.request_stop();
        dropper.join();
        ASSERT_TRUE(support::until([&] { return waiting.ended(); }));
        if (!waiting.stopped()) {
            ASSERT_THROW(waiting.take(), broken_promise);
        }
    }
}

}  // namespace
