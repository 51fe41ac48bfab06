// tests/cases/a_life_test.cpp - group A: a scope's life, and its join.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class life : public scenario {};

// cases: T001, T024
TEST_F(life, two_children_have_ended_at_the_join_and_their_handles_hold_the_values) {
    task_scope s{ex};
    auto one = s.spawn_future(after(10ms, 1));
    auto two = s.spawn_future(after(20ms, 2));
    EXPECT_FALSE(one.done() || two.done());
    s.blocking_join();
    EXPECT_TRUE(one.done() && two.done());
    run(ex, [&]() -> task<> {
        const int a = co_await std::move(one);
        const int b = co_await std::move(two);
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, 2);
    });
    EXPECT_EQ(elapsed(), 20ms);
}

// cases: T002
TEST_F(life, a_join_covers_what_was_spawned_before_and_after_the_body_waited) {
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn(say_after(5ms, "first"));
            co_await sleep_for(10ms);
            s.spawn(say_after(5ms, "second"));
            seen.emplace_back("body");
        });
        seen.emplace_back("joined");
    });
    EXPECT_THAT(seen, ElementsAre("first", "body", "second", "joined"));
}

// cases: T003, T042, T359
TEST_F(life, only_children_that_live_are_known_however_many_there_were) {
    task_scope s{ex};
    run(ex, [&]() -> task<> {
        for (int i = 0; i <= 1000; ++i) {
            s.spawn([]() -> task<> { co_await sleep_for(9500us); });
            if (i == 100 || i == 1000) {
                EXPECT_EQ(s.counts().live, 10U);
                EXPECT_EQ(snapshot(s, 100).scopes.front().children.size(), 10U);
            }
            if (i < 1000) co_await sleep_for(1ms);
        }
    });
    s.blocking_join();
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().spawned, 1001U);
    EXPECT_THAT(snapshot(s).scopes.front().children, IsEmpty());
}

// cases: T004
TEST_F(life, errors_of_a_child_and_of_the_bodys_cleanup_come_out_and_no_stop_stays_behind) {
    run(ex, [&]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            g.spawn(fail_after(1ms, "child"));
            co_await fail_when_stopped("cleanup");
        };
        try {
            co_await with_group(body);
        } catch (const exception_group& g) {
            seen = texts_of(g);
        }
        const stop_token token = co_await get_stop_token();
        EXPECT_FALSE(token.stop_requested());
        co_await sleep_for(1ms);
        seen.emplace_back("went on");
    });
    EXPECT_THAT(seen, ElementsAre("child", "cleanup", "went on"));
}

// cases: T006
TEST_F(life, a_hundred_children_have_run_at_the_join_and_nothing_runs_later) {
    int ran = 0;
    task_scope s{ex};
    for (int i = 0; i < 100; ++i) {
        s.spawn(
            [&ran](int ms) -> task<> {
                co_await sleep_for(milliseconds(ms));
                ++ran;
            },
            i % 7);
    }
    s.blocking_join();
    EXPECT_EQ(ran, 100);
    EXPECT_TRUE(ex.idle());
    ex.advance(1h);
    EXPECT_EQ(ran, 100);
}

// cases: T017, T351
TEST_F(life, a_join_that_waits_goes_on_waiting_when_the_scope_is_closed) {
    task_scope s{ex};
    async_event release;
    s.spawn(wait_for, std::ref(release));
    task_scope watch{ex};
    watch.spawn([&]() -> task<> {
        co_await s.join();
        seen.emplace_back("joined");
    });
    ex.run_ready();
    s.close();
    EXPECT_FALSE(s.try_spawn([] {}));
    ex.run_ready();
    EXPECT_THAT(seen, IsEmpty());
    release.set();
    ex.run_ready();
    EXPECT_THAT(seen, ElementsAre("joined"));
    watch.blocking_join();
}

// cases: T018
TEST_F(life, a_joiner_goes_on_on_its_own_executor_and_not_inside_the_last_child) {
    manual_executor elsewhere;
    task_scope s{ex};
    async_event release;
    s.spawn(wait_for, std::ref(release));
    task_scope joiners{elsewhere};
    joiners.spawn([&]() -> task<> {
        co_await s.join();
        seen.emplace_back("joined");
    });
    elsewhere.run_ready();
    ex.run_ready();
    release.set();
    ex.run_ready();
    EXPECT_TRUE(s.has_ended());
    EXPECT_THAT(seen, IsEmpty());
    elsewhere.run_ready();
    EXPECT_THAT(seen, ElementsAre("joined"));
    joiners.blocking_join();
}

// cases: T028
TEST_F(life, a_block_waits_for_stragglers_in_spite_of_a_stop_which_is_seen_afterwards) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn(deaf(50ms));
            co_return;
        });
        seen.emplace_back("joined after " + std::to_string(elapsed().count()) + " ms");
        co_await yield();
        seen.emplace_back("went on");
    });
    ex.advance(10ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("joined after 50 ms"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T032
TEST_F(life, a_group_works_where_no_stop_can_come_from_above) {
    run(ex, [&]() -> task<> {
        const stop_token token = co_await get_stop_token();
        EXPECT_FALSE(token.stop_possible());
        try {
            co_await with_group([](task_group& g) -> task<> {
                g.spawn(sleeps());
                g.spawn(fail_after(1ms, "first"));
                co_return;
            });
        } catch (const exception_group& g) {
            seen = texts_of(g);
        }
    });
    EXPECT_THAT(seen, ElementsAre("first"));
    EXPECT_EQ(elapsed(), 1ms);
}

// cases: T033
TEST_F(life, children_run_at_the_same_time_and_the_join_comes_with_the_longest) {
    task_scope s{ex};
    for (const auto d : {30ms, 10ms, 50ms, 20ms}) s.spawn(after(d, 0));
    s.blocking_join();
    EXPECT_EQ(elapsed(), 50ms);
}

// cases: T035
TEST_F(life, a_body_may_end_by_stopping_the_children_it_leaves) {
    const int value = run(ex, [&]() -> task<int> {
        co_return co_await with_scope([&](task_scope& s) -> task<int> {
            s.spawn([this]() -> task<> {
                const farewell f(seen, "child destroyed");
                co_await sleeps();
            });
            co_await yield();
            s.request_stop();
            co_return 7;
        });
    });
    EXPECT_EQ(value, 7);
    EXPECT_THAT(seen, ElementsAre("child destroyed"));
    EXPECT_EQ(elapsed(), 0ms);
}

// cases: T037
TEST_F(life, each_child_may_spawn_the_next_one_into_its_own_scope) {
    task_group g{ex};
    int ran = 0;
    const std::function<void()> next = [&] {
        if (++ran < 10'000) g.spawn(std::cref(next));
    };
    g.spawn(std::cref(next));
    g.blocking_join();
    EXPECT_EQ(ran, 10'000);
}

// cases: T039
TEST_F(life, who_waits_for_one_child_does_not_wait_for_the_others) {
    task_scope s{ex};
    s.spawn(sleeps());
    auto one = s.spawn_future(after(1ms, 1));
    EXPECT_EQ(run(ex, [&]() -> task<int> { co_return co_await std::move(one); }), 1);
    EXPECT_EQ(elapsed(), 1ms);
    EXPECT_EQ(s.counts().live, 1U);
    s.request_stop();
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
