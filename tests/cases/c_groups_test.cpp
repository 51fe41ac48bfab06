// tests/cases/c_groups_test.cpp - group C: children that have to succeed together.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <ranges>
#include <support/until.hpp>
#include <variant>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class fail_fast : public scenario {};

// cases: T084
TEST_F(fail_fast, of_several_that_fail_in_the_same_moment_all_are_told_and_the_body_is_stopped) {
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    const farewell f(seen, "body destroyed");
                    for (const char* name : {"a", "b", "c"}) g.spawn([name] { throw boom(name); });
                    co_await sleeps();
                    seen.emplace_back("never");
                }),
                ElementsAre("a", "b", "c"));
    EXPECT_THAT(seen, ElementsAre("body destroyed"));
    EXPECT_EQ(elapsed(), 0ms);
}

// cases: T088
TEST_F(fail_fast, a_body_that_takes_its_time_after_the_stop_is_waited_for) {
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(fail_after(1ms, "child"));
                    const bool slept = co_await stopped_as_optional(sleeps());
                    EXPECT_FALSE(slept);
                    co_await deaf(10s);
                    seen.emplace_back("cleaned up");
                }),
                ElementsAre("child"));
    EXPECT_THAT(seen, ElementsAre("cleaned up"));
    EXPECT_EQ(elapsed(), 10'001ms);
}

// cases: T092
TEST_F(fail_fast, an_error_that_is_no_exception_is_grouped_like_any_other) {
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn([] { throw 5; });
                    co_await sleeps();
                }),
                ElementsAre("unknown exception"));
}

struct disk_gone : boom, fatal_error {
    disk_gone() : boom("disk gone") {}
};

// cases: T091, T095
TEST_F(fail_fast, a_fatal_error_of_the_body_comes_first_and_stops_the_tree) {
    task_scope other{ex};
    other.spawn(sleeps());
    EXPECT_THAT(errors_of([](task_group& g) -> task<> {
                    g.spawn(throw_boom);
                    co_await stopped_as_optional(sleeps());
                    throw disk_gone();
                }),
                ElementsAre("disk gone", "boom"));
    EXPECT_TRUE(ex.root().stop_requested());
    other.blocking_join();
    EXPECT_EQ(other.counts().stopped, 1U);
}

// cases: T096
TEST_F(fail_fast, a_body_that_completes_as_stopped_is_no_error) {
    run(ex, [&]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            g.spawn(sleeps());
            co_await just_stopped();
        };
        auto group = with_group(body);
        const settled<void> end = co_await settle(std::move(group));
        EXPECT_TRUE(end.is_stopped());
    });
    EXPECT_EQ(elapsed(), 0ms);
}

// cases: T111
TEST_F(fail_fast, the_child_that_fails_first_decides_in_whichever_order_they_were_spawned) {
    for (const bool swapped : {false, true}) {
        EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                        g.spawn(fail_after(swapped ? 2ms : 1ms, "one"));
                        g.spawn(fail_after(swapped ? 1ms : 2ms, "two"));
                        co_return;
                    }),
                    ElementsAre(swapped ? "two" : "one"));
    }
}

// cases: T114
TEST_F(fail_fast, an_error_that_cannot_be_copied_does_not_break_the_group) {
    struct one_of_a_kind : boom {
        one_of_a_kind() : boom("one of a kind") {}
        one_of_a_kind(const one_of_a_kind& o) : boom(o) { throw boom("copied"); }
        one_of_a_kind(one_of_a_kind&&) = default;
        one_of_a_kind& operator=(const one_of_a_kind&) = delete;
        ~one_of_a_kind() override = default;
    };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn([] { throw one_of_a_kind(); });
                    g.spawn(throw_boom);
                    co_await sleeps();
                }),
                ElementsAre("one of a kind", "boom"));
}

// cases: T113, T115
TEST_F(fail_fast, an_error_that_travels_several_levels_is_told_once_at_the_top) {
    std::size_t leaves = 0;
    scope_options options{.name = "top", .policy = [&](const error_context& e) {
                              try {
                                  std::rethrow_exception(e.error);
                              } catch (const exception_group& g) {
                                  leaves += g.flatten().size();
                              }
                              seen.push_back(std::string(e.scope_path));
                          }};
    task_scope top{ex, options};
    top.spawn([]() -> task<> {
        co_await with_group([](task_group& outer) -> task<> {
            outer.spawn([]() -> task<> {
                co_await with_group([](task_group& inner) -> task<> {
                    inner.spawn(fail_after(1ms, "deep"));
                    co_return;
                });
            });
            co_await sleeps();
        });
    });
    top.blocking_join();
    EXPECT_THAT(seen, ElementsAre("/top"));
    EXPECT_EQ(leaves, 1U);
    EXPECT_THAT(reported, IsEmpty());
    EXPECT_EQ(top.counts().failed, 1U);
}

