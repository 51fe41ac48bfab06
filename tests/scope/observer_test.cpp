// tests/scope/observer_test.cpp - what observers are told, and in which order.
// SPDX-License-Identifier: MIT
#include "recorder.hpp"

#include <taskscope/detail/frame_meter.hpp>

#include <map>
#include <memory>

namespace {

using namespace taskscope;
using namespace taskscope::test;
using testing::ElementsAre;

// cases: S33, S34
TEST_F(observers, are_told_each_step_of_a_child_in_order) {
    const observation o = observe(ex, std::make_shared<recorder>(log));
    spawn("a");
    EXPECT_THAT(log, ElementsAre("spawned a"));
    ex.run_ready();
    tick.set();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("spawned a", "started a", "suspended a", "resumed a",
                                 "suspended a", "resumed a", "value a"));
}

// cases: T387
TEST_F(observers,
       are_told_once_of_the_spawn_and_once_of_the_end_of_each_child_and_where_it_was_spawned) {
    struct places final : observer {
        void child_spawned(observed_child& c) override {
            EXPECT_TRUE(spawned.emplace(c.id(), c.spawned_at().line()).second);
        }
        void child_completed(const observed_child& c, const child_end&) override {
            EXPECT_TRUE(ended.emplace(c.id(), c.spawned_at().line()).second);
        }
        std::map<child_id, unsigned> spawned;
        std::map<child_id, unsigned> ended;
    };
    auto seen = std::make_shared<places>();
    const observation o = observe(ex, seen);
    const unsigned line = std::source_location::current().line();
    ex.root().spawn([] {});
    ex.root().spawn(throw_boom(), std::source_location::current());
    ex.root().set_policy([](const error_context&) {});
    auto h = ex.root().spawn_future([]() -> task<int> { co_return 1; });
    ex.run_ready();
    EXPECT_TRUE(h.done());
    EXPECT_EQ(seen->spawned, seen->ended);
    std::vector<unsigned> offsets;
    for (const auto& [id, where] : seen->ended) offsets.push_back(where - line);
    EXPECT_THAT(offsets, ElementsAre(1, 2, 4));
}

// The locals of a child go with it, and it goes before its scope ends.
TEST_F(observers, of_the_end_of_a_scope_are_on_behalf_of_nobody) {
    struct locals final : observer {
        void scope_ended(task_scope&) override { seen.push_back(number.get_or(-1)); }
        const task_local<int> number;
        std::vector<int> seen;
    };
    const auto who = std::make_shared<locals>();
    const observation o = observe(ex, who);
    const auto spawn_into = [](task_scope& s, bool plain) -> task<> {
        if (plain) {
            s.spawn([] {});
        } else {
            s.spawn([]() -> task<> { co_return; });
        }
        co_return;
    };
    for (const bool plain : {true, false}) {
        task_scope s{ex};
        s.spawn([&]() -> task<> { co_await with_local(who->number, 7, spawn_into(s, plain)); });
        s.blocking_join();
    }
    EXPECT_THAT(who->seen, ElementsAre(-1, -1));
}

// cases: S30
TEST_F(observers, several_are_told_in_the_order_in_which_they_came_and_one_can_go) {
    observation first = observe(ex, std::make_shared<recorder>(log, "1 "));
    const observation second = observe(ex, std::make_shared<recorder>(log, "2 "));
    ex.root().spawn([] {});
    EXPECT_THAT(log, ElementsAre("1 spawned ", "2 spawned "));
    first.remove();
    log.clear();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("2 started ", "2 value "));
}

TEST_F(observers, are_told_of_errors_and_stops) {
    struct ends final : observer {
        explicit ends(lines& l) : log(l) {}
        void child_completed(const observed_child& c, const child_end& e) override {
            log.push_back(std::string(c.name()) + ' ' + word(e.how) + ' ' +
                          (e.error != nullptr ? describe(e.error) : ""));
        }
        lines& log;
    };
    const observation o = observe(ex, std::make_shared<ends>(log));
    ex.root().set_policy([](const error_context&) {});
    ex.root().spawn(spawn_options{.name = "a"}, throw_boom());
    spawn("b");
    ex.run_ready();
    ex.root().request_stop();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("a error boom", "b stopped "));
}

TEST_F(observers, a_child_that_never_began_has_no_start) {
    const observation o = observe(ex, std::make_shared<recorder>(log));
    ex.root().request_stop();
    spawn("a");
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("spawned a", "stopped a"));
}

