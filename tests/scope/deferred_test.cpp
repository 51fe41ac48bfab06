// tests/scope/deferred_test.cpp - functions that are called when the members of a scope are gone.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_local.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class deferred : public ledger_test {
protected:
    auto note(std::string what, std::chrono::milliseconds d = 0ms) {
        return [this, what, d]() -> task<> {
            if (d > 0ms) co_await sleep_for(d);
            seen.push_back(what);
        };
    }
    auto fails(std::string what) {
        return [what]() -> task<> {
            co_await sleep_for(1ms);
            throw boom(what);
        };
    }

    manual_executor ex;
    std::vector<std::string> seen;
};

// cases: S20, S51
TEST_F(deferred, functions_are_called_after_the_children_the_last_one_first_and_before_the_join) {
    run(ex, [&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            s.defer(note("pool", 5ms));
            s.defer(note("cache", 1ms));
            s.spawn(note("child", 10ms));
            seen.emplace_back("body");
            co_return;
        };
        co_await with_scope(body);
        seen.emplace_back("after");
    });
    EXPECT_THAT(seen, ElementsAre("body", "child", "cache", "pool", "after"));
}

// The last child is gone when the function is called, and the locals that were its own.
TEST_F(deferred, functions_are_called_on_behalf_of_their_scope_whoever_left_last) {
    const task_local<std::string> who;
    task_scope s{ex, {.name = "s"}};
    const auto function = note("function");
    const auto see = [&] {
        seen.push_back(current_scope().path() + ' ' + who.get_or("nobody"));
        return function();
    };
    s.defer(see);
    run(ex, [&]() -> task<> {
        const auto spawn_one = [&]() -> task<> {
            s.spawn([&] { seen.push_back(who.get()); });
            co_return;
        };
        co_await with_local(who, "child", spawn_one());
    });
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("child", "/s nobody", "function"));
}

TEST_F(deferred, functions_run_when_a_scope_without_members_is_joined) {
    task_scope s{ex};
    s.defer(note("done"));
    EXPECT_TRUE(seen.empty());
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("done"));
    EXPECT_EQ(s.counts().spawned, 1U);
}

TEST_F(deferred, functions_are_not_stopped_with_the_children) {
    task_scope s{ex};
    s.defer(note("cleaned", 5ms));
    s.spawn(note("never", 1h));
    ex.run_ready();
    s.request_stop();
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("cleaned"));
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: S51
TEST_F(deferred,
       functions_that_fail_do_not_keep_the_others_from_running_and_their_errors_are_told) {
    std::vector<std::string> errors;
    run(ex, [&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.defer(note("first"));
            g.defer(fails("second"));
            g.defer([]() -> task<> { throw boom("third"); });  // no coroutine
            g.spawn(fails("child"));
            co_return;
        };
        try {
            co_await with_group(body);
        } catch (const exception_group& e) {
            for (const recorded_error& one : e.errors()) errors.push_back(describe(one.error));
        }
    });
    EXPECT_THAT(errors, ElementsAre("child", "third", "second"));
    EXPECT_THAT(seen, ElementsAre("first"));
}

TEST_F(deferred, functions_all_of_which_fail_at_once_let_the_scope_end) {
    task_scope s{ex, {.policy = ignore_errors}};
    for (int i = 0; i < 3; ++i) s.defer([]() -> task<> { throw boom(); });
    s.blocking_join();
    EXPECT_EQ(s.counts().failed, 3U);
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(deferred, functions_need_not_be_coroutines_and_keep_their_arguments) {
    task_scope s{ex};
    auto held = std::make_shared<int>(5);
    s.defer(
        {.name = "sum"},
        [&](const std::shared_ptr<int>& p, int n) { seen.push_back(std::to_string(*p + n)); },
        std::move(held), 2);
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("7"));
}

TEST_F(deferred, functions_can_be_given_by_children_and_by_deferred_functions) {
    task_scope s{ex};
    s.spawn([&] { s.defer(note("from a child")); });
    s.defer([&] {
        seen.emplace_back("first");
        s.defer(note("from the first"));
    });
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("from a child", "first", "from the first"));
}

TEST_F(deferred, functions_can_open_blocks_and_spawn_nothing) {
    task_scope s{ex, {.name = "s", .policy = [&](const error_context& e) {
                          seen.push_back(describe(e.error));
                      }}};
    s.defer([&]() -> task<> {
        const auto body = [&](task_scope& inner) -> task<> {
            inner.spawn(note("in a block"));
            co_return;
        };
        co_await with_scope("block", body);
        current_scope().spawn(note("never"));
    });
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("in a block", HasSubstr("scope /s is closed")));
}

TEST_F(deferred, functions_of_an_inner_scope_run_before_those_of_the_outer) {
    task_scope outer{ex};
    task_scope inner{outer};
    outer.defer(note("outer"));
    inner.defer(note("inner", 5ms));
    run(ex, [&]() -> task<> {
        co_await inner.join();
        co_await outer.join();
    });
    EXPECT_THAT(seen, ElementsAre("inner", "outer"));
}

TEST_F(deferred, functions_are_refused_by_a_scope_that_has_ended) {
    task_scope s{ex};
    s.blocking_join();
    EXPECT_THROW(s.defer(note("never")), scope_closed);
}

TEST_F(deferred, functions_run_in_a_shutdown_and_one_that_takes_too_long_is_named) {
    task_scope s{ex, {.name = "s"}};
    async_event never;
    s.defer(note("quick"));
    const shutdown_report quick = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_TRUE(quick.complete());
    EXPECT_THAT(seen, ElementsAre("quick"));
    task_scope t{ex, {.name = "t"}};
    t.defer({.name = "slow"}, wait_for, std::ref(never));
    const shutdown_report slow = t.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_FALSE(slow.complete());
    ASSERT_EQ(slow.stragglers.size(), 1U);
    EXPECT_EQ(slow.stragglers[0].name, "slow");
    never.set();
    ex.run_ready();
}

TEST_P(on_workers, deferred_functions_run_once_after_all_children_whoever_joins) {
    executor pool{{.workers = GetParam()}};
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> children{0};
        std::atomic<int> seen_by_cleanup{-1};
        task_scope s{pool};
        s.defer([&]() -> task<> {
            seen_by_cleanup = children.load();
            co_await yield();
        });
        for (int i = 0; i < 8; ++i) s.spawn([&] { ++children; });
        s.blocking_join();
        ASSERT_EQ(seen_by_cleanup, 8);
    }
}

INSTANTIATE_TEST_SUITE_P(deferred, on_workers, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace taskscope::test
