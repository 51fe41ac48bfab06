// tests/scope/policies_test.cpp - the policies that come with the library.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/policies.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class policies : public ledger_test {
protected:
    manual_executor ex;
};

std::vector<std::string> texts(const std::vector<recorded_error>& errors) {
    std::vector<std::string> result;
    for (const recorded_error& e : errors) result.push_back(describe(e.error));
    return result;
}

task<> value_after(std::chrono::milliseconds d) { co_await sleep_for(d); }
task<> error_after(std::chrono::milliseconds d, std::string what) {
    co_await sleep_for(d);
    throw boom(what);
}

// cases: T124, S14
TEST_F(policies, fail_fast_alone_stops_the_others_and_leaves_the_error_to_the_scopes_above) {
    std::vector<std::string> above;
    ex.root().set_policy([&](const error_context& e) { above.push_back(describe(e.error)); });
    task_scope s{ex, {.policy = fail_fast{}}};
    s.spawn(error_after, 1ms, "first");
    s.spawn(value_after, 1h);
    s.blocking_join();
    EXPECT_THAT(above, ElementsAre("first"));
    EXPECT_EQ(s.counts().stopped, 1U);
}

TEST_F(policies, collect_errors_alone_lets_the_others_go_on_and_throws_all_of_them) {
    task_scope s{ex, {.name = "s", .policy = collect_errors{}}};
    s.spawn(error_after, 2ms, "late");
    s.spawn(error_after, 1ms, "early");
    s.spawn(value_after, 3ms);
    try {
        s.blocking_join();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const exception_group& g) {
        EXPECT_THAT(texts(g.errors()), ElementsAre("early", "late"));
        EXPECT_EQ(g.message(), "taskscope: errors in /s");
    }
    EXPECT_EQ(s.counts().stopped, 0U);
    s.blocking_join();  // they are told once
}

// cases: T009
TEST_F(policies, collect_errors_that_no_join_has_asked_for_are_printed) {
    testing::internal::CaptureStderr();
    {
        task_group g{ex, {.name = "g"}};
        g.spawn({.name = "child"}, throw_boom);
        ex.run_ready();
    }
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        HasSubstr("an error that no join has thrown: boom [child in /g, policies_test.cpp:"));
}

TEST_F(policies, collect_errors_throws_a_single_error_bare_if_it_shall) {
    const auto single = collect_errors::single::bare;
    task_group one{ex, {.single_error = single}};
    one.spawn(throw_boom);
    EXPECT_THROW(one.blocking_join(), boom);
    task_group two{ex, {.single_error = single}};
    two.spawn(throw_boom);
    two.spawn(throw_boom);
    EXPECT_THROW(two.blocking_join(), exception_group);
    const auto block = [&]() -> task<> {
        const group_options options{.name = "g", .single_error = single};
        const auto body = [](task_group& g) -> task<> {
            g.spawn(throw_boom);
            co_return;
        };
        co_await with_group(options, body);
    };
    EXPECT_THROW(run(ex, block), boom);
}

TEST_F(policies, an_error_that_comes_by_child_and_body_is_in_the_group_once) {
    std::vector<std::string> thrown;
    run(ex, [&]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            auto h = g.spawn_future(throw_boom);
            co_await std::move(h);
        };
        try {
            co_await with_group(body);
        } catch (const exception_group& g) {
            thrown = texts(g.errors());
        }
    });
    EXPECT_THAT(thrown, ElementsAre("boom"));
}

// cases: T371, S8
TEST_F(policies, last_errors_keeps_the_last_ones_counts_the_rest_and_passes_all_on) {
    std::size_t above = 0;
    ex.root().set_policy([&](const error_context&) { ++above; });
    const last_errors kept(3);
    {
        task_scope s{ex, {.name = "jobs", .policy = kept}};
        for (int i = 0; i < 10; ++i) s.spawn(error_after, i * 1ms, std::to_string(i));
        s.blocking_join();
    }
    EXPECT_THAT(texts(kept.errors()), ElementsAre("7", "8", "9"));
    EXPECT_EQ(kept.errors()[0].scope_path, "/jobs");
    EXPECT_THAT(kept.errors()[0].text(), HasSubstr("7 [/jobs, policies_test.cpp:"));
    EXPECT_EQ(kept.dropped(), 7U);
    EXPECT_EQ(above, 10U);
}

TEST_F(policies, last_errors_of_nothing_is_refused) {
    EXPECT_THROW(last_errors(0), std::invalid_argument);
}

TEST_F(policies, quorum_stops_the_rest_when_enough_have_success) {
    task_scope s{ex, {.policy = quorum(2)}};
    s.spawn(value_after, 1ms);
    s.spawn(error_after, 2ms, "no");
    s.spawn(value_after, 3ms);
    s.spawn(value_after, 1h);
    const auto before = ex.now();
    s.blocking_join();
    EXPECT_EQ(ex.now() - before, 3ms);
    EXPECT_EQ(s.counts().stopped, 1U);
}

TEST_F(policies, quorum_that_is_missed_throws_with_the_errors_there_were) {
    task_scope s{ex, {.policy = quorum(2)}};
    s.spawn(value_after, 1ms);
    s.spawn(error_after, 2ms, "no");
    try {
        s.blocking_join();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const quorum_missed& e) {
        EXPECT_THAT(e.what(), HasSubstr("1 of 2 needed children had success (1 error): no ["));
        EXPECT_THAT(texts(e.errors()), ElementsAre("no"));
    }
}

TEST_F(policies, an_escalated_error_stops_the_group_above_and_is_among_its_errors) {
    std::vector<recorded_error> thrown;
    run(ex, [&]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            task_scope& workers =
                *new task_scope(g.scope(), {.name = "workers", .policy = escalate_errors{}});
            workers.spawn(error_after, 1ms, "worker");
            const auto joined = [&workers]() -> task<> {
                co_await workers.join();
                delete &workers;
            };
            g.spawn(value_after, 1h);
            co_await joined();
        };
        try {
            co_await with_group("app", body);
        } catch (const exception_group& g) {
            thrown = g.errors();
        }
    });
    EXPECT_THAT(texts(thrown), ElementsAre("worker"));
    EXPECT_EQ(thrown.at(0).scope_path, "/app/workers");
}

}  // namespace
}  // namespace taskscope::test
