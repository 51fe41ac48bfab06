// tests/cases/b_spawn_test.cpp - group B: who may spawn, when, and what becomes of the rest.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class spawning : public scenario {};

// cases: T049
TEST_F(spawning, a_child_that_spawns_a_failing_sibling_at_once_is_stopped_at_its_next_wait) {
    const auto spawner = [this](task_group& g) -> task<> {
        const farewell f(seen, "spawner destroyed");
        co_await g.spawn_here(throw_boom());
        seen.emplace_back("spawner goes on");
        co_await yield();
        seen.emplace_back("never");
    };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(std::cref(spawner), std::ref(g));
                    co_await sleeps();
                }),
                ElementsAre("boom"));
    EXPECT_THAT(seen, ElementsAre("spawner goes on", "spawner destroyed"));
}

// cases: T051, T052
TEST_F(spawning, every_way_to_spawn_keeps_name_and_place) {
    task_scope s{ex};
    async_event release;
    std::uint32_t line = 0;
    run(ex, [&]() -> task<> {
        line = std::source_location::current().line();
        s.spawn(wait_for(release));
        s.spawn({.name = "spawn"}, wait_for, std::ref(release));
        EXPECT_TRUE(s.try_spawn({.name = "try_spawn"}, wait_for(release)));
        const auto h = s.spawn_future({.name = "spawn_future"}, wait_for, std::ref(release));
        const spawn_options here{.name = "spawn_here"};
        co_await s.spawn_here(here, wait_for(release));
        EXPECT_FALSE(h.done());
    });
    const tree_snapshot tree = snapshot(s);
    for (const child_info& c : tree.scopes.front().children) {
        seen.push_back(c.name + '@' + std::to_string(c.spawned_at.line() - line));
    }
    EXPECT_THAT(seen, UnorderedElementsAre("@1", "spawn@2", "try_spawn@3", "spawn_future@4",
                                           "spawn_here@5"));
    release.set();
    s.blocking_join();
}

// cases: T054
TEST_F(spawning, a_member_scope_is_shut_down_before_anything_ran) {
    struct service {
        explicit service(executor& home) : scope(home, {.name = "service"}) {}
        int begun = 0;
        int finished = 0;
        task_scope scope;
    } x(ex);
    for (int i = 0; i < 3; ++i) {
        x.scope.spawn([&x]() -> task<> {
            ++x.begun;
            co_await sleep_for(1ms);
            ++x.finished;
        });
    }
    const shutdown_report r = x.scope.blocking_shutdown({.drain = 0s, .stop = 1s});
    EXPECT_TRUE(r.complete());
    EXPECT_EQ(r.stopped(), 3U);
    EXPECT_EQ(x.begun, 3);
    EXPECT_EQ(x.finished, 0);
}

// However a scope ended, nothing comes in afterwards.
class ended_scopes : public scenario, public testing::WithParamInterface<int> {
protected:
    void end(task_scope& s) {
        switch (GetParam()) {
            case 0:
                s.spawn([] {});
                break;
            case 1:
                s.spawn(throw_boom);
                break;
            case 2:
                s.spawn(sleeps());
                s.request_stop();
                break;
            default:
                s.blocking_shutdown();
                return;
        }
        s.blocking_join();
    }
};

INSTANTIATE_TEST_SUITE_P(by_value_error_stop_or_shutdown, ended_scopes, testing::Range(0, 4));

// cases: T060
TEST_P(ended_scopes, refuse_every_way_to_spawn) {
    task_scope s{ex};
    end(s);
    const std::uint64_t spawned = s.counts().spawned;
    bool ran = false;
    const auto child = [&] { ran = true; };
    EXPECT_THROW(s.spawn(child), scope_closed);
    EXPECT_FALSE(s.try_spawn(child));
    EXPECT_THROW(static_cast<void>(s.spawn_future(child)), scope_closed);
    EXPECT_THROW(static_cast<void>(s.spawn_here(child)), scope_closed);
    EXPECT_THROW(task_scope(s, {}), scope_closed);
    ex.run_ready();
    EXPECT_FALSE(ran);
    EXPECT_EQ(s.counts().spawned, spawned);
}

// cases: T061
TEST_F(spawning, a_handle_on_a_child_spawned_after_a_stop_says_stopped) {
    task_scope s{ex};
    s.request_stop();
    bool ran = false;
    auto h = s.spawn_future([&] { ran = true; });
    s.blocking_join();
    EXPECT_TRUE(h.done());
    EXPECT_FALSE(ran);
    const bool completed =
        run(ex, [&]() -> task<bool> { co_return co_await stopped_as_optional(std::move(h)); });
    EXPECT_FALSE(completed);
}