TEST_F(observers, are_not_told_of_children_that_were_there_before) {
    spawn("old");
    const observation early = observe(ex, std::make_shared<recorder>(log, "early "));
    spawn("new");
    const observation late = observe(ex, std::make_shared<recorder>(log, "late "));
    tick.set();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("early spawned new", "early started new", "early suspended new",
                                 "early resumed new", "early value new"));
}

TEST_F(observers, are_told_in_which_await_a_child_is_suspended) {
    struct awaits final : observer {
        explicit awaits(lines& l) : log(l) {}
        void child_suspended(const observed_child&, unsigned, std::source_location at) override {
            log.push_back(place(at));
        }
        lines& log;
    };
    const observation o = observe(ex, std::make_shared<awaits>(log));
    const unsigned line = std::source_location::current().line();
    const auto leaf = [&]() -> task<> { co_await tick.wait(); };
    ex.root().spawn([&]() -> task<> { co_await leaf(); });
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("observer_test.cpp:" + std::to_string(line + 1)));
    tick.set();
    ex.run_ready();
}

TEST_F(observers, the_body_of_a_block_belongs_to_the_child_that_opened_it) {
    const observation o = observe(ex, std::make_shared<recorder>(log));
    ex.root().spawn(spawn_options{.name = "outer"}, [&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            s.spawn(spawn_options{.name = "inner"}, [] {});
            co_await tick.wait();
        };
        co_await with_scope(body);
    });
    ex.run_ready();
    tick.set();
    ex.run_ready();
    EXPECT_THAT(log,
                ElementsAre("spawned outer", "started outer", "spawned inner", "suspended outer",
                            "started inner", "value inner", "resumed outer", "value outer"));
}

TEST_F(observers, a_child_that_is_spawned_here_runs_while_its_spawner_is_suspended) {
    const observation o = observe(ex, std::make_shared<recorder>(log));
    ex.root().spawn(spawn_options{.name = "a"}, [&]() -> task<> {
        co_await current_scope().spawn_here(spawn_options{.name = "b"}, [] {});
    });
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("spawned a", "started a", "spawned b", "suspended a", "started b",
                                 "value b", "resumed a", "value a"));
}

TEST_F(observers, a_wait_that_is_over_before_it_began_is_told_as_a_short_one) {
    // Sets the event in the hook, when the task is registered with it already.
    struct setter final : recorder {
        setter(lines& l, async_event& e) : recorder(l), event(e) {}
        void child_suspended(const observed_child& c, unsigned w,
                             std::source_location at) override {
            recorder::child_suspended(c, w, at);
            event.set();
        }
        async_event& event;
    };
    const observation o = observe(ex, std::make_shared<setter>(log, tick));
    ex.root().spawn([&]() -> task<> { co_await tick.wait(); });
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("spawned ", "started ", "suspended ", "resumed ", "value "));
}

TEST_F(observers, are_told_of_scopes) {
    struct scopes final : observer {
        explicit scopes(lines& l) : log(l) {}
        void scope_opened(task_scope& s) override { log.push_back("opened " + s.path()); }
        void scope_ended(task_scope& s) override { log.push_back("ended " + s.path()); }
        lines& log;
    };
    const observation o = observe(ex, std::make_shared<scopes>(log));
    {
        task_scope app{ex, {.name = "app"}};
        task_scope below{app, {.name = "below"}};
        below.blocking_join();
        app.spawn([]() -> task<> {
            const auto body = [](task_scope&) -> task<> { co_return; };
            co_await with_scope("block", body);
        });
        ex.run_ready();
    }
    EXPECT_THAT(log, ElementsAre("opened /app", "opened /app/below", "ended /app/below",
                                 "opened /app/block", "ended /app/block", "ended /app"));
}

// cases: S41
TEST_F(observers, without_one_children_are_as_large_as_they_were) {
    const auto bytes = [this] {
        std::size_t used = 0;
        const detail::frame_meter meter(used);
        spawn("");
        return used;
    };
    const auto without = bytes();
    {
        const observation o = observe(ex, std::make_shared<recorder>(log));
        EXPECT_EQ(bytes(), without) << "what observers need is beside the record";
    }
    EXPECT_EQ(bytes(), without);
    tick.set();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("spawned "));
}

}  // namespace
