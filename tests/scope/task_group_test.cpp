// tests/scope/task_group_test.cpp - the first error stops everyone; all errors are thrown together.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/task_group.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#ifdef TASKSCOPE_TEST_OWN_GROUP
#include "own_group.hpp"
#endif

namespace taskscope::test {
namespace {

#ifdef TASKSCOPE_TEST_OWN_GROUP
using own::task_group;
using own::with_group;
#endif

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

class groups : public ledger_test {
protected:
    manual_executor ex;
    std::vector<std::string> seen;

    /// The texts of the errors a group throws; empty if it throws none.
    template <class Body>
    std::vector<std::string> errors_of(Body body) {
        std::vector<std::string> texts;
        run(ex, [&]() -> task<> {
            try {
                co_await with_group(body);
            } catch (const exception_group& g) {
                for (const recorded_error& e : g.errors()) texts.push_back(describe(e.error));
            }
        });
        return texts;
    }
};

task<> fail_after(std::chrono::milliseconds d, std::string what) {
    co_await sleep_for(d);
    throw boom(what);
}

// cases: S7
TEST_F(groups, without_errors_give_what_the_body_returned) {
    const int value = run(ex, [&]() -> task<int> {
        int sum = 0;
        const int body = co_await with_group([&](task_group& g) -> task<int> {
            for (int i = 1; i <= 4; ++i) {
                g.spawn(
                    [&sum](int n) -> task<> {
                        co_await sleep_for(1ms);
                        sum += n;
                    },
                    i);
            }
            co_return 100;
        });
        co_return body + sum;
    });
    EXPECT_EQ(value, 110);
}

// cases: T083, T153
TEST_F(groups, stop_the_siblings_on_the_first_error_and_throw_it_when_all_have_ended) {
    const auto body = [&](task_group& g) -> task<> {
        g.spawn([&]() -> task<> {
            struct note {
                std::vector<std::string>& seen;
                ~note() { seen.emplace_back("sibling destroyed"); }
            } const on_exit{seen};
            seen.emplace_back("sibling waits");
            co_await sleep_for(1h);
            seen.emplace_back("sibling finished");
        });
        g.spawn([&]() -> task<> {
            seen.emplace_back("child throws");
            throw boom("first");
            co_return;
        });
        co_return;
    };
    const auto before = ex.now();
    run(ex, [&]() -> task<> {
        try {
            co_await with_group("pair", body);
            seen.emplace_back("not here");
        } catch (const exception_group& g) {
            seen.emplace_back(g.what());
        }
    });
    EXPECT_THAT(seen, ElementsAre("sibling waits", "child throws", "sibling destroyed",
                                  StartsWith("taskscope: errors in /pair (1 error): first [")));
    EXPECT_EQ(ex.now(), before);
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

// cases: T084
TEST_F(groups, stop_the_body_too) {
    bool body_finished = false;
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(throw_boom);
                    co_await sleep_for(1h);
                    body_finished = true;
                }),
                ElementsAre("boom"));
    EXPECT_FALSE(body_finished);
}

// cases: T045, T121, T211
TEST_F(groups, never_start_children_spawned_after_the_first_error) {
    bool started = false;
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(throw_boom);
                    co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
                    EXPECT_TRUE(g.has_errors());
                    g.spawn([&] { started = true; });
                }),
                ElementsAre("boom"));
    EXPECT_FALSE(started);
}

// cases: T112, T148
TEST_F(groups, throw_errors_that_come_in_the_cleanup_of_siblings_together_with_the_first) {
    EXPECT_THAT(
        errors_of([&](task_group& g) -> task<> {
            g.spawn(fail_after, 1ms, "first");
            for (int i = 0; i < 2; ++i) {
                g.spawn([]() -> task<> { co_await stopped_as_error(fail_after(1h, "late")); });
            }
            co_return;
        }),
        ElementsAre("first", "taskscope: the task was stopped", "taskscope: the task was stopped"));
}

// cases: T085
TEST_F(groups, count_the_bodys_error_like_a_childs) {
    bool child_finished = false;
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn([&]() -> task<> {
                        co_await stopped_as_error([]() -> task<> { co_await sleep_for(1h); }());
                        child_finished = true;
                    });
                    co_await yield();
                    throw boom("body");
                }),
                ElementsAre("body", "taskscope: the task was stopped"));
    EXPECT_FALSE(child_finished);
}

