// tests/scope/stop_reason_test.cpp - why a scope was asked to stop: the first reason, from whichever scope it came.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/policies.hpp>
#include <taskscope/scope_tree.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>

#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class stop_reasons : public ledger_test {
protected:
    manual_executor ex;
};

TEST_F(stop_reasons, are_there_after_a_request_with_kind_text_place_and_time) {
    task_scope s{ex, {.name = "s"}};
    EXPECT_EQ(s.stop_reason(), nullptr);
    ex.advance(3ms);
    const auto when = ex.now();
    s.request_stop(stop_kind::request, "maintenance");
    ex.advance(3ms);
    const auto why = s.stop_reason();
    ASSERT_NE(why, nullptr);
    EXPECT_EQ(why->kind, stop_kind::request);
    EXPECT_EQ(why->text, "maintenance");
    EXPECT_EQ(why->scope_path, "/s");
    EXPECT_EQ(why->when, when);
    s.blocking_join();
}

// cases: T196, T233
TEST_F(stop_reasons, the_first_one_stays) {
    task_scope s{ex};
    EXPECT_TRUE(s.request_stop(stop_kind::request, "first"));
    EXPECT_FALSE(s.request_stop(stop_kind::error, "second"));
    EXPECT_EQ(s.stop_reason()->text, "first");
    s.blocking_join();
}

// cases: T160
TEST_F(stop_reasons, are_seen_by_every_child) {
    std::vector<std::string> seen;
    task_scope s{ex, {.name = "s"}};
    const auto child = [&]() -> task<> {
        co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
        seen.push_back(current_scope().stop_reason()->text);
    };
    for (int i = 0; i < 5; ++i) s.spawn(child);
    ex.run_ready();
    s.request_stop(stop_kind::request, "maintenance");
    s.blocking_join();
    EXPECT_EQ(seen, std::vector<std::string>(5, "maintenance"));
}

// cases: T140, T235
TEST_F(stop_reasons, come_from_the_scope_above_if_that_was_stopped_first) {
    task_scope a{ex, {.name = "a"}};
    task_scope b{a, {.name = "b"}};
    task_scope c{a, {.name = "c"}};
    c.request_stop(stop_kind::request, "only c");
    ex.advance(1ms);
    a.request_stop(stop_kind::request, "all");
    ex.advance(1ms);
    b.request_stop(stop_kind::request, "too late");
    EXPECT_EQ(b.stop_reason()->text, "all");
    EXPECT_EQ(b.stop_reason()->scope_path, "/a");
    EXPECT_EQ(b.stop_reason(), a.stop_reason());  // the very same
    EXPECT_EQ(c.stop_reason()->text, "only c");
    c.blocking_join();
    b.blocking_join();
    a.blocking_join();
}

TEST_F(stop_reasons, of_a_group_are_its_first_error) {
    task_group g{ex, {.name = "g"}};
    g.spawn(throw_boom);
    g.spawn([]() -> task<> { co_await sleep_for(1h); });
    EXPECT_THROW(g.blocking_join(), exception_group);
    EXPECT_EQ(g.scope().stop_reason()->kind, stop_kind::error);
    EXPECT_EQ(g.scope().stop_reason()->text, "boom");
}

// cases: S24
TEST_F(stop_reasons, of_a_shutdown_a_quorum_a_body_and_an_outer_task_are_told_apart) {
    task_scope down{ex};
    down.spawn([]() -> task<> { co_await sleep_for(1h); });
    down.blocking_shutdown({.drain = 0ms, .stop = 1s});
    EXPECT_EQ(down.stop_reason()->kind, stop_kind::shutdown);

    task_scope enough{ex, {.policy = quorum(1)}};
    enough.spawn([] {});
    enough.blocking_join();
    EXPECT_EQ(enough.stop_reason()->kind, stop_kind::enough);

    std::vector<stop_kind> kinds;
    const auto waits = [&](bool fails) {
        return [&, fails](task_scope& s) -> task<> {
            s.defer([&] { kinds.push_back(s.stop_reason()->kind); });
            if (fails) throw boom();
            co_await sleep_for(1h);
        };
    };
    const auto failing = waits(true);
    const auto waiting = waits(false);
    const auto fails = [&]() -> task<> { co_await with_scope(failing); };
    const auto is_stopped = [&]() -> task<> { co_await with_scope(waiting); };
    task_scope around{ex, {.policy = ignore_errors}};
    around.spawn(fails);
    auto handle = around.spawn_future(is_stopped);
    ex.run_ready();
    handle.request_stop();
    around.blocking_join();
    EXPECT_THAT(kinds, ElementsAre(stop_kind::error, stop_kind::outer));
}

TEST_F(stop_reasons, are_shown_in_descriptions_and_dumps) {
    task_scope s{ex, {.name = "s"}};
    s.request_stop(stop_kind::request, "maintenance");
    EXPECT_THAT(s.describe(), HasSubstr("stop requested (request: maintenance)"));
    EXPECT_THAT(dump(s, format::json),
                HasSubstr(R"("stop_kind":"request","stop_text":"maintenance","stop_scope":"/s")"));
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
