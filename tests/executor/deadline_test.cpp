// tests/executor/deadline_test.cpp - a task under a deadline: kept, missed, moved, and by how much.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/deadline.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/run_blocking.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using taskscope::async_event;
using taskscope::deadline;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::misuse_error;
using taskscope::remaining;
using taskscope::settle_by;
using taskscope::settled;
using taskscope::sleep_for;
using taskscope::task;

constexpr auto forever = deadline::clock::duration::max();

class deadlines : public support::ledger {
protected:
    manual_executor ex;
};

task<int> after(deadline::clock::duration d, int value) {
    co_await sleep_for(d);
    co_return value;
}

template <class T>
task<settled<T>> under(deadline& d, task<T> t) {
    settled<T> s = co_await settle_by(d, std::move(t));
    co_return s;
}

// cases: T260
TEST_F(deadlines, that_are_not_reached_change_nothing_and_leave_no_timer) {
    deadline d(ex.now() + 1h);
    settled<int> s = ex.run(under(d, after(1s, 7)));
    EXPECT_EQ(s.value(), 7);
    EXPECT_FALSE(d.expired());
    EXPECT_TRUE(ex.idle());
    deadline never;
    EXPECT_EQ(ex.run(under(never, after(1s, 8))).value(), 8);
    EXPECT_TRUE(ex.idle());
}

// cases: T258
TEST_F(deadlines, that_pass_stop_the_task_at_their_time) {
    const auto began = ex.now();
    deadline d(began + 10ms);
    const settled<int> s = ex.run(under(d, after(1h, 7)));
    EXPECT_TRUE(s.is_stopped());
    EXPECT_TRUE(d.expired());
    EXPECT_EQ(ex.now(), began + 10ms);
    EXPECT_TRUE(ex.idle());
}

// cases: T261, T269, T276
TEST_F(deadlines, that_have_passed_let_the_task_run_to_its_first_suspension) {
    for (const auto late : {0s, 5s}) {
        deadline d(ex.now() - late);
        int step = 0;
        const auto body = [&]() -> task<> {
            step = 1;
            co_await taskscope::yield();
            step = 2;
        };
        const settled<void> s = ex.run(under(d, body()));
        EXPECT_TRUE(s.is_stopped());
        EXPECT_TRUE(d.expired());
        EXPECT_EQ(step, 1);
    }
}

// cases: T278
// A task that never looks has its result in time.
TEST_F(deadlines, do_not_take_a_result_away) {
    deadline d(ex.now() - 1s);
    const auto at_once = []() -> task<int> { co_return 1; };
    EXPECT_EQ(ex.run(under(d, at_once())).value(), 1);
    deadline e(ex.now());
    const auto fails = []() -> task<int> {
        throw std::runtime_error("boom");
        co_return 0;
    };
    EXPECT_TRUE(ex.run(under(e, fails())).has_error());
}

// cases: T266
TEST_F(deadlines, can_be_moved_while_the_task_runs) {
    const auto began = ex.now();
    deadline d(began + 10ms);
    launched<settled<int>> running(ex, under(d, after(1h, 0)));
    ex.advance(5ms);
    EXPECT_TRUE(d.move_to(began + 1min));
    ex.advance(30s);
    EXPECT_FALSE(running.ended());
    EXPECT_TRUE(d.move_to(deadline::clock::time_point::max()));
    ex.advance(10min);
    EXPECT_FALSE(running.ended());
    EXPECT_FALSE(d.expired());
    EXPECT_TRUE(d.move_to(began + 20min));
    EXPECT_EQ(d.get(), began + 20min);
    ex.advance(1h);
    ASSERT_TRUE(running.ended());
    EXPECT_TRUE(running.take().is_stopped());
    EXPECT_TRUE(d.expired());
}

// cases: T266
TEST_F(deadlines, moved_into_the_past_pass_at_once) {
    deadline d(ex.now() + 1h);
    launched<settled<int>> running(ex, under(d, after(2h, 0)));
    ex.advance(1s);
    const auto now = ex.now();
    EXPECT_TRUE(d.move_to(now - 1s));
    ex.run_ready();
    EXPECT_TRUE(running.ended());
    EXPECT_TRUE(d.expired());
    EXPECT_EQ(ex.now(), now);
}

// cases: T266
TEST_F(deadlines, cannot_be_moved_once_they_have_passed_or_the_task_has_ended) {
    deadline passed(ex.now() + 1s);
    const auto slow = [&]() -> task<> {
        async_event never;
        co_await never.wait_until_shielded(ex.now() + 5s);
        EXPECT_TRUE(passed.expired());
        EXPECT_FALSE(passed.move_to(ex.now() + 1h));
    };
    EXPECT_TRUE(ex.run(under(passed, slow())).has_value());
    deadline kept(ex.now() + 1s);
    EXPECT_EQ(ex.run(under(kept, after(0s, 1))).value(), 1);
    EXPECT_FALSE(kept.move_to(ex.now() + 1h));
    EXPECT_TRUE(ex.idle());
}

