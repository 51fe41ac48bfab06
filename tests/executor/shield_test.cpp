// tests/executor/shield_test.cpp - a task that no stop from outside reaches, and what comes afterwards.
// SPDX-License-Identifier: MIT
#include <taskscope/deadline.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/shield.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::launched;
using taskscope::manual_executor;
using taskscope::shield;
using taskscope::sleep_for;
using taskscope::task;
using testing::ElementsAre;

class shields : public support::ledger {
protected:
    /// Notes the beginning and, `d` later, the end.
    task<int> step(std::string name, std::chrono::milliseconds d) {
        seen.push_back(name + " begins");
        co_await sleep_for(d);
        seen.push_back(name + " ends");
        co_return static_cast<int>(d.count());
    }

    manual_executor ex;
    std::vector<std::string> seen;
};

// cases: T244
TEST_F(shields, let_a_task_finish_and_give_its_value_and_the_next_suspension_sees_the_stop) {
    int value = 0;
    const auto body = [&]() -> task<> {
        value = co_await shield(step("inside", 5ms));
        seen.emplace_back("after");
        co_await taskscope::checkpoint();
        seen.emplace_back("never");
    };
    launched<void> t(ex, body());
    ex.advance(1ms);
    t.request_stop();
    ex.advance(10ms);
    EXPECT_TRUE(t.ended() && t.stopped());
    EXPECT_EQ(value, 5);
    EXPECT_THAT(seen, ElementsAre("inside begins", "inside ends", "after"));
}

// cases: T244, T254
TEST_F(shields, begin_although_a_stop_was_requested_before) {
    const auto body = [&]() -> task<> {
        co_await taskscope::stopped_as_optional(step("before", 1h));
        co_await shield(step("cleanup", 5ms));
    };
    launched<void> t(ex, body());
    ex.advance(1ms);
    t.request_stop();
    ex.advance(10ms);
    EXPECT_TRUE(t.ended() && !t.stopped());
    EXPECT_THAT(seen, ElementsAre("before begins", "cleanup begins", "cleanup ends"));
}

// cases: T253, T257
TEST_F(shields, hide_the_request_within) {
    bool outside = false;
    bool inside = true;
    const auto look = [&]() -> task<> {
        const taskscope::stop_token token = co_await taskscope::get_stop_token();
        inside = token.stop_requested() || token.stop_possible();
    };
    const auto body = [&]() -> task<> {
        co_await taskscope::stopped_as_optional(step("x", 1h));
        co_await shield(look());
        const taskscope::stop_token token = co_await taskscope::get_stop_token();
        outside = token.stop_requested();
    };
    launched<void> t(ex, body());
    ex.advance(1ms);
    t.request_stop();
    ex.advance(1ms);
    EXPECT_TRUE(t.ended());
    EXPECT_TRUE(outside);
    EXPECT_FALSE(inside);
}

// cases: T242, T253, T256
TEST_F(shields, nest_and_the_outermost_decides) {
    const auto inner = [&]() -> task<> {
        co_await shield(step("inner", 2ms));
        co_await step("between", 2ms);
    };
    const auto body = [&]() -> task<> {
        co_await shield(inner());
        co_await step("outside", 2ms);
    };
    launched<void> t(ex, body());
    ex.advance(1ms);
    t.request_stop();
    ex.advance(10ms);
    EXPECT_TRUE(t.ended() && t.stopped());
    EXPECT_THAT(seen, ElementsAre("inner begins", "inner ends", "between begins", "between ends",
                                  "outside begins"));
}

// cases: T243, T244
TEST_F(shields, do_not_protect_what_comes_between_them) {
    const auto body = [&]() -> task<> {
        co_await shield(step("first", 2ms));
        co_await step("second", 2ms);
        co_await shield(step("third", 2ms));
    };
    launched<void> t(ex, body());
    ex.advance(1ms);
    t.request_stop();
    ex.advance(10ms);
    EXPECT_TRUE(t.ended() && t.stopped());
    EXPECT_THAT(seen, ElementsAre("first begins", "first ends", "second begins"));
}

// cases: T253
TEST_F(shields, pass_errors_through) {
    const auto fails = []() -> task<> {
        co_await sleep_for(1ms);
        throw std::runtime_error("boom");
    };
    EXPECT_THROW(ex.run(shield(fails())), std::runtime_error);
}

// cases: T243, S49
TEST_F(shields, do_not_keep_a_task_from_stopping_itself) {
    const auto stops = []() -> task<> { co_await taskscope::just_stopped(); };
    EXPECT_THROW(ex.run(shield(stops())), taskscope::stopped_error);
}

// cases: T241, T271
TEST_F(shields, hide_a_deadline_from_outside_and_obey_one_made_inside) {
    taskscope::deadline outer(ex.now() + 2ms);
    taskscope::deadline inner(ex.now() + 4ms);
    bool limited = true;
    bool inner_cut = false;
    const auto shielded = [&]() -> task<> {
        limited = taskscope::remaining() != taskscope::deadline::clock::duration::max();
        const auto end = co_await taskscope::settle_by(inner, step("slow", 1h));
        inner_cut = end.is_stopped() && inner.expired();
    };
    const auto body = [&]() -> task<> { co_await shield(shielded()); };
    const auto both = [&]() -> task<> {
        const auto end = co_await taskscope::settle_by(outer, body());
        EXPECT_TRUE(end.has_value());
    };
    const auto began = ex.now();
    ex.run(both());
    EXPECT_FALSE(limited);
    EXPECT_TRUE(inner_cut);
    EXPECT_TRUE(outer.expired());
    EXPECT_EQ(ex.now() - began, 4ms);
}

}  // namespace
