// tests/scope/scope_policy_test.cpp - what a scope asks its policy, when, and what comes of the answers.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/policies.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>

#include <atomic>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class scope_policies : public ledger_test {
protected:
    manual_executor ex;
    std::vector<std::string> seen;
};

std::string text(const child_completion& c) {
    switch (c.kind) {
        case completion_kind::value:
            return "value";
        case completion_kind::error:
            return "error " + describe(c.failure->error);
        case completion_kind::stopped:
            return "stopped";
    }
    return "?";
}

task<> fail_late(std::string what) {
    co_await sleep_for(1ms);
    throw boom(what);
}

/// Writes down everything it is asked.
struct witness {
    std::vector<std::string>& seen;
    disposition answer = disposition::handled;
    std::string name = {};

    disposition child_completed(const child_completion& c) {
        seen.push_back(name + "child: " + text(c));
        return answer;
    }
    disposition body_completed(const child_completion& c) {
        seen.push_back(name + "body: " + text(c));
        return answer;
    }
    disposition error_below(const error_context& e) {
        seen.push_back(name + "below: " + describe(e.error) + " from " + std::string(e.scope_path));
        return answer;
    }
    void result() { seen.push_back(name + "result"); }
};

TEST_F(scope_policies, see_each_child_the_body_and_the_join_in_this_order) {
    run(ex, [&]() -> task<> {
        const scope_options options{.name = "s", .policy = witness{seen}};
        const auto body = [&](task_scope& s) -> task<> {
            s.spawn([] {});
            s.spawn(throw_boom);
            s.spawn([]() -> task<> { co_await sleep_for(1h); });
            co_await sleep_for(1ms);
            s.request_stop();
        };
        co_await with_scope(options, body);
        seen.emplace_back("after");
    });
    EXPECT_THAT(seen, ElementsAre("child: value", "child: error boom", "body: value",
                                  "child: stopped", "result", "after"));
}

struct errors_witness : witness {
    static constexpr bool errors_only = true;
};

TEST_F(scope_policies, that_ask_for_errors_only_are_not_told_of_the_rest) {
    task_scope s{ex, {.policy = errors_witness{{seen}}}};
    s.spawn([] {});
    s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("child: error boom", "result"));
}

TEST_F(scope_policies, get_the_error_of_a_body_which_is_thrown_all_the_same_if_they_do_not_throw) {
    std::string thrown;
    run(ex, [&]() -> task<> {
        const scope_options options{.name = "s", .policy = witness{seen}};
        const auto body = [](task_scope&) -> task<int> {
            throw boom("body");
            co_return 1;
        };
        try {
            co_await with_scope(options, body);
        } catch (const boom& e) {
            thrown = e.what();
        }
    });
    EXPECT_EQ(thrown, "body");
    EXPECT_THAT(seen, ElementsAre("body: error body", "result"));
}

TEST_F(scope_policies, may_throw_from_every_kind_of_join) {
    struct complains {
        void result() { throw boom("not so"); }
    };
    task_scope s{ex, {.policy = complains{}}};
    EXPECT_THROW(s.blocking_join(), boom);
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await s.join(); }), boom);
    const auto block = [&]() -> task<> {
        const scope_options options{.policy = complains{}};
        const auto body = [](task_scope&) -> task<> { co_return; };
        co_await with_scope(options, body);
    };
    EXPECT_THROW(run(ex, block), boom);
}

TEST_F(scope_policies, that_pass_an_error_on_leave_it_to_those_above) {
    task_scope a{ex, {.name = "a", .policy = witness{seen, disposition::handled, "a "}}};
    task_scope b{a, {.name = "b", .policy = witness{seen, disposition::pass_on, "b "}}};
    task_scope c{b, {.name = "c", .policy = witness{seen, disposition::pass_on, "c "}}};
    c.spawn(throw_boom);
    c.blocking_join();
    EXPECT_THAT(seen, ElementsAre("c child: error boom", "b below: boom from /a/b/c",
                                  "a below: boom from /a/b/c", "c result"));
    EXPECT_FALSE(a.has_errors());
}

TEST_F(scope_policies, that_escalate_make_it_the_error_of_a_child_of_the_scope_above) {
    task_scope a{ex, {.name = "a", .policy = witness{seen, disposition::handled, "a "}}};
    task_scope b{a, {.name = "b", .policy = escalate_errors{}}};
    task_scope c{b, {.name = "c", .policy = escalate_errors{}}};
    c.spawn(throw_boom);
    c.blocking_join();
    EXPECT_THAT(seen, ElementsAre("a child: error boom"));
    EXPECT_TRUE(b.has_errors());
    EXPECT_TRUE(a.has_errors());
    EXPECT_EQ(a.counts().failed, 1U);
}