// cases: T085
TEST_F(groups, whose_body_throws_before_it_is_a_coroutine_behave_no_differently) {
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {  // no coroutine
                    g.spawn([]() -> task<> { co_await sleep_for(1h); });
                    throw boom("early");
                }),
                ElementsAre("early"));
}

// cases: T089, T090
TEST_F(groups, let_the_body_answer_a_stop_with_an_error_of_its_own) {
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(fail_after, 1ms, "child");
                    co_await stopped_as_error(fail_after(1h, "never"));
                }),
                ElementsAre("child", "taskscope: the task was stopped"));
}

// cases: T099, T141
TEST_F(groups, do_not_hide_an_error_behind_a_stop) {
    task_scope outer{ex};
    std::optional<std::string> thrown;
    outer.spawn([&]() -> task<> {
        try {
            co_await with_group([](task_group& g) -> task<> {
                g.spawn([]() -> task<> {
                    co_await stopped_as_optional(fail_after(1h, "never"));
                    throw boom("on the way out");
                });
                co_await sleep_for(1h);
            });
        } catch (const exception_group& g) {
            thrown = describe(g.errors().at(0).error);
        }
    });
    ex.run_ready();
    outer.request_stop();
    outer.blocking_join();
    EXPECT_EQ(thrown, "on the way out");
    EXPECT_EQ(outer.counts().stopped, 0U);
}

// cases: T099, T159
TEST_F(groups, without_errors_are_stopped_by_a_stop_from_outside) {
    task_scope outer{ex};
    bool after = false;
    outer.spawn([&]() -> task<> {
        co_await with_group([](task_group& g) -> task<> {
            g.spawn([]() -> task<> { co_await sleep_for(1h); });
            co_await sleep_for(1h);
        });
        after = true;
    });
    ex.run_ready();
    outer.request_stop();
    outer.blocking_join();
    EXPECT_FALSE(after);
    EXPECT_EQ(outer.counts().stopped, 1U);
}

// cases: T087, T113
TEST_F(groups, nested_throw_groups_inside_groups) {
    run(ex, [&]() -> task<> {
        try {
            co_await with_group("outer", [](task_group& g) -> task<> {
                g.spawn([]() -> task<> {
                    co_await with_group("inner", [](task_group& h) -> task<> {
                        h.spawn(throw_boom);
                        co_return;
                    });
                });
                co_return;
            });
            ADD_FAILURE() << "nothing was thrown";
        } catch (const exception_group& g) {
            EXPECT_EQ(g.errors().size(), 1U);
            EXPECT_THAT(g.what(), HasSubstr("/inner (1 error): boom"));
            EXPECT_EQ(describe(g.flatten().at(0).error), "boom");
        }
    });
}

// cases: T086
TEST_F(groups, whose_outer_group_fails_are_stopped_and_add_no_error_of_their_own) {
    EXPECT_THAT(errors_of([](task_group& g) -> task<> {
                    g.spawn(fail_after, 1ms, "outer child");
                    co_await with_group([](task_group& h) -> task<> {
                        h.spawn([]() -> task<> { co_await sleep_for(1h); });
                        co_await sleep_for(1h);
                    });
                }),
                ElementsAre("outer child"));
}

// cases: T144
TEST_F(groups, do_not_tell_handlers_of_scopes_above) {
    int told = 0;
    ex.root().set_policy([&](const error_context&) { ++told; });
    EXPECT_THAT(errors_of([](task_group& g) -> task<> {
                    g.spawn(throw_boom);
                    co_return;
                }),
                ElementsAre("boom"));
    EXPECT_EQ(told, 0);
}

TEST_F(groups, leave_the_errors_of_scopes_opened_below_them_to_the_handlers_above) {
    int told = 0;
    ex.root().set_policy([&](const error_context&) { ++told; });
    EXPECT_TRUE(errors_of([](task_group&) -> task<> {
                    co_await with_scope([](task_scope& s) -> task<> {
                        s.spawn(throw_boom);
                        co_return;
                    });
                }).empty());
    EXPECT_EQ(told, 1);
}

// cases: T044
TEST_F(groups, stop_children_that_spawn_without_end_and_still_end) {
    int ran = 0;
    std::function<task<>(task_group&)> hydra = [&](task_group& g) -> task<> {
        ++ran;
        co_await yield();
        g.spawn(std::ref(hydra), std::ref(g));
        g.spawn(std::ref(hydra), std::ref(g));
    };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(std::ref(hydra), std::ref(g));
                    for (int i = 0; i < 5; ++i) co_await yield();
                    throw boom("enough");
                }),
                ElementsAre("enough"));
    EXPECT_GT(ran, 1);
}

