// tests/scope/shutdown_test.cpp - ending a tree within a time limit: drain, stop, abandon, and the report.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/shutdown.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class shutdowns : public ledger_test {
protected:
    manual_executor ex;
};

task<> sleep_ms(int n) { co_await sleep_for(std::chrono::milliseconds(n)); }

std::vector<std::string> order(const shutdown_report& r) {
    std::vector<std::string> paths;
    for (const scope_shutdown& s : r.scopes) paths.push_back(s.path);
    return paths;
}

const scope_shutdown& part(const shutdown_report& r, const std::string& path) {
    for (const scope_shutdown& s : r.scopes) {
        if (s.path == path) return s;
    }
    throw boom("no scope " + path + " in the report");
}

// cases: T031
TEST_F(shutdowns, of_an_empty_scope_complete_at_once) {
    task_scope s{ex, {.name = "s"}};
    const shutdown_report r = s.blocking_shutdown();
    EXPECT_TRUE(r.complete());
    EXPECT_THAT(order(r), ElementsAre("/s"));
    EXPECT_EQ(r.took, 0ms);
    EXPECT_TRUE(s.has_ended());
}

// cases: T357, T358
TEST_F(shutdowns, let_children_end_by_themselves_within_the_drain_time) {
    task_scope s{ex, {.name = "s"}};
    int finished = 0;
    for (int i = 1; i <= 3; ++i) {
        s.spawn(
            [&finished](int ms) -> task<> {
                co_await sleep_ms(ms);
                ++finished;
            },
            100 * i);
    }
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(finished, 3);
    EXPECT_EQ(r.drained(), 3U);
    EXPECT_EQ(r.stopped(), 0U);
    EXPECT_EQ(r.took, 300ms);
    EXPECT_TRUE(r.complete());
    EXPECT_THAT(r.stragglers, IsEmpty());
}

// cases: T021, T239
TEST_F(shutdowns, refuse_new_children_from_the_first_moment) {
    task_scope top{ex};
    task_scope below{top};
    below.spawn(sleep_ms, 100);
    ex.run_ready();
    task_scope control{ex};
    auto h = control.spawn_future([&]() -> task<shutdown_report> { return top.shutdown(); });
    ex.run_ready();
    EXPECT_TRUE(top.is_closed());
    EXPECT_TRUE(below.is_closed());
    EXPECT_TRUE(below.closing_token().stop_requested());
    EXPECT_FALSE(below.stop_requested());
    EXPECT_FALSE(below.try_spawn([] {}));
    EXPECT_FALSE(h.done());
    control.blocking_join();
    EXPECT_TRUE(h.done());
    EXPECT_TRUE(top.has_ended());
}

