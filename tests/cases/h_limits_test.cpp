// tests/cases/h_limits_test.cpp - groups G and H: time limits, and what is cut off by them.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <optional>

namespace taskscope::test {
namespace {

using testing::ElementsAre;

class limits : public scenario {};

// cases: T240
TEST_F(limits, without_a_shield_cut_children_off_and_what_had_ended_counts) {
    std::vector<int> results;
    scope_counts counts;
    const auto keep = [&](milliseconds d, int n) -> task<> {
        co_await sleep_for(d);
        results.push_back(n);
    };
    run(ex, [&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            s.spawn(std::cref(keep), 20ms, 1);
            s.spawn(std::cref(keep), 30ms, 2);
            s.spawn(std::cref(keep), 50ms, 3);
            s.spawn(std::cref(keep), 10ms, 4);
            co_await stopped_as_optional(sleeps());
            co_await deaf(1ms);
            counts = s.counts();
        };
        auto block = with_scope(body);
        co_await move_on_after(40ms, std::move(block));
    });
    EXPECT_THAT(results, ElementsAre(4, 1, 2));
    EXPECT_EQ(counts.stopped, 1U);
}

// cases: T259
TEST_F(limits, of_the_same_time_leave_the_timeout_to_the_outermost) {
    deadline outer(ex.now() + 10ms);
    deadline inner(ex.now() + 10ms);
    const auto within = [&]() -> task<> {
        try {
            co_await with_deadline(inner, sleeps());
        } catch (const timeout_error&) {
            seen.emplace_back("inner");
        }
        seen.emplace_back("went on");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_deadline(outer, within());
        } catch (const timeout_error&) {
            seen.emplace_back("outer");
        }
    });
    EXPECT_THAT(seen, ElementsAre("outer"));
    EXPECT_TRUE(outer.expired());
    EXPECT_FALSE(inner.expired());
    EXPECT_EQ(elapsed(), 10ms);
}

// cases: T262
TEST_F(limits, have_not_expired_when_the_task_fails_in_time) {
    deadline d(ex.now() + 10ms);
    const auto body = [&]() -> task<> { co_await with_deadline(d, fail_after(1ms, "x")); };
    EXPECT_THROW(run(ex, body), boom);
    EXPECT_FALSE(d.expired());
    EXPECT_TRUE(ex.idle());
}

// cases: T283
TEST_F(limits, stop_children_whose_handles_say_so) {
    task_scope elsewhere{ex};
    std::optional<child_handle<int>> late;
    std::optional<child_handle<int>> early;
    run(ex, [&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            early.emplace(s.spawn_future(after(1ms, 1)));
            late.emplace(s.spawn_future(after(1h, 2)));
            co_await sleeps();
        };
        auto block = with_scope(body);
        const bool in_time = co_await move_on_after(10ms, std::move(block));
        EXPECT_FALSE(in_time);
        const std::optional<int> two = co_await stopped_as_optional(std::move(*late));
        EXPECT_FALSE(two.has_value());
        const std::optional<int> one = co_await stopped_as_optional(std::move(*early));
        EXPECT_EQ(one, 1);
    });
    EXPECT_EQ(elapsed(), 10ms);
}

}  // namespace
}  // namespace taskscope::test
