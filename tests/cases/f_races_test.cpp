// tests/cases/f_races_test.cpp - group F: stops, errors and joins in the same moment; nothing is lost.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <support/until.hpp>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class meeting : public scenario {
protected:
    /// A group with this body in a task of `all`; what it throws, and whether the task goes on after it.
    template <class Body>
    void enter(task_scope& all, Body body) {
        all.spawn([this, body]() -> task<> {
            try {
                co_await with_group(body);
                seen.emplace_back("no error");
            } catch (const exception_group& g) {
                for (const std::string& text : texts_of(g)) seen.push_back(text);
            }
            const stop_token token = co_await get_stop_token();
            seen.emplace_back(token.stop_requested() ? "asked to stop" : "not asked");
            co_await yield();
            seen.emplace_back("went on");
        });
    }
};

// cases: T213, T214, T217
TEST_F(meeting, a_stop_from_outside_and_an_error_in_the_same_moment_are_both_seen) {
    task_scope all{ex};
    enter(all, [&](task_group& g) -> task<> {
        g.spawn([&]() -> task<> {
            co_await sleep_for(1ms);
            all.request_stop();
            throw boom("child");
        });
        co_await sleeps();
    });
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("child", "asked to stop"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T214, T236
TEST_F(meeting, a_child_that_cannot_be_stopped_fails_later_and_the_stop_is_seen_after_that) {
    task_scope all{ex};
    enter(all, [&](task_group& g) -> task<> {
        g.spawn(fail_in_any_case(3ms, "late"));
        co_await sleeps();
    });
    ex.advance(1ms);
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("late", "asked to stop"));
    EXPECT_EQ(elapsed(), 3ms);
}

// cases: T215, T220
TEST_F(meeting, a_body_that_notices_the_groups_stop_and_returns_leaves_nothing_requested) {
    task_scope all{ex};
    enter(all, [&](task_group& g) -> task<> {
        g.spawn(fail_after(1ms, "child"));
        const bool slept = co_await stopped_as_optional(sleeps());
        EXPECT_FALSE(slept);
    });
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("child", "not asked", "went on"));
}

// cases: T216, T217
TEST_F(meeting, an_inner_error_that_is_handled_does_not_keep_the_stop_of_the_outer_group_away) {
    task_scope all{ex};
    enter(all, [&](task_group& outer) -> task<> {
        outer.spawn([&]() -> task<> {
            const auto inner = [&](task_group& g) -> task<> {
                g.spawn(fail_in_any_case(2ms, "inner"));
                co_await sleeps();
            };
            try {
                co_await with_group(inner);
            } catch (const exception_group& g) {
                seen = texts_of(g);
            }
            co_await yield();
            seen.emplace_back("inner went on");
        });
        outer.spawn(fail_after(1ms, "outer"));
        co_return;
    });
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("inner", "outer", "not asked", "went on"));
}

// cases: T218
TEST_F(meeting, stops_from_outside_while_the_first_error_is_worked_off_are_not_lost) {
    task_scope all{ex};
    enter(all, [&](task_group& g) -> task<> {
        g.spawn(fail_after(1ms, "first"));
        g.spawn(deaf(10ms));
        co_return;
    });
    ex.advance(2ms);
    all.request_stop();
    ex.advance(2ms);
    EXPECT_FALSE(all.request_stop());
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("first", "asked to stop"));
    EXPECT_EQ(elapsed(), 10ms);
}

// cases: T219
TEST_F(meeting, a_child_that_stops_the_group_while_it_is_being_spawned_is_stopped_too) {
    run(ex, [&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            co_await g.spawn_here([&]() -> task<> {
                const farewell f(seen, "child destroyed");
                g.request_stop();
                co_await sleeps();
            });
            co_await sleeps();
        };
        auto group = with_group(body);
        const bool completed = co_await stopped_as_optional(std::move(group));
        EXPECT_FALSE(completed);
    });
    EXPECT_THAT(seen, ElementsAre("child destroyed"));
    EXPECT_EQ(elapsed(), 0ms);
}

// Stop and wait, for one child.

class stop_and_wait : public scenario {
protected:
    /// Stops the child, waits for it, and gives how it ended.
    settled<int> stop(child_handle<int> h) {
        h.request_stop();
        auto wait = [](child_handle<int> own) -> task<settled<int>> {
            auto t = std::move(own).as_task();
            settled<int> end = co_await settle(std::move(t));
            co_return end;
        };
        return run(ex, [&]() -> task<settled<int>> { return wait(std::move(h)); });
    }

    task_scope s{ex};
};

// cases: T222
TEST_F(stop_and_wait, changes_nothing_for_a_task_that_has_ended) {
    auto h = s.spawn_future(after(1ms, 7));
    s.blocking_join();
    EXPECT_EQ(stop(std::move(h)).value(), 7);
    EXPECT_EQ(s.counts().stopped, 0U);
}

// cases: T223, T225
TEST_F(stop_and_wait, waits_for_slow_cleanup_and_tells_a_task_that_took_no_notice) {
    auto ignores = s.spawn_future([&]() -> task<int> {
        co_await deaf(20ms);
        co_return 7;
    });
    auto cleans_up = s.spawn_future([&]() -> task<int> {
        co_await stopped_as_optional(sleeps());
        co_await deaf(50ms);
        co_await checkpoint();
        co_return 8;
    });
    ex.run_ready();
    EXPECT_EQ(stop(std::move(ignores)).value(), 7);
    EXPECT_EQ(elapsed(), 20ms);
    EXPECT_TRUE(stop(std::move(cleans_up)).is_stopped());
    EXPECT_EQ(elapsed(), 70ms);
    s.blocking_join();
}

