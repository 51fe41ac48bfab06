// tests/scope/shutdown_order_test.cpp - which scope is ended when, with whose time, and being in a hurry.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/errors.hpp>
#include <taskscope/policies.hpp>
#include <taskscope/shutdown.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_scope.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

class shutdown_orders : public ledger_test {
protected:
    /// Notes when it was asked to stop, and needs `d` after that.
    auto slow(std::string name, milliseconds d) {
        return [this, name, d]() -> task<> {
            co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
            seen.push_back(name + " asked at " + at());
            co_await shield(nap(d));
            seen.push_back(name + " over at " + at());
        };
    }
    static task<> nap(milliseconds d) { co_await sleep_for(d); }
    std::string at() const {
        return std::to_string(std::chrono::duration_cast<milliseconds>(ex.now() - began).count());
    }

    manual_executor ex;
    const executor::clock::time_point began = ex.now();
    std::vector<std::string> seen;
};

TEST_F(shutdown_orders, end_siblings_at_the_same_time_by_default) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    a.spawn(slow("a", 10ms));
    b.spawn(slow("b", 10ms));
    ex.run_ready();
    const shutdown_report r = top.blocking_shutdown({.drain = 0ms, .stop = 1s});
    EXPECT_TRUE(r.complete());
    EXPECT_EQ(r.took, 10ms);
}

// cases: T339
TEST_F(shutdown_orders, end_the_newest_sibling_first_on_request) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    task_scope c{top, {.name = "c"}};
    a.spawn(slow("a", 10ms));
    b.spawn(slow("b", 10ms));
    c.spawn(slow("c", 10ms));
    ex.run_ready();
    const shutdown_report r =
        top.blocking_shutdown({.drain = 0ms, .stop = 1s, .order = shutdown_order::newest_first});
    EXPECT_TRUE(r.complete());
    EXPECT_THAT(seen, ElementsAre("c asked at 0", "c over at 10", "b asked at 10", "b over at 20",
                                  "a asked at 20", "a over at 30"));
}

// cases: S20, S37
TEST_F(shutdown_orders, end_a_scope_before_the_one_it_depends_on) {
    task_scope top{ex, {.name = "top"}};
    task_scope pool{top, {.name = "pool"}};
    task_scope handlers{top, {.name = "handlers"}};
    task_scope timers{top, {.name = "timers"}};
    handlers.depends_on(pool);
    timers.depends_on(pool);
    pool.spawn(slow("pool", 1ms));
    handlers.spawn(slow("handlers", 10ms));
    timers.spawn(slow("timers", 20ms));
    ex.run_ready();
    EXPECT_TRUE(top.blocking_shutdown({.drain = 0ms, .stop = 1s}).complete());
    EXPECT_THAT(seen, ElementsAre("timers asked at 0", "handlers asked at 0", "handlers over at 10",
                                  "timers over at 20", "pool asked at 20", "pool over at 21"));
}

TEST_F(shutdown_orders, what_is_declared_goes_before_newest_first) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    a.depends_on(b);
    a.spawn(slow("a", 1ms));
    b.spawn(slow("b", 1ms));
    ex.run_ready();
    EXPECT_TRUE(
        top.blocking_shutdown({.drain = 0ms, .stop = 1s, .order = shutdown_order::newest_first})
            .complete());
    EXPECT_THAT(seen, ElementsAre("a asked at 0", "a over at 1", "b asked at 1", "b over at 2"));
}

TEST_F(shutdown_orders, refuse_dependencies_that_go_round_or_leave_the_scope) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    task_scope c{top, {.name = "c"}};
    task_scope inner{a, {.name = "inner"}};
    a.depends_on(b);
    b.depends_on(c);
    try {
        c.depends_on(a);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const misuse_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("scope a depends on c already"));
    }
    EXPECT_THROW(a.depends_on(a), misuse_error);
    EXPECT_THROW(inner.depends_on(b), misuse_error);
    EXPECT_TRUE(top.blocking_shutdown().complete());
}

TEST_F(shutdown_orders, leave_each_scope_that_has_to_wait_its_share_of_the_time) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b"}};
    async_event never;
    b.spawn({.name = "straggler"}, wait_shielded, std::ref(never));
    a.spawn(slow("a", 100ms));
    ex.run_ready();
    const shutdown_report r =
        top.blocking_shutdown({.drain = 0ms, .stop = 1s, .order = shutdown_order::newest_first});
    ASSERT_EQ(r.stragglers.size(), 1U);
    EXPECT_EQ(r.stragglers[0].name, "straggler");
    EXPECT_THAT(seen, ElementsAre("a asked at 250", "a over at 350"));
    EXPECT_TRUE(a.has_ended());
    never.set();
    ex.run_ready();
}

// cases: S23
TEST_F(shutdown_orders, give_a_scope_no_more_than_its_own_limits) {
    task_scope top{ex, {.name = "top"}};
    task_scope hasty{top,
                     {.name = "hasty", .limits = shutdown_limits{.drain = 10ms, .stop = 20ms}}};
    task_scope below{hasty, {.name = "below"}};
    task_scope other{top, {.name = "other"}};
    async_event never;
    hasty.spawn({.name = "stubborn"}, wait_shielded, std::ref(never));
    below.spawn(slow("below", 5ms));
    other.spawn(slow("other", 5ms));
    ex.run_ready();
    const shutdown_report r = top.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_THAT(seen, ElementsAre("below asked at 10", "below over at 15", "other asked at 1000",
                                  "other over at 1005"));
    ASSERT_EQ(r.stragglers.size(), 1U);
    EXPECT_EQ(r.stragglers[0].scope_path, "/top/hasty");
    for (const scope_shutdown& s : r.scopes) {
        if (s.path == "/top/hasty") {
            EXPECT_EQ(s.took, 30ms);
        }
    }
    never.set();
    ex.run_ready();
}

