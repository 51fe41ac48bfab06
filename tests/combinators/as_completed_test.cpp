// tests/combinators/as_completed_test.cpp - results as they come, and what is left when nobody wants more.
// SPDX-License-Identifier: MIT
#include <taskscope/as_completed.hpp>
#include <taskscope/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <scope/support.hpp>
#include <source_location>
#include <string>
#include <support/ledger.hpp>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using support::census;
using support::citizen;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class reading : public ledger_test {
protected:
    reading() {
        ex.root().set_policy(
            [this](const error_context& e) { reported.push_back(describe(e.error)); });
    }

    struct note {
        std::vector<std::string>& seen;
        std::string what;
        ~note() { seen.push_back(what); }
    };

    task<int> after(std::chrono::milliseconds d, int value) {
        co_await sleep_for(d);
        co_return value;
    }
    task<int> fail_after(std::chrono::milliseconds d, std::string what) {
        co_await sleep_for(d);
        throw boom(what);
    }
    task<int> fail_at_once(std::string what) {
        throw boom(what);
        co_return 0;
    }
    task<int> fail_in_spite_of_a_stop(std::chrono::milliseconds d) {
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + d);
        throw boom("late");
    }
    task<int> stop_itself() {
        co_await just_stopped();
        co_return 0;
    }
    /// Such as "0=7", "1!boom", "2~".
    static std::string text(const completed<int>& c) {
        const std::string index = std::to_string(c.index);
        if (c.result.is_stopped()) return index + '~';
        if (c.result.has_error()) return index + '!' + describe(c.result.error());
        return index + '=' + std::to_string(c.result.value());
    }
    task<> read_all(completions<int>& done) {
        for (;;) {
            const std::optional<completed<int>> next = co_await done.next();
            if (!next) co_return;
            seen.push_back(text(*next));
        }
    }

    manual_executor ex;
    std::vector<std::string> seen;
    std::vector<std::string> reported;
};

// cases: T302, T303, T315
TEST_F(reading, gives_every_end_in_the_order_in_which_they_come) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(after(30ms, 7));
        tasks.push_back(fail_after(20ms, "boom"));
        tasks.push_back(stop_itself());
        tasks.push_back(after(10ms, 8));
        const auto body = [&](completions<int>& done) -> task<> { co_await read_all(done); };
        co_await as_completed(std::move(tasks), body);
    });
    EXPECT_THAT(seen, ElementsAre("2~", "3=8", "1!boom", "0=7"));
    EXPECT_THAT(reported, IsEmpty());
    EXPECT_TRUE(ex.idle());
}

// cases: T303
TEST_F(reading, misses_nobody_who_fails_at_once) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        for (const char* name : {"a", "b", "c"}) tasks.push_back(fail_at_once(name));
        const auto body = [&](completions<int>& done) -> task<> {
            co_await sleep_for(1s);
            co_await read_all(done);
        };
        co_await as_completed(std::move(tasks), body);
    });
    EXPECT_THAT(seen, ElementsAre("0!a", "1!b", "2!c"));
}

// cases: T315, T320
TEST_F(reading, nothing_ends_at_once) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        const auto body = [&](completions<int>& done) -> task<> { co_await read_all(done); };
        co_await as_completed(std::move(tasks), body);
    });
    EXPECT_THAT(seen, IsEmpty());
}

// cases: T305, T306, T315, T321
// Nothing to remember: what is left is stopped and awaited.
TEST_F(reading, that_is_left_early_stops_the_rest_and_waits_for_it) {
    const auto began = ex.now();
    const auto slow = [&](int value) -> task<int> {
        const note n{seen, "end of " + std::to_string(value)};
        co_await sleep_for(1h);
        co_return value;
    };
    const auto deaf = [&]() -> task<int> {
        async_event never;
        [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + 50ms);
        seen.emplace_back("end of the deaf");
        co_return 0;
    };
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(slow(1));
        tasks.push_back(after(10ms, 2));
        tasks.push_back(deaf());
        const auto first = [&](completions<int>& done) -> task<int> {
            const std::optional<completed<int>> next = co_await done.next();
            co_return next->result.value();
        };
        const int value = co_await as_completed(std::move(tasks), first);
        EXPECT_EQ(value, 2);
        seen.emplace_back("after");
    });
    EXPECT_THAT(seen, ElementsAre("end of 1", "end of the deaf", "after"));
    EXPECT_EQ(ex.now(), began + 50ms);
}