// cases: T227
TEST_F(stop_and_wait, gives_the_error_of_the_cleanup_which_the_handler_is_told_too) {
    const auto fails = [](std::string what) -> task<int> {
        co_await fail_when_stopped(std::move(what));
        co_return 0;
    };
    auto one = s.spawn_future(fails("one"));
    auto two = s.spawn_future(fails("two"));
    ex.run_ready();
    EXPECT_EQ(describe(stop(std::move(one)).error()), "one");
    EXPECT_EQ(describe(stop(std::move(two)).error()), "two");
    EXPECT_THAT(reported, ElementsAre("one", "two"));
    s.blocking_join();
}

// cases: T224, T226
TEST_F(stop_and_wait, by_two_of_whom_one_is_stopped_itself_both_wait_until_the_end) {
    s.spawn(deaf(10ms));
    task_scope callers{ex};
    const auto stops = [&](std::string name) -> task<> {
        s.request_stop();
        co_await s.join();
        seen.push_back(name + " waited until " + std::to_string(elapsed().count()));
        co_await yield();
        seen.push_back(name + " went on");
    };
    auto first = callers.spawn_future([&]() -> task<> { return stops("first"); });
    callers.spawn([&]() -> task<> { return stops("second"); });
    ex.advance(1ms);
    first.request_stop();
    callers.blocking_join();
    EXPECT_THAT(seen,
                ElementsAre("first waited until 10", "second waited until 10", "second went on"));
    EXPECT_EQ(callers.counts().stopped, 1U);
}

// cases: T228
TEST_F(stop_and_wait, of_many_of_one_that_stops_others_and_of_those_that_ended_at_once) {
    std::vector<child_handle<int>> all;
    for (int i = 0; i < 10; ++i) all.push_back(s.spawn_future(after(milliseconds(i % 2), i)));
    for (int i = 0; i < 10; ++i) all.push_back(s.spawn_future(after(1h, i)));
    auto stopper = s.spawn_future([&]() -> task<> {
        for (child_handle<int>& h : all) h.request_stop();
        co_await sleeps();
    });
    ex.run_ready();
    EXPECT_FALSE(stopper.done());
    stopper.request_stop();
    s.blocking_join();
    EXPECT_TRUE(stopper.done());
    EXPECT_EQ(s.counts().stopped, 5U + 10U + 1U);  // those that slept at all, and who stopped them
    EXPECT_EQ(elapsed(), 0ms);
}

// cases: T237
TEST_F(stop_and_wait, without_a_scope_gives_the_error_after_the_wait) {
    stop_source trigger;
    s.spawn([&]() -> task<> {
        co_await sleep_for(1ms);
        trigger.request_stop();
    });
    run(ex, [&]() -> task<> {
        auto t = stop_when(trigger.token(), fail_in_any_case(3ms, "late"));
        const settled<int> end = co_await settle(std::move(t));
        EXPECT_EQ(describe(end.error()), "late");
    });
    EXPECT_EQ(elapsed(), 3ms);
    s.blocking_join();
}

// cases: T238
TEST_F(stop_and_wait, a_stopped_group_gives_what_its_policy_has) {
    task_group quiet{ex};
    quiet.spawn(sleeps());
    task_group loud{ex};
    loud.spawn(fail_when_stopped("cleanup"));
    ex.run_ready();
    quiet.request_stop();
    loud.request_stop();
    EXPECT_NO_THROW(quiet.blocking_join());
    try {
        loud.blocking_join();
    } catch (const exception_group& g) {
        seen = texts_of(g);
    }
    EXPECT_THAT(seen, ElementsAre("cleanup"));
}

class meeting_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, meeting_races, testing::Values(1, 2, 8));

// cases: T213, T234
TEST_P(meeting_races, of_a_stop_against_errors_lose_neither) {
    for (int round = 0; round < 100; ++round) {
        task_scope all{ex};
        std::atomic<std::size_t> thrown{0};
        std::atomic<std::size_t> told{0};
        std::atomic<bool> went_on{false};
        async_event begun;
        all.spawn([&]() -> task<> {
            const auto body = [&](task_group& g) -> task<> {
                for (int i = 0; i < 8; ++i) {
                    g.spawn([&thrown]() -> task<> {
                        co_await yield();
                        thrown.fetch_add(1);
                        throw boom();
                    });
                }
                begun.set();
                co_await sleep_for(1h);
            };
            try {
                co_await with_group(body);
            } catch (const exception_group& g) {
                told = g.errors().size();
            }
            while (!all.stop_requested()) co_await yield();
            co_await yield();
            went_on = true;
        });
        begun.blocking_wait(ex);
        all.request_stop();
        all.blocking_join();
        ASSERT_EQ(told.load(), thrown.load());
        ASSERT_FALSE(went_on.load());
        ASSERT_EQ(all.counts().stopped, 1U);
    }
}

}  // namespace
}  // namespace taskscope::test