TEST_F(deadlines, may_be_moved_by_what_they_call_and_stay) {
    deadline d(ex.now() + 1s);
    int calls = 0;
    const auto body = [&]() -> task<> {
        const taskscope::stop_token token = co_await taskscope::get_stop_token();
        const auto move = [&] {
            ++calls;
            EXPECT_FALSE(d.move_to(ex.now() + 1h));
        };
        const taskscope::stop_callback on_stop(token, move);
        co_await sleep_for(1h);
    };
    EXPECT_TRUE(ex.run(under(d, body())).is_stopped());
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(d.expired());
}

TEST_F(deadlines, are_no_reason_when_a_stop_came_first) {
    deadline d(ex.now() + 10ms);
    std::optional<settled<void>> how;
    const auto body = [&]() -> task<> {
        const auto slow = [&]() -> task<> {
            async_event never;
            co_await never.wait_until_shielded(ex.now() + 1s);
            co_await taskscope::checkpoint();
        };
        how = co_await settle_by(d, slow());
    };
    launched<void> all(ex, body());
    ex.run_ready();
    all.request_stop();
    ex.advance(2s);
    EXPECT_TRUE(all.ended());
    ASSERT_TRUE(how.has_value());
    EXPECT_TRUE(how->is_stopped());
    EXPECT_FALSE(d.expired());
}

// cases: T270
TEST_F(deadlines, serve_one_task) {
    deadline d(ex.now() + 1s);
    EXPECT_EQ(ex.run(under(d, after(1ms, 1))).value(), 1);
    EXPECT_THROW((void)ex.run(under(d, after(1ms, 1))), misuse_error);
}

// cases: T270
TEST(deadline_contract, outlive_their_task) {
    EXPECT_DEATH(
        {
            manual_executor ex;
            auto d = std::make_unique<deadline>(ex.now() + 1s);
            launched<settled<int>> running(ex, under(*d, after(1h, 0)));
            ex.run_ready();
            d.reset();
        },
        "a deadline was destroyed before its task has ended");
}

// cases: T285
TEST_F(deadlines, are_known_below_as_the_earliest_of_all) {
    EXPECT_EQ(remaining(), forever);
    const auto measure = []() -> task<deadline::clock::duration> { co_return remaining(); };
    const auto body = [&]() -> task<> {
        EXPECT_EQ(remaining(), forever);
        deadline outer(ex.now() + 10s);
        const auto in_outer = [&]() -> task<> {
            EXPECT_EQ(remaining(), 10s);
            EXPECT_EQ(taskscope::current_deadline(), outer.get());
            deadline later(ex.now() + 1min);
            const auto in_later = co_await settle_by(later, measure());
            EXPECT_EQ(in_later.value(), 10s);
            deadline earlier(ex.now() + 3s);
            const auto in_earlier = [&]() -> task<> {
                auto [a, b] = co_await taskscope::fork_join(measure(), measure());
                EXPECT_EQ(a, 3s);
                EXPECT_EQ(b, 3s);
                const auto c = co_await taskscope::run_blocking([] { return remaining(); });
                EXPECT_EQ(c, 3s);
                outer.move_to(ex.now() + 2s);
                EXPECT_EQ(remaining(), 2s);
                co_await sleep_for(500ms);
                EXPECT_EQ(remaining(), 1500ms);
            };
            const auto s = co_await settle_by(earlier, in_earlier());
            EXPECT_TRUE(s.has_value());
            EXPECT_EQ(remaining(), 1500ms);
        };
        const auto s = co_await settle_by(outer, in_outer());
        EXPECT_TRUE(s.has_value());
        EXPECT_EQ(remaining(), forever);
    };
    ex.run(body());
}

class deadline_races : public support::ledger, public testing::WithParamInterface<unsigned> {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, deadline_races, testing::Values(1, 2, 8));

// The timer, the task's end and a move at the same time: the waiting task goes on exactly once.
TEST_P(deadline_races, of_firing_ending_and_moving) {
    constexpr std::size_t rounds = 300;
    support::tally ended(rounds);
    for (std::size_t i = 0; i < rounds; ++i) {
        deadline d(ex.now() + 50us);
        async_event done;
        const auto waits = [&]() -> task<> { co_await done.wait(); };
        const auto body = [&]() -> task<> {
            const settled<void> s = co_await settle_by(d, waits());
            EXPECT_FALSE(s.has_error());
            EXPECT_EQ(s.is_stopped(), d.expired() && !s.has_value());
            ended.count(i);
        };
        launched<void> running(ex, body());
        if (i % 3 == 0) d.move_to(ex.now() + 20us);
        if (i % 3 == 1) d.move_to(ex.now() + 1h);
        if (i % 3 == 1 || i % 2 == 0) done.set();
        ASSERT_TRUE(support::until([&] { return running.ended(); }));
    }
    EXPECT_TRUE(ended.exactly_once());
}

}  // namespace
