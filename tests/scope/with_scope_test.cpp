// tests/scope/with_scope_test.cpp - a scope for a block: always joined, its body the first child.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/with_scope.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

class blocks : public ledger_test {
protected:
    manual_executor ex;
    std::vector<std::string> seen;
};

// cases: T035, T040
TEST_F(blocks, give_what_the_body_returned_after_every_child_has_ended) {
    const auto body = [&](task_scope& s) -> task<int> {
        s.spawn([&]() -> task<> {
            co_await sleep_for(1s);
            seen.emplace_back("child");
        });
        seen.emplace_back("body");
        co_return 7;
    };
    const int value = run(ex, [&]() -> task<int> {
        const int v = co_await with_scope(body);
        seen.emplace_back("after");
        co_return v;
    });
    EXPECT_EQ(value, 7);
    EXPECT_THAT(seen, ElementsAre("body", "child", "after"));
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

TEST_F(blocks, may_return_void_references_and_what_can_only_be_moved) {
    int target = 0;
    const auto nothing = [](task_scope&) -> task<> { co_return; };
    const auto reference = [&](task_scope&) -> task<int&> { co_return target; };
    const auto move_only = [](task_scope&) -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(5);
    };
    static_assert(std::is_same_v<decltype(with_scope(nothing)), task<>>);
    static_assert(std::is_same_v<decltype(with_scope(reference)), task<int&>>);
    run(ex, [&]() -> task<> {
        co_await with_scope(nothing);
        int& r = co_await with_scope(reference);
        EXPECT_EQ(&r, &target);
        const std::unique_ptr<int> p = co_await with_scope(move_only);
        EXPECT_EQ(*p, 5);
    });
}

TEST_F(blocks, have_the_names_and_policies_they_are_given) {
    std::string path;
    std::string told;
    const auto body = [&](task_scope& s) -> task<> {
        path = s.path();
        s.spawn(throw_boom);
        co_return;
    };
    scope_options options{.name = "both", .policy = [&](const error_context& e) {
                              told = std::string(e.scope_path) + ' ' + describe(e.error);
                          }};
    run(ex, [&]() -> task<> { co_await with_scope(options, body); });
    EXPECT_EQ(path, "/both");
    EXPECT_EQ(told, "/both boom");
    ex.root().set_policy(ignore_errors);
    run(ex, [&]() -> task<> { co_await with_scope("named", body); });
    EXPECT_EQ(path, "/named");
    run(ex, [&]() -> task<> { co_await with_scope(body); });
    EXPECT_EQ(path, "/with_scope_test.cpp:" + std::to_string(__LINE__ - 1));
}

TEST_F(blocks, count_and_list_their_body_as_a_child) {
    run(ex, [&]() -> task<> {
        co_await with_scope("block", [](task_scope& s) -> task<> {
            EXPECT_EQ(s.counts().live, 1U);
            EXPECT_EQ(s.counts().spawned, 1U);
            EXPECT_EQ(snapshot(s).scopes.front().children.size(), 1U);
            co_return;
        });
    });
}

// cases: T372
TEST_F(blocks, are_the_current_scope_inside_and_not_after) {
    run(ex, [&]() -> task<> {
        EXPECT_EQ(&current_scope(), &ex.root());
        co_await with_scope([&](task_scope& outer) -> task<> {
            EXPECT_EQ(&current_scope(), &outer);
            outer.spawn([&]() -> task<> {
                EXPECT_EQ(&current_scope(), &outer);
                co_await yield();
                EXPECT_EQ(&current_scope(), &outer);
            });
            co_await with_scope([&](task_scope& inner) -> task<> {
                EXPECT_EQ(&current_scope(), &inner);
                EXPECT_EQ(inner.parent(), &outer);
                co_await sleep_for(1ms);
                EXPECT_EQ(&current_scope(), &inner);
            });
            EXPECT_EQ(&current_scope(), &outer);
        });
        EXPECT_EQ(&current_scope(), &ex.root());
    });
}

