// tests/cases/g_shields_test.cpp - group G: what is finished in spite of a stop, and when the stop is seen.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <functional>

namespace taskscope::test {
namespace {

using testing::ElementsAre;

class shielding : public scenario {};

// cases: T241
TEST_F(shielding, lets_everything_finish_before_the_limit_around_it_shows) {
    std::vector<int> results;
    const auto keep = [&](milliseconds d, int n) -> task<> {
        co_await sleep_for(d);
        results.push_back(n);
    };
    const auto block = [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn(std::cref(keep), 20ms, 1);
            s.spawn(std::cref(keep), 30ms, 2);
            s.spawn(std::cref(keep), 50ms, 3);
            s.spawn(std::cref(keep), 10ms, 4);
            co_return;
        });
    };
    const auto shielded = [&]() -> task<> {
        co_await shield(block());
        co_await yield();
        seen.emplace_back("never");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(25ms, shielded());
        } catch (const timeout_error&) {
            seen.emplace_back("timeout");
        }
    });
    EXPECT_THAT(results, ElementsAre(4, 1, 2, 3));
    EXPECT_THAT(seen, ElementsAre("timeout"));
    EXPECT_EQ(elapsed(), 50ms);
}

// cases: T242
TEST_F(shielding, in_nested_shields_with_a_group_between_lasts_as_long_as_the_outermost) {
    const auto group = [&]() -> task<> {
        co_await with_group([&](task_group& g) -> task<> {
            g.spawn(say_after(4ms, "child"));
            co_await shield(say_after(2ms, "inner shield"));
            co_await sleep_for(1ms);
            seen.emplace_back("body");
        });
    };
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await shield(group());
        seen.emplace_back("outer shield");
        co_await yield();
        seen.emplace_back("never");
    });
    ex.advance(1ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("inner shield", "body", "child", "outer shield"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T243
TEST_F(shielding, a_part_of_a_task_leaves_it_stops_of_its_own) {
    stop_source own;
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        auto part = stopped_as_optional(stop_when(own.token(), sleeps()));
        const bool slept = co_await shield(std::move(part));
        seen.push_back((slept ? "slept until " : "stopped itself at ") +
                       std::to_string(elapsed().count()));
    });
    ex.advance(1ms);
    all.request_stop();
    ex.advance(1ms);
    EXPECT_EQ(all.counts().live, 1U);
    own.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("stopped itself at 2"));
}

// cases: T244
TEST_F(shielding, delivers_a_stop_once_whenever_it_came) {
    for (const milliseconds when : {0ms, 2ms, 4ms}) {  // before, during and after
        seen.clear();
        const auto began = elapsed();
        task_scope all{ex};
        all.spawn([&]() -> task<> {
            co_await stopped_as_optional(say_after(1ms, "before"));
            co_await shield(say_after(2ms, "shielded"));
            co_await stopped_as_optional(say_after(2ms, "after"));
            co_await yield();
            seen.emplace_back("never");
        });
        ex.advance(when);
        all.request_stop();
        all.blocking_join();
        EXPECT_EQ(all.counts().stopped, 1U);
        if (when == 0ms) {
            EXPECT_THAT(seen, ElementsAre("shielded"));
        } else {
            EXPECT_THAT(seen, ElementsAre("before", "shielded"));
        }
        EXPECT_EQ(elapsed() - began, when == 0ms ? 2ms : std::max(when, milliseconds(3)));
    }
}

// cases: T267
TEST_F(shielding, cleanup_after_a_limit_has_fresh_limits_and_a_stop_there_is_no_timeout) {
    stop_source own;
    own.request_stop();
    const auto cleanup = [&]() -> task<> {
        const bool in_time = co_await move_on_after(5ms, sleeps());
        seen.emplace_back(in_time ? "in time" : "a fresh limit");
        auto stopped = with_timeout(1h, stop_when(own.token(), sleeps()));
        const settled<void> end = co_await settle(std::move(stopped));
        seen.emplace_back(end.is_stopped() ? "a stop" : "a timeout");
    };
    const auto body = [&]() -> task<> {
        co_await stopped_as_optional(sleeps());
        co_await shield(cleanup());
        co_await yield();
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(10ms, body());
        } catch (const timeout_error&) {
            seen.emplace_back("timeout");
        }
    });
    EXPECT_THAT(seen, ElementsAre("a fresh limit", "a stop", "timeout"));
    EXPECT_EQ(elapsed(), 15ms);
}

// cases: T271
TEST_F(shielding, does_not_keep_a_limit_inside_from_ending_a_scope_quietly) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            s.spawn(sleeps());
            co_await sleeps();
        };
        auto limited = move_on_after(5ms, with_scope(body));
        const bool in_time = co_await shield(std::move(limited));
        seen.push_back((in_time ? "in time, " : "moved on, ") + std::to_string(elapsed().count()));
    });
    ex.advance(1ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("moved on, 5"));
}

}  // namespace
}  // namespace taskscope::test