// cases: T116
TEST_F(fail_fast, a_child_stops_its_group_by_failing_whichever_way_it_was_spawned) {
    using way = std::function<task<>(task_group&)>;
    const std::vector<way> ways = {
        [](task_group& g) -> task<> {
            g.spawn(fail_after(1ms, "x"));
            co_return;
        },
        [](task_group& g) -> task<> {
            EXPECT_TRUE(g.try_spawn(fail_after(1ms, "x")));
            co_return;
        },
        [](task_group& g) -> task<> {
            const auto dropped = g.spawn_future(fail_after(1ms, "x"));
            co_return;
        },
        [](task_group& g) -> task<> { co_await g.spawn_here(fail_after(1ms, "x")); },
        [](task_group&) -> task<> { co_await gather(fail_after(1ms, "x"), after(1h, 1)); },
        [](task_group&) -> task<> {
            const auto f = [](int) { return fail_after(1ms, "x"); };
            co_await windowed_map(2, std::views::iota(0, 9), f);
        },
    };
    for (const way& w : ways) {
        const auto before = elapsed();
        EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                        g.spawn(sleeps());
                        co_await w(g);
                        co_await sleeps();
                    }),
                    ElementsAre(testing::HasSubstr("x")));
        EXPECT_EQ(elapsed(), before + 1ms);
    }
}

// cases: T122
TEST_F(fail_fast, an_error_that_is_a_value_stops_nobody) {
    using result = std::variant<int, std::string>;
    const auto fails = []() -> task<result> { co_return result("refused"); };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(say_after(1s, "sibling"));
                    auto h = g.spawn_future(fails);
                    const result r = co_await std::move(h);
                    seen.push_back(std::get<std::string>(r));
                }),
                IsEmpty());
    EXPECT_THAT(seen, ElementsAre("refused", "sibling"));
}

// cases: T123
TEST_F(fail_fast, of_two_that_are_gathered_under_a_limit_the_timeout_comes_out) {
    run(ex, [&]() -> task<> {
        try {
            co_await with_timeout(10ms, gather(after(1ms, 1), after(1h, 2)));
        } catch (const timeout_error&) {
            seen.emplace_back("timeout");
        }
    });
    EXPECT_THAT(seen, ElementsAre("timeout"));
    EXPECT_EQ(elapsed(), 10ms);
}

// cases: T125
TEST_F(fail_fast, the_groups_token_is_requested_at_the_first_error_and_only_then) {
    int calls = 0;
    const auto count = [&calls] { ++calls; };
    run(ex, [&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(after(1ms, 1));
            const stop_callback on_stop(g.scope().get_token(), count);
            co_await sleep_for(2ms);
        };
        co_await with_group(body);
    });
    EXPECT_EQ(calls, 0);
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(fail_after(1ms, "first"));
                    g.spawn(fail_when_stopped("second"));
                    const stop_callback on_stop(g.scope().get_token(), count);
                    co_await sleep_for(2ms);
                }),
                ElementsAre("first", "second"));
    EXPECT_EQ(calls, 1);
}

// cases: T126
TEST_F(fail_fast, a_group_that_has_thrown_is_over) {
    task_group g{ex};
    g.spawn(throw_boom);
    EXPECT_THROW(g.blocking_join(), exception_group);
    EXPECT_FALSE(g.try_spawn([] {}));
    EXPECT_THROW(g.spawn([] {}), scope_closed);
    EXPECT_NO_THROW(g.blocking_join());
}

class fail_fast_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, fail_fast_races, testing::Values(1, 2, 8));

// cases: T127
TEST_P(fail_fast_races, of_several_threads_that_join_one_gets_the_errors) {
    for (int round = 0; round < 50; ++round) {
        task_group g{ex};
        std::atomic<int> thrown{0};
        for (int i = 0; i < 4; ++i) {
            g.spawn([]() -> task<> {
                co_await yield();
                throw boom();
            });
        }
        support::threads joiners;
        for (int i = 0; i < 4; ++i) {
            joiners.start([&] {
                try {
                    g.blocking_join();
                } catch (const exception_group&) {
                    thrown.fetch_add(1);
                }
            });
        }
        joiners.join();
        ASSERT_EQ(thrown.load(), 1);
    }
}

// cases: T128
TEST_P(fail_fast_races, of_errors_against_a_stop_tell_each_error_once) {
    for (int round = 0; round < 100; ++round) {
        std::atomic<std::uint64_t> handled{0};
        std::atomic<std::uint64_t> thrown{0};
        task_scope s{ex, {.policy = [&](const error_context&) { handled.fetch_add(1); }}};
        for (int i = 0; i < 20; ++i) {
            s.spawn([&thrown]() -> task<> {
                const bool went_on = co_await stopped_as_optional([]() -> task<> {
                    co_await yield();
                    co_await yield();
                }());
                thrown.fetch_add(1);
                throw boom(went_on ? "by itself" : "while stopping");
            });
        }
        support::threads other;
        other.start([&] { s.request_stop(); });
        other.join();
        s.blocking_join();
        ASSERT_EQ(handled.load(), thrown.load());
        ASSERT_EQ(s.counts().failed, thrown.load());
        ASSERT_EQ(s.counts().failed + s.counts().stopped, 20U);
    }
}

}  // namespace
}  // namespace taskscope::test