// cases: T285
TEST_F(blocks, hand_the_deadline_they_are_opened_under_to_body_and_children) {
    std::vector<deadline::clock::duration> left;
    const auto look = [&] { left.push_back(remaining()); };
    const auto block = [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            look();
            s.spawn(look);
            const auto h = s.spawn_future(look);
            task_scope below{s};
            below.spawn(look);
            co_await below.join();
            ex.root().spawn(look);  // not below the deadline
        });
    };
    run(ex, [&]() -> task<> {
        deadline d(ex.now() + 1s);
        const settled<void> s = co_await settle_by(d, block());
        EXPECT_TRUE(s.has_value());
    });
    ex.run_ready();
    EXPECT_THAT(left, ElementsAre(1s, 1s, 1s, 1s, deadline::clock::duration::max()));
}

// cases: T110, T138
TEST_F(blocks, whose_body_fails_stop_the_children_and_rethrow_when_they_have_ended) {
    const auto body = [&](task_scope& s) -> task<> {
        s.spawn([&]() -> task<> {
            struct note {
                std::vector<std::string>& seen;
                ~note() { seen.emplace_back("child destroyed"); }
            } const on_exit{seen};
            co_await sleep_for(1h);
            seen.emplace_back("child finished");
        });
        co_await yield();
        throw boom("body");
    };
    const auto before = ex.now();
    run(ex, [&]() -> task<> {
        try {
            co_await with_scope(body);
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
    });
    EXPECT_THAT(seen, ElementsAre("child destroyed", "body"));
    EXPECT_EQ(ex.now(), before);
}

TEST_F(blocks, whose_body_throws_before_it_is_a_coroutine_behave_no_differently) {
    bool stopped = true;
    const auto body = [&](task_scope& s) -> task<> {  // no coroutine
        s.spawn([&]() -> task<> {
            co_await sleep_for(1h);
            stopped = false;
        });
        throw boom("early");
    };
    run(ex, [&]() -> task<> {
        try {
            co_await with_scope(body);
            ADD_FAILURE() << "nothing was thrown";
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
    });
    EXPECT_THAT(seen, ElementsAre("early"));
    EXPECT_TRUE(stopped);
}

// cases: T132, T137
TEST_F(blocks, do_not_throw_errors_of_children) {
    std::string told;
    scope_options options{.policy = [&](const error_context& e) { told = describe(e.error); }};
    const int value = run(ex, [&]() -> task<int> {
        co_return co_await with_scope(options, [](task_scope& s) -> task<int> {
            s.spawn(throw_boom);
            co_return 1;
        });
    });
    EXPECT_EQ(value, 1);
    EXPECT_EQ(told, "boom");
}

// cases: T140, T159, T167
TEST_F(blocks, pass_a_stop_on_to_body_and_children_and_complete_as_stopped) {
    task_scope outer{ex};
    bool after = false;
    int ended = 0;
    outer.spawn([&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            struct count {
                int& n;
                ~count() { ++n; }
            };
            s.spawn([&]() -> task<> {
                const count c{ended};
                co_await sleep_for(1h);
            });
            const count c{ended};
            co_await sleep_for(1h);
        });
        after = true;
    });
    ex.run_ready();
    outer.request_stop();
    outer.blocking_join();
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(after);
    EXPECT_EQ(outer.counts().stopped, 1U);
}

