// tests/executor/settled_test.cpp - the three completions as a value.
// SPDX-License-Identifier: MIT
#include <taskscope/manual_executor.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/sleep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <utility>
#include <variant>

namespace {

using namespace std::chrono_literals;
using support::launched;
using taskscope::just_stopped;
using taskscope::manual_executor;
using taskscope::settle;
using taskscope::settled;
using taskscope::stopped_error;
using taskscope::task;

using settled_tasks = support::ledger;

task<int> number(int n) { co_return n; }
task<> nothing() { co_return; }
task<int&> reference(int& n) { co_return n; }
task<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(3); }
task<int> fails() {
    throw std::runtime_error("boom");
    co_return 0;
}
task<int> stops() {
    co_await just_stopped();
    co_return 0;
}

struct throws_when_moved {
    throws_when_moved() = default;
    throws_when_moved(throws_when_moved&& other) : moves(other.moves + 1) {
        if (moves == 2) throw std::runtime_error("moved twice");
    }
    int moves = 0;
};
task<throws_when_moved> hard_to_move() { co_return throws_when_moved(); }

template <class T>
task<settled<T>> settle_one(task<T> t) {
    settled<T> s = co_await settle(std::move(t));
    co_return s;
}

TEST_F(settled_tasks, have_a_value) {
    manual_executor ex;
    settled<int> s = ex.run(settle_one(number(4)));
    EXPECT_TRUE(s.has_value());
    EXPECT_FALSE(s.has_error() || s.is_stopped());
    EXPECT_EQ(s.value(), 4);
    EXPECT_EQ(s.error(), nullptr);
    EXPECT_EQ(std::move(s).take(), 4);
}

TEST_F(settled_tasks, may_be_void_references_and_what_can_only_be_moved) {
    manual_executor ex;
    settled<void> v = ex.run(settle_one(nothing()));
    EXPECT_TRUE(v.has_value());
    std::move(v).take();
    int n = 0;
    EXPECT_EQ(&ex.run(settle_one(reference(n))).take(), &n);
    EXPECT_EQ(*ex.run(settle_one(move_only())).take(), 3);
}

TEST_F(settled_tasks, have_an_error_that_take_rethrows) {
    manual_executor ex;
    settled<int> s = ex.run(settle_one(fails()));
    EXPECT_TRUE(s.has_error());
    EXPECT_NE(s.error(), nullptr);
    EXPECT_THROW((void)s.value(), std::bad_variant_access);
    EXPECT_THROW(std::move(s).take(), std::runtime_error);
}

TEST_F(settled_tasks, were_stopped_by_default_and_when_they_were) {
    manual_executor ex;
    EXPECT_TRUE(settled<int>().is_stopped());
    settled<int> s = ex.run(settle_one(stops()));
    EXPECT_TRUE(s.is_stopped());
    EXPECT_THROW(std::move(s).take(), stopped_error);
}

TEST_F(settled_tasks, whose_value_cannot_be_moved_have_an_error) {
    manual_executor ex;
    bool error = false;
    const auto body = [&]() -> task<> {
        settled<throws_when_moved> s = co_await settle(hard_to_move());
        error = s.has_error();
    };
    ex.run(body());
    EXPECT_TRUE(error);
}

// cases: T172
TEST_F(settled_tasks, pass_a_stop_on_and_leave_it_to_the_next_suspension_of_the_caller) {
    manual_executor ex;
    bool noticed = false;
    bool went_on = false;
    const auto sleeps = []() -> task<> { co_await taskscope::sleep_for(1h); };
    const auto body = [&]() -> task<> {
        settled<void> s = co_await settle(sleeps());
        noticed = s.is_stopped();
        co_await taskscope::yield();
        went_on = true;
    };
    launched<void> all(ex, body());
    ex.run_ready();
    all.request_stop();
    ex.run_ready();
    EXPECT_TRUE(all.ended());
    EXPECT_TRUE(all.stopped());
    EXPECT_TRUE(noticed);
    EXPECT_FALSE(went_on);
}

}  // namespace