// cases: T284, T357, T358
TEST_F(shutdowns, ask_what_is_left_to_stop_when_the_drain_time_is_over) {
    task_scope s{ex, {.name = "s"}};
    s.spawn(sleep_ms, 100);
    s.spawn(sleep_ms, 100'000);
    s.spawn([]() -> task<> {
        co_await stopped_as_optional(sleep_ms(100'000));
        throw boom("while stopping");  // however they complete
    });
    s.set_policy(ignore_errors);
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(r.drained(), 1U);
    EXPECT_EQ(r.stopped(), 2U);
    EXPECT_EQ(r.abandoned(), 0U);
    EXPECT_EQ(r.took, 1000ms);
    EXPECT_EQ(part(r, "/s").took, 1000ms);
    EXPECT_TRUE(s.stop_requested());
}

// cases: T358
TEST_F(shutdowns, give_up_on_a_child_that_ignores_stop_and_name_it_and_only_it) {
    async_event release;
    bool finished = false;
    auto held = std::make_shared<int>();
    {
        const auto top = std::make_unique<task_scope>(ex, scope_options{.name = "app"});
        const auto s = std::make_unique<task_scope>(*top, scope_options{.name = "jobs"});
        s->spawn({.name = "polite"}, sleep_ms, 100'000);
        s->spawn({.name = "quick"}, sleep_ms, 10);
        const std::uint32_t line = __LINE__ + 1;
        s->spawn({.name = "stubborn"}, [&finished, &release, held]() -> task<> {
            co_await release.wait_shielded();
            finished = true;
        });
        ex.run_ready();
        const shutdown_report r = top->blocking_shutdown({.drain = 50ms, .stop = 20ms});
        EXPECT_EQ(r.took, 70ms);
        EXPECT_FALSE(r.complete());
        EXPECT_EQ(r.drained(), 1U);
        EXPECT_EQ(r.stopped(), 1U);
        EXPECT_EQ(r.abandoned(), 1U);
        ASSERT_EQ(r.stragglers.size(), 1U);
        EXPECT_EQ(r.stragglers[0].name, "stubborn");
        EXPECT_EQ(r.stragglers[0].scope_path, "/app/jobs");
        EXPECT_EQ(place(r.stragglers[0].spawned_at), "shutdown_test.cpp:" + std::to_string(line));
        EXPECT_THAT(r.text(),
                    AllOf(HasSubstr("shutdown: 1 drained, 1 stopped, 1 abandoned, 70 ms\n"),
                          HasSubstr("  /app/jobs: 1 drained, 1 stopped, 1 abandoned, 60 ms\n"),
                          HasSubstr("  still running: stubborn in /app/jobs, spawned at "),
                          HasSubstr("shutdown_test.cpp:" + std::to_string(line) + "\n")));
        EXPECT_FALSE(finished);
        EXPECT_FALSE(top->has_ended());
    }  // both scopes are destroyed with the child still running
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(ex.root().counts().scopes, 1U);
    release.set();
    ex.run_ready();
    EXPECT_TRUE(finished);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

TEST_F(shutdowns, leave_what_they_abandoned_joinable) {
    async_event release;
    task_scope s{ex};
    s.spawn(wait_shielded, std::ref(release));
    ex.run_ready();
    EXPECT_EQ(s.blocking_shutdown({.drain = 0s, .stop = 0s}).abandoned(), 1U);
    release.set();
    s.blocking_join();
    EXPECT_TRUE(s.has_ended());
}

// cases: T367
TEST_F(shutdowns, leave_an_abandoned_child_a_scope_it_can_ask_when_its_own_is_destroyed) {
    async_event release;
    std::string path;
    bool refused = false;
    bool stop_seen = false;
    {
        task_scope s{ex, {.name = "gone"}};
        s.spawn([&]() -> task<> {
            co_await release.wait_shielded();
            path = current_scope().path();
            stop_seen = current_scope().stop_requested();
            try {
                spawn([] {});
            } catch (const scope_closed&) {
                refused = true;
            }
        });
        ex.run_ready();
        EXPECT_EQ(s.blocking_shutdown({.drain = 0s, .stop = 0s}).abandoned(), 1U);
    }
    release.set();
    ex.run_ready();
    EXPECT_EQ(path, "/gone");
    EXPECT_TRUE(stop_seen);
    EXPECT_TRUE(refused);
}

TEST_F(shutdowns,
       tell_handlers_above_of_an_abandoned_child_that_fails_after_its_scope_is_destroyed) {
    async_event release;
    std::string told;
    ex.root().set_policy([&](const error_context& e) {
        told = e.scope.path() + " or " + std::string(e.scope_path) + ": " + describe(e.error) +
               (e.scope.stop_requested() ? ", stopped" : "");
    });
    {
        task_scope s{ex, {.name = "gone"}};
        s.spawn([&]() -> task<> {
            co_await release.wait_shielded();
            throw boom("too late");
        });
        ex.run_ready();
        EXPECT_EQ(s.blocking_shutdown({.drain = 0s, .stop = 0s}).abandoned(), 1U);
    }
    release.set();
    ex.run_ready();
    EXPECT_EQ(told, "/gone or /gone: too late, stopped");
}

TEST_F(shutdowns, of_a_group_leave_its_stragglers_a_policy_that_still_works) {
    async_event release;
    {
        task_group g{ex, {.name = "gone"}};
        g.spawn([&]() -> task<> {
            co_await release.wait_shielded();
            throw boom("too late");
        });
        ex.run_ready();
        EXPECT_EQ(g.scope().blocking_shutdown({.drain = 0s, .stop = 0s}).abandoned(), 1U);
    }
    release.set();
    ex.run_ready();
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

// cases: T346
TEST_F(shutdowns, go_innermost_first) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    task_scope a1{a, {.name = "1"}};
    a1.spawn(sleep_ms, 300);
    a.spawn(sleep_ms, 100);
    b.spawn(sleep_ms, 200);
    top.spawn(sleep_ms, 50);
    ex.run_ready();
    const shutdown_report r = top.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_THAT(order(r), ElementsAre("/top/b", "/top/a/1", "/top/a", "/top"));
    EXPECT_EQ(part(r, "/top/b").took, 200ms);
    EXPECT_EQ(part(r, "/top/a/1").took, 300ms);
    EXPECT_EQ(part(r, "/top/a").took, 300ms);
    EXPECT_EQ(r.drained(), 4U);
}

// cases: T358
TEST_F(shutdowns, stop_a_parent_only_after_its_scopes_below_have_ended) {
    // What a child uses of its parent scope must be there while the child is being stopped.
    std::vector<std::string> ended;
    const auto until_stopped = [&](std::string name) -> task<> {
        struct note {
            note(std::vector<std::string>& to, std::string n) : list(to), name(std::move(n)) {}
            ~note() { list.push_back(name); }
            note(const note&) = delete;
            note& operator=(const note&) = delete;
            std::vector<std::string>& list;
            std::string name;
        } const on_exit(ended, std::move(name));
        co_await sleep_for(1h);
    };
    task_scope top{ex};
    task_scope inner{top};
    top.spawn(until_stopped, "top");
    inner.spawn(until_stopped, "inner");
    ex.run_ready();
    const shutdown_report r = top.blocking_shutdown({.drain = 10ms, .stop = 10ms});
    EXPECT_THAT(ended, ElementsAre("inner", "top"));
    EXPECT_EQ(r.stopped(), 2U);
}

// cases: T358
TEST_F(shutdowns, share_one_time_budget_among_all_levels) {
    async_event release;
    task_scope a{ex, {.name = "a"}};
    task_scope b{a, {.name = "b"}};
    task_scope c{b, {.name = "c"}};
    for (task_scope* s : {&a, &b, &c}) s->spawn(wait_shielded, std::ref(release));
    ex.run_ready();
    const shutdown_report r = a.blocking_shutdown({.drain = 100ms, .stop = 50ms});
    EXPECT_EQ(r.took, 150ms);
    EXPECT_EQ(r.abandoned(), 3U);
    EXPECT_EQ(r.stragglers.size(), 3U);
    release.set();
    ex.run_ready();
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

// cases: T254
TEST_F(shutdowns, leave_time_to_stop_for_those_around_a_straggler) {
    async_event release;
    task_scope outer{ex, {.name = "outer"}};
    task_scope inner{outer, {.name = "inner"}};
    inner.spawn({.name = "stubborn"}, wait_shielded, std::ref(release));
    bool cleaned_up = false;
    outer.spawn([&]() -> task<> {
        co_await stopped_as_optional(sleep_ms(100'000));
        async_event never;
        co_await never.wait_until_shielded(ex.now() + 20ms);
        cleaned_up = true;
    });
    ex.run_ready();
    const shutdown_report r = outer.blocking_shutdown({.drain = 10ms, .stop = 100ms});
    EXPECT_TRUE(cleaned_up);
    EXPECT_EQ(r.stopped(), 1U);
    EXPECT_EQ(r.abandoned(), 1U);
    EXPECT_EQ(part(r, "/outer/inner").took, 60ms);
    EXPECT_EQ(r.took, 110ms);
    release.set();
    ex.run_ready();
    EXPECT_TRUE(outer.has_ended());
}

TEST_F(shutdowns, are_complete_when_every_scope_has_ended) {
    async_event release;
    task_scope outer{ex, {.name = "outer"}};
    task_scope inner{outer, {.name = "inner"}};
    task_scope other{outer, {.name = "other"}};
    inner.spawn(wait_shielded, std::ref(release));
    ex.run_ready();
    const shutdown_report r = outer.blocking_shutdown({.drain = 1ms, .stop = 1ms});
    EXPECT_FALSE(r.complete());
    EXPECT_FALSE(part(r, "/outer/inner").ended);
    EXPECT_TRUE(part(r, "/outer/other").ended);
    EXPECT_FALSE(part(r, "/outer").ended);  // it has no children of its own left, but a scope
    EXPECT_EQ(part(r, "/outer").abandoned, 0U);
    release.set();
    ex.run_ready();
}

// cases: T344, T357
TEST_F(shutdowns, with_no_time_at_all_stop_at_once) {
    task_scope s{ex};
    bool finished = false;
    s.spawn([&]() -> task<> {
        co_await sleep_for(1ms);
        finished = true;
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 0s, .stop = 1s});
    EXPECT_EQ(r.stopped(), 1U);
    EXPECT_EQ(r.took, 0ms);
    EXPECT_FALSE(finished);
}

TEST_F(shutdowns, take_negative_limits_for_zero) {
    task_scope s{ex};
    s.spawn(sleep_ms, 1000);
    s.spawn([]() -> task<> {
        co_await stopped_as_optional(sleep_ms(1000));
        co_return;
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = -1h, .stop = 5ms});
    EXPECT_EQ(r.stopped(), 2U);
    EXPECT_TRUE(r.complete());
    async_event release;
    task_scope t{ex};
    t.spawn(wait_shielded, std::ref(release));
    ex.run_ready();
    EXPECT_EQ(t.blocking_shutdown({.drain = -1s, .stop = -1s}).took, 0ms);
    release.set();
    t.blocking_join();
}

TEST_F(shutdowns, without_a_limit_wait_for_everyone) {
    using duration = std::chrono::steady_clock::duration;
    task_scope s{ex};
    s.spawn(sleep_ms, 1'000'000'000);
    ex.run_ready();
    const shutdown_report r =
        s.blocking_shutdown({.drain = duration::max(), .stop = duration::max()});
    EXPECT_EQ(r.drained(), 1U);
    EXPECT_EQ(r.took, 1'000'000s);
}

// cases: T358
TEST_F(shutdowns, asked_for_twice_are_one_and_give_both_the_same_report) {
    task_scope s{ex, {.name = "s"}};
    s.spawn(sleep_ms, 100);
    task_scope control{ex};
    auto first = control.spawn_future(
        [&]() -> task<shutdown_report> { return s.shutdown({.drain = 1s, .stop = 1s}); });
    ex.advance(50ms);
    auto second = control.spawn_future(
        [&]() -> task<shutdown_report> { return s.shutdown({.drain = 1s, .stop = 1s}); });
    run(ex, [&]() -> task<> {
        const shutdown_report a = co_await std::move(first);
        const shutdown_report b = co_await std::move(second);
        EXPECT_EQ(a.text(), b.text());
        EXPECT_EQ(a.took, 100ms);
        EXPECT_EQ(a.drained(), 1U);
    });
    const shutdown_report later = s.blocking_shutdown();
    EXPECT_EQ(later.took, 100ms);
    control.blocking_join();
}

// cases: T358
TEST_F(shutdowns, asked_for_by_a_child_of_the_tree_stop_that_child_with_the_others) {
    task_scope app{ex, {.name = "app"}};
    task_scope handlers{app, {.name = "handlers"}};
    bool came_back = false;
    handlers.spawn({.name = "admin"}, [&]() -> task<> {
        co_await app.shutdown({.drain = 100ms, .stop = 50ms});
        came_back = true;
    });
    handlers.spawn(sleep_ms, 20);
    ex.run_ready();
    const shutdown_report r = app.blocking_shutdown();  // joins the one that is under way
    EXPECT_FALSE(came_back);
    EXPECT_TRUE(r.complete());
    EXPECT_EQ(r.drained(), 1U);
    EXPECT_EQ(r.stopped(), 1U);
    EXPECT_EQ(r.took, 100ms);
}

TEST_F(shutdowns, go_on_when_whoever_asked_is_stopped) {
    task_scope s{ex};
    s.spawn(sleep_ms, 100);
    task_scope control{ex};
    control.spawn([&]() -> task<> { co_await s.shutdown({.drain = 1s, .stop = 1s}); });
    ex.run_ready();
    control.request_stop();
    control.blocking_join();
    EXPECT_FALSE(s.has_ended());
    ex.advance(100ms);
    EXPECT_TRUE(s.has_ended());
}

// cases: S40
TEST_F(shutdowns, of_the_root_end_every_scope_of_the_executor) {
    task_scope a{ex, {.name = "a"}};
    a.spawn(sleep_ms, 10);
    ex.root().spawn(sleep_ms, 20);
    ex.run_ready();
    const shutdown_report r = ex.root().blocking_shutdown();
    EXPECT_THAT(order(r), ElementsAre("/a", "/"));
    EXPECT_EQ(r.drained(), 2U);
    EXPECT_THROW(task_scope(ex, {}), scope_closed);
    EXPECT_THROW(ex.root().spawn([] {}), scope_closed);
}

// cases: T346
TEST_F(shutdowns, count_blocks_that_children_have_open) {
    task_scope s{ex, {.name = "s"}};
    s.spawn([]() -> task<> {
        co_await with_scope("block", [](task_scope& b) -> task<> {
            b.spawn(sleep_ms, 100);
            co_await sleep_ms(50);
        });
        co_await sleep_ms(50);
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_THAT(order(r), ElementsAre("/s/block", "/s"));
    EXPECT_EQ(part(r, "/s/block").drained, 2U);
    EXPECT_EQ(part(r, "/s").drained, 1U);
    EXPECT_EQ(r.took, 150ms);
}

TEST_F(shutdowns, let_open_blocks_go_on_spawning) {
    task_scope s{ex, {.name = "requests"}};
    int answered = 0;
    s.spawn([&]() -> task<> {
        co_await with_group([](task_group& g) -> task<> {
            co_await sleep_ms(10);
            g.spawn(sleep_ms, 10);
            co_await with_scope([](task_scope& inner) -> task<> {
                co_await sleep_ms(5);
                inner.spawn(sleep_ms, 5);
            });
        });
        ++answered;
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(answered, 1);
    EXPECT_FALSE(s.has_errors());
    EXPECT_EQ(r.stopped(), 0U);
    EXPECT_TRUE(r.complete());
}

// Somebody else's join ends the scope, and it leaves the tree before the walk comes to it.
TEST_F(shutdowns, report_scopes_that_end_before_their_turn) {
    task_scope s{ex, {.name = "s"}};
    task_scope below{s, {.name = "below"}};
    task_scope further{below, {.name = "further"}};
    const auto until_closed = [](task_scope& in) -> task<> {
        auto waits = stop_when(in.closing_token(), sleep_ms(1'000'000));
        co_await stopped_as_optional(std::move(waits));
    };
    further.spawn(until_closed, std::ref(further));
    below.spawn(until_closed, std::ref(below));
    s.spawn([&]() -> task<> {
        co_await further.join();
        co_await below.join();
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_THAT(order(r), ElementsAre("/s/below/further", "/s/below", "/s"));
    EXPECT_EQ(part(r, "/s/below/further").drained, 1U);
    EXPECT_EQ(part(r, "/s/below").drained, 1U);
    EXPECT_EQ(part(r, "/s").drained, 1U);
    EXPECT_TRUE(r.complete());
}

// cases: T349
TEST_F(shutdowns, count_children_that_end_because_of_closing_as_drained) {
    task_scope s{ex, {.name = "s"}};
    task_scope below{s, {.name = "below"}};
    for (int i = 0; i < 3; ++i) {
        below.spawn([&]() -> task<> {
            auto waits = stop_when(below.closing_token(), sleep_ms(1'000'000));
            co_await stopped_as_optional(std::move(waits));
        });
    }
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(part(r, "/s/below").drained, 3U);
    EXPECT_EQ(r.took, 0ms);
}

// A request that is being drained may fan out.
TEST_F(shutdowns, let_children_that_drain_open_blocks) {
    task_scope s{ex, {.name = "requests"}};
    int answered = 0;
    s.spawn([&]() -> task<> {
        co_await sleep_ms(10);
        co_await with_group([](task_group& g) -> task<> {
            g.spawn(sleep_ms, 10);
            g.spawn(sleep_ms, 20);
            co_return;
        });
        ++answered;
    });
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(answered, 1);
    EXPECT_EQ(r.drained(), 1U);
    EXPECT_FALSE(s.has_errors());
}

TEST_F(shutdowns, list_at_most_a_thousand_stragglers_and_count_all) {
    async_event release;
    task_scope s{ex};
    for (int i = 0; i < 1500; ++i) s.spawn(wait_shielded, std::ref(release));
    ex.run_ready();
    const shutdown_report r = s.blocking_shutdown({.drain = 0s, .stop = 0s});
    EXPECT_EQ(r.abandoned(), 1500U);
    EXPECT_EQ(r.stragglers.size(), 1000U);
    release.set();
    s.blocking_join();
}

TEST_F(shutdowns, of_an_ended_scope_report_nothing) {
    task_scope s{ex};
    s.spawn([] {});
    s.blocking_join();
    const shutdown_report r = s.blocking_shutdown();
    EXPECT_EQ(r.drained() + r.stopped() + r.abandoned(), 0U);
}

class shutdown_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, shutdown_races, testing::Values(1, 2, 8));

// cases: T358
TEST_P(shutdown_races, from_a_foreign_thread_against_spawns_and_completions) {
    for (int round = 0; round < 100; ++round) {
        task_scope top{ex};
        task_scope below{top};
        std::atomic<int> admitted{0};
        std::atomic<int> ended{0};
        std::thread spawner([&] {
            for (int i = 0; i < 50; ++i) {
                const bool in = below.try_spawn([&]() -> task<> {
                    co_await yield();
                    ended.fetch_add(1);
                });
                if (in) admitted.fetch_add(1);
            }
        });
        const shutdown_report r = top.blocking_shutdown({.drain = 10s, .stop = 10s});
        spawner.join();
        ASSERT_TRUE(r.complete());
        ASSERT_EQ(r.stopped(), 0U);
        ASSERT_EQ(ended.load(), admitted.load());
        ASSERT_TRUE(below.has_ended());
    }
}

TEST_P(shutdown_races, with_no_time_report_only_children_that_exist) {
    for (int round = 0; round < 300; ++round) {
        task_scope top{ex};
        task_scope middle{top};
        task_scope below{middle};
        async_event release;
        if (round % 2 == 0) below.spawn(wait_for, std::ref(release));
        const shutdown_report r = top.blocking_shutdown({.drain = 0s, .stop = 0s});
        ASSERT_EQ(r.stragglers.size(), r.abandoned());
        ASSERT_LE(r.drained() + r.stopped() + r.abandoned(), round % 2 == 0 ? 1U : 0U);
        if (round % 2 != 0) {
            ASSERT_EQ(r.abandoned(), 0U);
        }
        below.blocking_join();
        middle.blocking_join();
        top.blocking_join();
    }
}

// cases: T358
TEST_P(shutdown_races, of_two_threads_and_a_child_agree) {
    for (int round = 0; round < 100; ++round) {
        task_scope s{ex};
        for (int i = 0; i < 4; ++i) s.spawn([]() -> task<> { co_await sleep_for(1h); });
        s.spawn([&]() -> task<> { co_await s.shutdown({.drain = 0s, .stop = 10s}); });
        std::string other;
        std::thread second([&] { other = s.blocking_shutdown({.drain = 0s, .stop = 10s}).text(); });
        const std::string mine = s.blocking_shutdown({.drain = 0s, .stop = 10s}).text();
        second.join();
        ASSERT_EQ(mine, other);
        ASSERT_TRUE(s.has_ended());
    }
}

TEST_P(shutdown_races, of_giving_up_against_the_last_child_and_destruction) {
    for (int round = 0; round < 300; ++round) {
        const auto release = std::make_shared<async_event>();
        std::thread releaser;
        {
            task_scope s{ex};
            s.spawn([release]() -> task<> { co_await release->wait_shielded(); });
            releaser = std::thread([release] { release->set(); });
            const shutdown_report r = s.blocking_shutdown({.drain = 0s, .stop = 0s});
            ASSERT_LE(r.abandoned(), 1U);
            ASSERT_EQ(r.stragglers.size(), r.abandoned());
        }
        releaser.join();
    }
    // Abandoned children may be on their way out still; the executor waits for them.
}

}  // namespace
}  // namespace taskscope::test