// cases: T035
TEST_F(blocks, whose_body_stops_itself_stop_the_children_too) {
    const bool finished = run(ex, [&]() -> task<bool> {
        const auto body = [&](task_scope& s) -> task<> {
            s.spawn([&]() -> task<> {
                co_await sleep_for(1h);
                seen.emplace_back("child finished");
            });
            co_await just_stopped();
        };
        auto block = with_scope(body);
        const bool completed = co_await stopped_as_optional(std::move(block));
        co_return completed;
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(seen.empty());
}

// cases: T163
TEST_F(blocks, whose_body_finished_give_its_value_though_a_stop_came_later) {
    task_scope outer{ex};
    int value = 0;
    outer.spawn([&]() -> task<> {
        value = co_await with_scope([&](task_scope& s) -> task<int> {
            s.spawn([]() -> task<> { co_await sleep_for(1h); });
            co_return 3;
        });
    });
    ex.run_ready();
    outer.request_stop();
    outer.blocking_join();
    EXPECT_EQ(value, 3);
}

TEST_F(blocks, end_their_scope_so_that_a_reference_that_leaked_out_of_the_body_refuses) {
    bool refused = false;
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.close();
            refused = !s.try_spawn([] {});
            co_return;
        });
    });
    EXPECT_TRUE(refused);
}

TEST_F(blocks, whose_scope_was_joined_before_the_body_began_still_hold_the_body) {
    // A shutdown of the tree may come between the opening and the first step of the body.
    task_scope outer{ex};
    bool began = false;
    bool went_on = false;
    outer.spawn([&]() -> task<> {
        const auto body =
            [&](task_scope& s) -> task<> {  // no coroutine: runs before the first step
            [[maybe_unused]] auto early = s.join();
            return [](bool& b, bool& w) -> task<> {
                b = true;
                co_await sleep_for(1h);
                w = true;
            }(began, went_on);
        };
        co_await with_scope(body);
    });
    ex.run_ready();
    EXPECT_TRUE(began);
    const auto before = ex.now();
    outer.request_stop();
    outer.blocking_join();
    EXPECT_FALSE(went_on);
    EXPECT_EQ(ex.now(), before);
}

// cases: T161
TEST_F(blocks, nested_a_thousand_deep_are_stopped_from_the_top) {
    struct nest {
        task<> operator()(task_scope&) const {
            const nest next{depth - 1, ended};
            const guard g{ended};
            if (depth == 0) {
                co_await sleep_for(1h);
            } else {
                co_await with_scope(next);
            }
        }
        struct guard {
            int* ended;
            ~guard() { ++*ended; }
        };
        int depth;
        int* ended;
    };
    int ended = 0;
    task_scope top{ex};
    const nest first{1000, &ended};
    top.spawn([&]() -> task<> { co_await with_scope(first); });
    ex.run_ready();
    EXPECT_EQ(ended, 0);
    top.request_stop();
    top.blocking_join();
    EXPECT_EQ(ended, 1001);
}

class block_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, block_races, testing::Values(1, 2, 8));

// cases: T012
TEST_P(block_races, of_children_against_the_end_of_the_body_and_of_the_block) {
    std::atomic<int> ran{0};
    task_scope all{ex};
    for (int i = 0; i < 200; ++i) {
        all.spawn([&]() -> task<> {
            for (int k = 0; k < 5; ++k) {
                int here = 0;  // plain, and on the frame: a child must not outlive the block
                co_await with_scope([&](task_scope& s) -> task<> {
                    s.spawn([&] { ++here; });
                    co_return;
                });
                EXPECT_EQ(here, 1);
                ran.fetch_add(here);
            }
        });
    }
    all.blocking_join();
    EXPECT_EQ(ran.load(), 1000);
}

TEST_P(block_races, of_a_stop_against_blocks_that_open_and_close) {
    for (int round = 0; round < 50; ++round) {
        task_scope all{ex};
        for (int i = 0; i < 20; ++i) {
            all.spawn([]() -> task<> {
                for (;;) {
                    co_await with_scope([](task_scope& s) -> task<> {
                        s.spawn([]() -> task<> { co_await yield(); });
                        co_await yield();
                    });
                }
            });
        }
        all.request_stop();
        all.blocking_join();
        ASSERT_EQ(all.counts().stopped, 20U);
        ASSERT_EQ(all.counts().scopes, 0U);
    }
}

}  // namespace
}  // namespace taskscope::test