TEST_F(shutdown_orders, clip_own_limits_by_what_is_left_above) {
    task_scope top{ex, {.name = "top"}};
    task_scope s{top, {.name = "s", .limits = shutdown_limits{.drain = 1h, .stop = 1h}}};
    async_event never;
    s.spawn(wait_shielded, std::ref(never));
    ex.run_ready();
    const shutdown_report r = top.blocking_shutdown({.drain = 10ms, .stop = 20ms});
    EXPECT_EQ(r.took, 30ms);
    EXPECT_EQ(r.stragglers.size(), 1U);
    never.set();
    ex.run_ready();
}

/// Fails when it is asked to stop.
task<> fail_at_stop() {
    co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
    throw boom("cleanup");
}

// cases: T340
TEST_F(shutdown_orders, are_cut_short_by_an_error_that_escalates_to_a_group) {
    task_group top{ex, {.name = "top"}};
    task_scope a{top.scope(), {.name = "a"}};
    task_scope b{top.scope(), {.name = "b"}};
    task_scope c{top.scope(), {.name = "c", .policy = escalate_errors{}}};
    a.spawn(slow("a", 1ms));
    b.spawn(slow("b", 1ms));
    c.spawn([]() -> task<> {
        co_await sleep_for(5ms);
        throw boom("c");
    });
    ex.run_ready();
    const shutdown_report r = top.scope().blocking_shutdown(
        {.drain = 1h, .stop = 1s, .order = shutdown_order::newest_first});
    EXPECT_TRUE(r.complete());
    EXPECT_THAT(seen, testing::UnorderedElementsAre("b asked at 5", "b over at 6", "a asked at 5",
                                                    "a over at 6"));
    EXPECT_THROW(top.blocking_join(), exception_group);
}

// cases: T341
TEST_F(shutdown_orders, keep_their_order_when_errors_are_only_collected_and_come_out_at_the_end) {
    const collect_errors all;
    task_scope top{ex, {.name = "top", .policy = all}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b", .policy = escalate_errors{}}};
    a.spawn(slow("a", 1ms));
    b.spawn(fail_at_stop);
    b.spawn(slow("b", 5ms));
    ex.run_ready();
    EXPECT_TRUE(
        top.blocking_shutdown({.drain = 0ms, .stop = 1s, .order = shutdown_order::newest_first})
            .complete());
    EXPECT_THAT(seen, ElementsAre("b asked at 0", "b over at 5", "a asked at 5", "a over at 6"));
    EXPECT_THROW(top.blocking_join(), exception_group);
}

// cases: T343
TEST_F(shutdown_orders, are_not_changed_by_errors_that_are_ignored) {
    task_scope top{ex, {.name = "top"}};
    task_scope a{top, {.name = "a"}};
    task_scope b{top, {.name = "b", .policy = ignore_errors}};
    a.spawn(slow("a", 1ms));
    b.spawn(fail_at_stop);
    b.spawn(slow("b", 5ms));
    ex.run_ready();
    EXPECT_TRUE(
        top.blocking_shutdown({.drain = 0ms, .stop = 1s, .order = shutdown_order::newest_first})
            .complete());
    EXPECT_THAT(seen, ElementsAre("b asked at 0", "b over at 5", "a asked at 5", "a over at 6"));
}

TEST_F(shutdown_orders, are_hurried_by_a_second_call_with_less_time) {
    task_scope top{ex, {.name = "top"}};
    task_scope s{top, {.name = "s"}};
    s.spawn(slow("s", 5ms));
    std::optional<shutdown_report> first;
    std::optional<shutdown_report> second;
    task_scope outside{ex};
    outside.spawn([&]() -> task<> { first = co_await top.shutdown({.drain = 1h, .stop = 1h}); });
    outside.spawn([&]() -> task<> {
        co_await sleep_for(10ms);
        second = co_await top.shutdown({.drain = 10ms, .stop = 1s});
    });
    outside.blocking_join();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->took, 25ms);
    EXPECT_EQ(second->took, 25ms);
    EXPECT_THAT(seen, ElementsAre("s asked at 20", "s over at 25"));
}

TEST_F(shutdown_orders, are_hurried_while_they_wait_for_what_was_stopped) {
    task_scope top{ex, {.name = "top"}};
    async_event never;
    top.spawn(wait_shielded, std::ref(never));
    ex.run_ready();
    std::optional<shutdown_report> first;
    task_scope outside{ex};
    outside.spawn([&]() -> task<> { first = co_await top.shutdown({.drain = 0ms, .stop = 1h}); });
    outside.spawn([&]() -> task<> {
        co_await sleep_for(10ms);
        (void)co_await top.shutdown({.drain = 0ms, .stop = 5ms});
    });
    outside.blocking_join();
    EXPECT_EQ(first->took, 15ms);
    EXPECT_EQ(first->stragglers.size(), 1U);
    never.set();
    ex.run_ready();
}

TEST_F(shutdown_orders, are_not_slowed_down_by_a_second_call_with_more_time) {
    task_scope top{ex, {.name = "top"}};
    top.spawn(slow("top", 0ms));
    ex.run_ready();
    task_scope outside{ex};
    outside.spawn([&]() -> task<> { (void)co_await top.shutdown({.drain = 10ms, .stop = 1s}); });
    outside.spawn([&]() -> task<> { (void)co_await top.shutdown({.drain = 1h, .stop = 1h}); });
    outside.blocking_join();
    EXPECT_EQ(at(), "10");
}

}  // namespace
}  // namespace taskscope::test