// cases: T305
TEST_F(reading, whose_body_throws_stops_the_rest_and_rethrows) {
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(after(1h, 1));
        tasks.push_back(fail_in_spite_of_a_stop(20ms));
        const auto body = [&](completions<int>&) -> task<> {
            co_await sleep_for(10ms);
            throw boom("body");
        };
        try {
            co_await as_completed(std::move(tasks), body);
            ADD_FAILURE() << "no error";
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
    });
    EXPECT_THAT(seen, ElementsAre("body"));
    EXPECT_THAT(reported, ElementsAre("late"));  // nobody reads it any more
    EXPECT_EQ(ex.now(), began + 20ms);
}

// cases: T304
TEST_F(reading, can_run_out_of_time_and_keeps_what_was_read) {
    int sum = 0;
    const auto body = [&](completions<int>& done) -> task<> {
        for (;;) {
            const std::optional<completed<int>> next = co_await done.next();
            if (!next) co_return;
            sum += next->result.value();
        }
    };
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        for (int i = 1; i < 6; ++i) tasks.push_back(after(i * 10ms, i));
        auto block = as_completed(std::move(tasks), body);
        const bool done = co_await move_on_after(35ms, std::move(block));
        EXPECT_FALSE(done);
    });
    EXPECT_EQ(sum, 6);
    EXPECT_TRUE(ex.idle());
}

// cases: T309
// A reader that was out of time itself goes on where it was.
TEST_F(reading, goes_on_after_a_wait_that_was_given_up) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(after(50ms, 1));
        const auto body = [&](completions<int>& done) -> task<> {
            const auto nothing = co_await move_on_after(10ms, done.next());
            EXPECT_FALSE(nothing.has_value());
            co_await read_all(done);
        };
        co_await as_completed(std::move(tasks), body);
    });
    EXPECT_THAT(seen, ElementsAre("0=1"));
}

// cases: T309
TEST_F(reading, is_for_one_task_at_a_time) {
    run(ex, [&]() -> task<> {
        std::vector<task<int>> tasks;
        tasks.push_back(after(50ms, 1));
        const auto body = [&](completions<int>& done) -> task<> {
            done.scope().spawn([&]() -> task<> { co_await read_all(done); });
            co_await yield();
            EXPECT_THROW(co_await done.next(), misuse_error);
            co_await sleep_for(1s);
        };
        co_await as_completed(std::move(tasks), body);
    });
    EXPECT_THAT(seen, ElementsAre("0=1"));
}

