// tests/scope/task_history_test.cpp - which tasks there are, and were; and stopping one by its number.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <optional>
#include <vector>

namespace {

using namespace taskscope;
using namespace taskscope::test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class history : public ledger_test {
protected:
    void spawn(std::string_view name, std::chrono::milliseconds lasts) {
        ex.root().spawn(spawn_options{.name = name}, [lasts] { return sleep_for(lasts); });
    }
    static task<> sleep_for(std::chrono::milliseconds d) { co_await taskscope::sleep_for(d); }
    static std::vector<std::string> names(const std::vector<task_record>& all) {
        std::vector<std::string> result;
        for (const task_record& t : all) result.push_back(t.name);
        return result;
    }

    manual_executor ex;
};

// cases: T395
TEST_F(history, keeps_a_bounded_number_of_tasks_that_have_ended) {
    const task_history h(ex, 2);
    spawn("a", 3ms);
    spawn("b", 1ms);
    spawn("c", 2ms);
    EXPECT_THAT(names(h.live()), ElementsAre("a", "b", "c"));
    EXPECT_THAT(h.ended(), IsEmpty());
    ex.advance(2ms);
    EXPECT_THAT(names(h.live()), ElementsAre("a"));
    EXPECT_THAT(names(h.ended()), ElementsAre("b", "c"));
    ex.advance(1ms);
    EXPECT_THAT(h.live(), IsEmpty());
    EXPECT_THAT(names(h.ended()), ElementsAre("c", "a"));
}

TEST_F(history, tells_how_a_task_ended_where_it_was_made_and_how_long_it_lasted) {
    const task_history h(ex);
    ex.root().set_policy([](const error_context&) {});
    const unsigned line = std::source_location::current().line() + 2;
    task_scope app{ex, {.name = "app"}};
    app.spawn(sleep_for(5ms));
    ex.root().spawn(throw_boom());
    ex.run_ready();
    ex.advance(2ms);
    ASSERT_EQ(h.live().size(), 1U);
    EXPECT_EQ(h.live().front().lasted, 2ms);
    EXPECT_EQ(h.live().front().scope_path, "/app");
    EXPECT_EQ(h.live().front().ended, std::nullopt);
    app.request_stop();
    app.blocking_join();
    const auto ended = h.ended();
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_EQ(ended[0].ended, completion_kind::error);
    EXPECT_EQ(ended[0].error, "boom");
    EXPECT_EQ(ended[0].scope_path, "/");
    EXPECT_EQ(ended[1].ended, completion_kind::stopped);
    EXPECT_EQ(ended[1].spawned_at.line(), line);
    EXPECT_EQ(ended[1].lasted, 2ms);
}

// cases: T395
TEST_F(history, tells_who_spawned_whom_also_when_they_have_ended) {
    const task_history h(ex);
    ex.root().spawn(spawn_options{.name = "grandparent"}, [this] {
        ex.root().spawn(spawn_options{.name = "parent"}, [this] { spawn("child", 1ms); });
    });
    ex.run_ready();
    ASSERT_THAT(names(h.live()), ElementsAre("child"));
    EXPECT_THAT(names(h.creation_chain(h.live().front().id)),
                ElementsAre("child", "parent", "grandparent"));
    EXPECT_THAT(h.creation_chain(0), IsEmpty());
    ex.advance(1ms);
    const auto last = h.ended().back();
    EXPECT_THAT(names(h.creation_chain(last.id)), ElementsAre("child", "parent", "grandparent"));
}

// cases: T395
TEST_F(history, a_task_is_stopped_by_its_number_and_no_other) {
    const task_history h(ex);
    spawn("a", 5ms);
    spawn("b", 5ms);
    ex.run_ready();
    const child_id a = h.live().front().id;
    EXPECT_TRUE(h.request_stop(a));
    EXPECT_FALSE(h.request_stop(a)) << "it was asked before";
    ex.run_ready();
    EXPECT_THAT(names(h.live()), ElementsAre("b"));
    EXPECT_EQ(h.ended().front().ended, completion_kind::stopped);
    EXPECT_FALSE(h.request_stop(a)) << "it has ended";
    ex.advance(5ms);
    EXPECT_EQ(h.ended().back().ended, completion_kind::value);
}

TEST(histories, stop_children_by_number_while_they_end) {
    executor ex{{.workers = 2}};
    const task_history h(ex, 10);
    task_scope s{ex};
    for (int i = 0; i < 200; ++i) {
        for (int k = 0; k < 10; ++k) s.spawn([]() -> task<> { co_await sleep_for(10us); });
        for (const task_record& t : h.live()) h.request_stop(t.id);
    }
    s.blocking_join();
    EXPECT_THAT(h.live(), IsEmpty());
    EXPECT_EQ(h.ended().size(), 10U);
}

}  // namespace