TEST_F(scope_policies, in_a_stack_are_asked_in_turn_until_one_has_handled_the_error) {
    task_scope s{ex,
                 {.policy = stack(witness{seen, disposition::pass_on, "1 "},
                                  witness{seen, disposition::handled, "2 "},
                                  witness{seen, disposition::handled, "3 "})}};
    s.spawn(throw_boom);
    s.spawn([] {});
    s.blocking_join();
    EXPECT_THAT(
        seen, ElementsAre("1 child: error boom", "2 child: error boom", "1 child: value",
                          "2 child: value", "3 child: value", "1 result", "2 result", "3 result"));
}

TEST_F(scope_policies, in_a_stack_may_be_a_function_and_ignoring) {
    const auto note = [&](const error_context& e) { seen.push_back(describe(e.error)); };
    task_scope s{ex, {.policy = stack(fail_fast{}, note)}};
    task_scope quiet{s, {.policy = stack(fail_fast{}, ignore_errors)}};
    task_scope below{quiet};
    s.spawn(fail_late, "own");
    quiet.spawn(fail_late, "ignored");
    below.spawn(fail_late, "from below");
    below.blocking_join();
    quiet.blocking_join();
    s.blocking_join();
    EXPECT_THAT(seen, testing::UnorderedElementsAre("own", "from below"));
    EXPECT_TRUE(quiet.stop_requested());
}

// cases: T145, T150
TEST_F(scope_policies, that_throw_lose_neither_error) {
    struct throws {
        disposition child_completed(const child_completion& c) {
            if (c.kind == completion_kind::stopped) return disposition::handled;
            throw boom("policy");
        }
    };
    ex.root().set_policy([&](const error_context& e) {
        seen.push_back(describe(e.error) + " in " + std::string(e.scope_path));
    });
    task_scope s{ex, {.name = "s", .policy = throws{}}};
    s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("boom in /s", "policy in /s"));
    seen.clear();
    task_scope t{ex, {.name = "t", .policy = throws{}}};
    t.spawn([] {});
    t.blocking_join();
    EXPECT_THAT(seen, ElementsAre("policy in /t"));
    EXPECT_EQ(s.counts().handler_failures, 1U);
    EXPECT_EQ(t.counts().handler_failures, 1U);
}

TEST_F(scope_policies, are_shared_by_scopes_that_are_given_the_same) {
    const last_errors kept(4);
    task_scope a{ex, {.name = "a", .policy = stack(kept, ignore_errors)}};
    task_scope b{ex, {.name = "b", .policy = stack(kept, ignore_errors)}};
    a.spawn(throw_boom);
    a.blocking_join();
    b.spawn(throw_boom);
    b.blocking_join();
    EXPECT_EQ(kept.errors().size(), 2U);
}

TEST_F(scope_policies, can_be_replaced_while_children_run) {
    task_scope s{ex, {.policy = witness{seen}}};
    s.spawn(throw_boom);
    run(ex, []() -> task<> { co_await sleep_for(1ms); });
    s.set_policy(ignore_errors);
    s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("child: error boom"));
}

TEST_P(on_workers, a_policy_is_told_of_every_completion_once) {
    struct counts {
        struct numbers {
            std::atomic<int> values{0};
            std::atomic<int> errors{0};
            std::atomic<int> stops{0};
        };
        numbers& n;
        disposition child_completed(const child_completion& c) {
            auto& which = c.kind == completion_kind::value   ? n.values
                          : c.kind == completion_kind::error ? n.errors
                                                             : n.stops;
            which.fetch_add(1, std::memory_order_relaxed);
            return disposition::handled;
        }
    };
    counts::numbers n;
    executor pool{{.workers = GetParam()}};
    {
        task_scope s{pool, {.policy = counts{n}}};
        for (int i = 0; i < 2000; ++i) {
            if (i % 5 == 0) {
                s.spawn(throw_boom);
            } else if (i % 5 == 1) {
                s.spawn([]() -> task<> { co_await sleep_for(1h); });
            } else {
                s.spawn([] {});
            }
        }
        s.request_stop();
        s.blocking_join();
        EXPECT_EQ(n.values + n.errors + n.stops, 2000);
        EXPECT_EQ(static_cast<std::uint64_t>(n.errors.load()), s.counts().failed);
        EXPECT_EQ(static_cast<std::uint64_t>(n.stops.load()), s.counts().stopped);
    }
}

INSTANTIATE_TEST_SUITE_P(policies, on_workers, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace taskscope::test