// cases: T064
TEST_F(spawning, an_executor_that_was_shut_down_refuses_children_and_counts_none) {
    ex.shutdown();
    const scope_counts before = ex.root().counts();
    auto held = std::make_shared<int>();
    EXPECT_THROW(ex.root().spawn([held] {}), scope_closed);
    EXPECT_FALSE(ex.root().try_spawn([held] {}));
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(ex.root().counts().spawned, before.spawned);
    EXPECT_EQ(ex.root().counts().live, 0U);
}

// cases: T068
TEST_F(spawning, an_argument_that_cannot_be_copied_leaves_the_count_and_the_others_alone) {
    struct fragile {
        fragile() = default;
        fragile(const fragile&) { throw boom("copy"); }
        fragile& operator=(const fragile&) = delete;
        ~fragile() = default;
    };
    const fragile bad;
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(say_after(1ms, "sibling"));
                    g.spawn([](const fragile&) {},
                            bad);  // fails in the body, which fails the group
                    co_return;
                }),
                ElementsAre("copy"));
    EXPECT_THAT(seen, IsEmpty());
}

// A task that was stopped, and each way to run others in it: none of them hangs, and nothing is run to its end.
struct builder {
    const char* name;
    task<> (*run)(task<int> (*)());
};

task<int> slow() {
    co_await sleep_for(1h);
    co_return 1;
}

template <class T>
task<> drop(task<T> t) {
    co_await std::move(t);
}

const builder builders[] = {
    {"with_scope",
     [](task<int> (*f)()) {
         return drop(with_scope([f](task_scope& s) -> task<int> {
             s.spawn(f);
             co_return co_await f();
         }));
     }},
    {"with_group",
     [](task<int> (*f)()) {
         return drop(with_group([f](task_group& g) -> task<int> {
             g.spawn(f);
             co_return co_await f();
         }));
     }},
    {"gather", [](task<int> (*f)()) { return drop(gather(f(), f())); }},
    {"gather_settled", [](task<int> (*f)()) { return drop(gather_settled(f(), f())); }},
    {"race", [](task<int> (*f)()) { return drop(race(first_success, f(), f())); }},
    {"race for completion",
     [](task<int> (*f)()) { return drop(race(first_completion, f(), f())); }},
    {"staggered_race", [](task<int> (*f)()) { return drop(staggered_race(1s, f(), f())); }},
    {"hedge",
     [](task<int> (*f)()) { return drop(hedge(hedge_options{.most = 2, .after = 1s}, f)); }},
    {"as_completed",
     [](task<int> (*f)()) {
         std::vector<task<int>> tasks;
         tasks.push_back(f());
         return as_completed(std::move(tasks), [](completions<int>& done) -> task<> {
             for (;;) {
                 const auto next = co_await done.next();
                 if (!next) co_return;
             }
         });
     }},
    {"windowed_map",
     [](task<int> (*f)()) {
         return drop(windowed_map(2, std::views::iota(0, 3), [f](int) { return f(); }));
     }},
    {"retry", [](task<int> (*f)()) { return drop(retry(retry_options{}, f)); }},
    {"every", [](task<int> (*f)()) { return every(1s, missed_tick::skip, f); }},
    {"with_timeout", [](task<int> (*f)()) { return drop(with_timeout(1s, f())); }},
    {"move_on_after", [](task<int> (*f)()) { return drop(move_on_after(1s, f())); }},
    {"fork_join",
     [](task<int> (*f)()) {
         return [](task<int> a, task<int> b) -> task<> {
             co_await fork_join(std::move(a), std::move(b));
         }(f(), f());
     }},
};

class stopped_tasks : public scenario, public testing::WithParamInterface<builder> {};

INSTANTIATE_TEST_SUITE_P(each, stopped_tasks, testing::ValuesIn(builders),
                         [](const testing::TestParamInfo<builder>& p) {
                             std::string name = p.param.name;
                             for (char& c : name) c = c == ' ' ? '_' : c;
                             return name;
                         });

// cases: T078
TEST_P(stopped_tasks, run_others_to_no_end_and_complete_as_stopped) {
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        s.request_stop();
        co_await GetParam().run(&slow);
        co_await checkpoint();  // what settles is stopped here
        seen.emplace_back("went on");
    });
    s.blocking_join();
    EXPECT_THAT(seen, IsEmpty());
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_EQ(elapsed(), 0ms);
    EXPECT_TRUE(ex.idle());
}

}  // namespace
}  // namespace taskscope::test