// cases: T159, T200
TEST_F(reading, passes_a_stop_on_to_body_and_tasks) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto noted = [&]() -> task<int> {
            const note n{seen, "task"};
            co_await sleep_for(1h);
            co_return 0;
        };
        std::vector<task<int>> tasks;
        tasks.push_back(noted());
        const auto body = [&](completions<int>& done) -> task<> {
            const note n{seen, "body"};
            co_await read_all(done);
        };
        co_await as_completed(std::move(tasks), body);
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, testing::UnorderedElementsAre("task", "body"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

TEST_F(reading, sees_tasks_that_were_stopped_before_they_ran) {
    run(ex, [&]() -> task<> {
        const auto body = [&](completions<int>& done) -> task<> {
            done.scope().request_stop();
            done.spawn(after(1ms, 1));
            const auto shielded = [&]() -> task<> {
                async_event never;
                [[maybe_unused]] const bool b = co_await never.wait_until_shielded(ex.now() + 10ms);
            };
            co_await shielded();
            co_await read_all(done);
        };
        const settled<void> end = co_await settle(with_completions<int>(body));
        EXPECT_TRUE(end.has_value());
    });
    EXPECT_THAT(seen, ElementsAre("0~"));
}

class completions_of_a_scope : public reading {};

// cases: S26
TEST_F(completions_of_a_scope, are_read_while_spawning_goes_on) {
    run(ex, [&]() -> task<> {
        const auto body = [&](completions<int>& done) -> task<> {
            done.spawn(after(10ms, 3));
            for (;;) {
                const std::optional<completed<int>> next = co_await done.next();
                if (!next) break;
                seen.push_back(text(*next));
                const int n = next->result.value();
                for (int i = 0; i < n; ++i) done.spawn(after(i * 1ms, n - 1));
            }
            seen.emplace_back("none");
            done.spawn(after(1ms, 9));  // and again
            co_await read_all(done);
        };
        co_await with_completions<int>(body);
    });
    EXPECT_EQ(seen.size(), 1U + 3U + 6U + 6U + 2U);
    EXPECT_EQ(seen.front(), "0=3");
    EXPECT_EQ(seen[16], "none");
    EXPECT_EQ(seen.back(), "16=9");
}

TEST_F(completions_of_a_scope, come_from_callables_whose_captures_live_as_long) {
    run(ex, [&]() -> task<> {
        const auto body = [&](completions<std::unique_ptr<int>>& done) -> task<> {
            auto owned = std::make_unique<int>(4);
            done.spawn(
                [p = std::move(owned)](std::unique_ptr<int> q) -> task<std::unique_ptr<int>> {
                    co_await sleep_for(1ms);
                    *q += *p;
                    co_return std::move(q);
                },
                std::make_unique<int>(3));
            std::optional<completed<std::unique_ptr<int>>> next = co_await done.next();
            EXPECT_EQ(*next->result.value(), 7);
        };
        co_await with_completions<std::unique_ptr<int>>(body);
    });
}

TEST_F(completions_of_a_scope, that_nobody_reads_wait_with_their_children_and_lose_nothing) {
    run(ex, [&]() -> task<> {
        const completions_options two{.capacity = 2, .when_full = overflow::wait};
        const auto body = [&](completions<int>& done) -> task<> {
            for (int i = 0; i < 6; ++i) done.spawn(after(i * 1ms, i));
            co_await sleep_for(1s);
            EXPECT_EQ(done.scope().counts().live, 1U + 4U);  // the body, and who waits for room
            co_await read_all(done);
            EXPECT_EQ(done.dropped(), 0U);
        };
        co_await with_completions<int>(two, body);
    });
    EXPECT_THAT(seen, ElementsAre("0=0", "1=1", "2=2", "3=3", "4=4", "5=5"));
}

TEST_F(completions_of_a_scope, may_be_dropped_the_oldest_or_the_newest_and_are_counted) {
    for (const auto policy : {overflow::drop_oldest, overflow::drop_newest}) {
        seen.clear();
        run(ex, [&]() -> task<> {
            const completions_options two{.capacity = 2, .when_full = policy};
            const auto body = [&](completions<int>& done) -> task<> {
                for (int i = 0; i < 6; ++i) done.spawn(after(i * 1ms, i));
                co_await sleep_for(1s);
                EXPECT_EQ(done.scope().counts().live, 1U);
                EXPECT_EQ(done.dropped(), 4U);
                co_await read_all(done);
            };
            co_await with_completions<int>(two, body);
        });
        if (policy == overflow::drop_oldest) {
            EXPECT_THAT(seen, ElementsAre("4=4", "5=5"));
        } else {
            EXPECT_THAT(seen, ElementsAre("0=0", "1=1"));
        }
    }
}

// cases: T366
TEST_F(completions_of_a_scope, that_nobody_reads_never_accumulate) {
    census results;
    int most = 0;
    run(ex, [&]() -> task<> {
        const completions_options few{.capacity = 8, .when_full = overflow::drop_oldest};
        const auto body = [&](completions<citizen>& done) -> task<> {
            const auto make = [&]() -> task<citizen> { co_return citizen(results); };
            for (int i = 0; i < 10'000; ++i) {
                done.spawn(make());
                co_await yield();
                most = std::max(most, results.alive);
            }
        };
        co_await with_completions<citizen>(few, body);
    });
    EXPECT_EQ(results.alive, 0);
    EXPECT_GE(results.ever, 10'000);
    EXPECT_LE(most, 8 + 4);  // and those on their way
}

// cases: T316
TEST_F(completions_of_a_scope, need_no_stack_for_children_that_complete_at_once) {
    std::size_t read = 0;
    run(ex, [&]() -> task<> {
        const auto body = [&](completions<int>& done) -> task<> {
            const auto at_once = [](int i) -> task<int> { co_return i; };
            for (int i = 0; i < 30'000; ++i) done.spawn(at_once, i);
            for (;;) {
                const auto next = co_await done.next();
                if (!next) co_return;
                ++read;
            }
        };
        co_await with_completions<int>(body);
    });
    EXPECT_EQ(read, 30'000U);
}

TEST_F(completions_of_a_scope, are_spawned_with_a_name_and_a_place) {
    const auto slow = [this](int i) { return after(1ms, i); };
    unsigned line = 0;
    const auto spawn_two = [&](completions<int>& done) {
        line = std::source_location::current().line();
        done.spawn(slow, 1);
        done.spawn({.name = "two"}, slow, 2);
    };
    const auto look = [&](completions<int>& done) {
        const tree_snapshot tree = snapshot(done.scope());
        for (const child_info& c : tree.scopes.front().children) {
            seen.push_back(c.name + '@' + place(c.spawned_at));
        }
    };
    run(ex, [&]() -> task<> {
        const auto body = [&](completions<int>& done) -> task<> {
            spawn_two(done);
            look(done);
            co_return;
        };
        co_await with_completions<int>(body);
    });
    const std::string file = "@as_completed_test.cpp:";
    EXPECT_THAT(seen, testing::IsSupersetOf({file + std::to_string(line + 1),
                                             "two" + file + std::to_string(line + 2)}));
}

TEST_F(completions_of_a_scope, that_wait_for_room_are_stopped_when_the_reader_leaves) {
    run(ex, [&]() -> task<> {
        const completions_options one{.capacity = 1, .when_full = overflow::wait};
        const auto body = [&](completions<int>& done) -> task<> {
            for (int i = 0; i < 4; ++i) done.spawn(after(0ms, i));
            co_await sleep_for(1s);
        };
        co_await with_completions<int>(one, body);
        seen.emplace_back("over");
    });
    EXPECT_THAT(seen, ElementsAre("over"));
}

TEST_F(completions_of_a_scope, need_room_for_one) {
    const auto body = [&](completions<int>& done) -> task<> { co_await read_all(done); };
    const auto none = [&]() -> task<> {
        co_await with_completions<int>(completions_options{.capacity = 0}, body);
    };
    EXPECT_THROW(run(ex, none), misuse_error);
}

class reading_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, reading_races, testing::Values(1, 2, 8));

// Writers that wait for room against the reader: each completion comes once.
TEST_P(reading_races, of_many_writers_and_a_small_queue) {
    constexpr std::size_t n = 500;
    for (int round = 0; round < 10; ++round) {
        support::tally read(n);
        run(ex, [&]() -> task<> {
            const completions_options three{.capacity = 3, .when_full = overflow::wait};
            const auto make = [](std::size_t i) -> task<std::size_t> {
                if (i % 3 == 0) co_await yield();
                co_return i;
            };
            const auto body = [&](completions<std::size_t>& done) -> task<> {
                for (std::size_t i = 0; i < n; ++i) done.spawn(make(i));
                for (;;) {
                    const auto next = co_await done.next();
                    if (!next) co_return;
                    EXPECT_EQ(next->index, next->result.value());
                    read.count(next->index);
                }
            };
            co_await with_completions<std::size_t>(three, body);
        });
        EXPECT_TRUE(read.exactly_once());
    }
}

// The reader goes while writers wait, push and are being stopped.
TEST_P(reading_races, of_leaving_early) {
    for (int round = 0; round < 100; ++round) {
        run(ex, [&]() -> task<> {
            const completions_options two{.capacity = 2, .when_full = overflow::wait};
            const auto body = [&](completions<int>& done) -> task<int> {
                for (int i = 0; i < 20; ++i) {
                    done.spawn(
                        [](int k) -> task<int> {
                            co_await yield();
                            co_return k;
                        },
                        i);
                }
                const auto next = co_await done.next();
                co_return next->result.value();
            };
            const int first = co_await with_completions<int>(two, body);
            EXPECT_GE(first, 0);
        });
    }
}

}  // namespace
}  // namespace taskscope::test