// cases: T371
TEST_F(groups, keep_the_first_thousand_errors_and_count_the_rest) {
    run(ex, [&]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            const auto fail = []() -> task<> {
                // Not stopped by the first error: it fails in its cleanup.
                co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
                throw boom("x");
            };
            for (int i = 0; i < 1500; ++i) g.spawn(fail);
            co_await yield();
            throw boom("body");
        };
        try {
            co_await with_group(body);
        } catch (const exception_group& g) {
            EXPECT_EQ(g.errors().size(), collect_errors::max_errors);
            EXPECT_EQ(g.dropped(), 501U);
            EXPECT_EQ(describe(g.errors().front().error), "body");
        }
    });
}

// cases: T094, T098
TEST_F(groups, hold_no_error_and_no_child_after_they_were_left) {
    struct heavy : boom {
        explicit heavy(std::shared_ptr<int> p) : payload(std::move(p)) {}
        std::shared_ptr<int> payload;
    };
    auto held = std::make_shared<int>();
    EXPECT_THAT(errors_of([held](task_group& g) -> task<> {
                    g.spawn([held]() -> task<> { co_await sleep_for(1h); });
                    g.spawn([held] { throw heavy(held); });
                    co_return;
                }),
                ElementsAre("boom"));
    EXPECT_EQ(held.use_count(), 1);
}

// cases: T009, T025, T126
TEST_F(groups, as_objects_throw_their_errors_from_the_first_join_after_them) {
    task_group g{ex, {.name = "object"}};
    g.spawn(fail_after, 1ms, "a");
    try {
        run(ex, [&]() -> task<> { co_await g.join(); });
        ADD_FAILURE() << "nothing was thrown";
    } catch (const exception_group& e) {
        EXPECT_THAT(e.what(), StartsWith("taskscope: errors in /object (1 error): a ["));
    }
    run(ex, [&]() -> task<> { co_await g.join(); });
    g.blocking_join();
    EXPECT_TRUE(g.has_errors());
}

TEST_F(groups, as_objects_are_closed_stopped_and_spawned_into_like_scopes) {
    task_scope above{ex, {.name = "above"}};
    task_group g{above, {.name = "group"}};
    EXPECT_EQ(g.scope().path(), "/above/group");
    async_event never;
    EXPECT_TRUE(g.try_spawn(wait_for, std::ref(never)));
    auto h = g.spawn_future([] { return; });
    g.close();
    EXPECT_FALSE(g.try_spawn([] {}));
    EXPECT_TRUE(g.request_stop());
    g.blocking_join();
    EXPECT_TRUE(h.done());
    EXPECT_EQ(g.scope().counts().stopped, 1U);
    above.blocking_join();
}

class group_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, group_races, testing::Values(1, 2, 8));

// cases: T084, T234, T412, H5
TEST_P(group_races, of_errors_among_many_children_lose_none) {
    for (int round = 0; round < 100; ++round) {
        task_group g{ex};
        std::atomic<std::size_t> thrown{0};
        for (int i = 0; i < 50; ++i) {
            g.spawn([&thrown, i]() -> task<> {
                if (i % 3 != 0) co_await yield();
                thrown.fetch_add(1);
                throw boom();
            });
        }
        std::size_t told = 0;
        try {
            g.blocking_join();
        } catch (const exception_group& e) {
            told = e.errors().size();
        }
        ASSERT_GE(told, 1U);
        ASSERT_EQ(told, thrown.load());
        ASSERT_EQ(g.scope().counts().stopped, 50 - told);
    }
}

// cases: T084
TEST_P(group_races, of_a_first_error_against_the_end_of_the_body) {
    int caught = 0;
    run(ex, [&]() -> task<> {
        for (int round = 0; round < 500; ++round) {
            try {
                co_await with_group([](task_group& g) -> task<> {
                    g.spawn(throw_boom);
                    g.spawn([]() -> task<> { co_await yield(); });
                    co_return;
                });
            } catch (const exception_group& e) {
                caught += e.errors().size() == 1 ? 1 : 1000;
            }
        }
    });
    EXPECT_EQ(caught, 500);
}

}  // namespace
}  // namespace taskscope::test
