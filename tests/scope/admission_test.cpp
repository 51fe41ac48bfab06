// tests/scope/admission_test.cpp - places, the line for them, and who is refused why.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/admission.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <support/sequence.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;
using support::sequence;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class admitting : public ledger_test {
protected:
    /// Spawns a task that waits for a place for `f`, and writes down how it ended.
    template <class F>
    void wait_in_line(admission& door, std::string name, F f) {
        spawners.spawn([this, &door, name = std::move(name), f]() -> task<> {
            try {
                co_await door.spawn_when_admitted(f);
                seen(name + " spawned");
            } catch (const admission_refused& e) {
                seen(name + (e.reason() == refusal::queue_full ? " queue full" : " too late"));
            } catch (const scope_closed&) {
                seen(name + " closed");
            }
        });
    }
    void end_one() { go.at(next_to_end++).set(); }
    /// A child that runs until end_one(), in the order of admission.
    auto guest() {
        return [this]() -> task<> {
            async_event& mine = go.at(admitted++);
            co_await mine.wait();
        };
    }

    std::vector<async_event> go = std::vector<async_event>(16);
    std::size_t admitted = 0;
    std::size_t next_to_end = 0;
    sequence seen;
    manual_executor ex;
    task_scope spawners{ex, {.name = "spawners"}};
    task_scope s{ex, {.name = "guests"}};
};

// cases: T082
TEST_F(admitting, try_spawn_is_refused_when_full_and_admitted_when_one_has_ended) {
    admission door(s, {.max_live = 2});
    EXPECT_TRUE(door.try_spawn(guest()));
    EXPECT_TRUE(door.try_spawn(guest()));
    EXPECT_FALSE(door.try_spawn(guest()));
    ex.run_ready();
    EXPECT_EQ(s.counts().live, 2U);
    end_one();
    ex.run_ready();
    EXPECT_TRUE(door.try_spawn(guest()));
    EXPECT_FALSE(door.try_spawn(guest()));
    EXPECT_EQ(door.counts().live, 2U);
    EXPECT_EQ(door.counts().admitted, 3U);
    EXPECT_EQ(door.counts().full, 2U);
    ex.run_ready();
    end_one();
    end_one();
    s.blocking_join();
    EXPECT_EQ(door.counts().live, 0U);
}

TEST_F(admitting, spawners_wait_in_line_and_are_served_in_order) {
    admission door(s, {.max_live = 1});
    for (const char* name : {"a", "b", "c"}) wait_in_line(door, name, guest());
    ex.run_ready();
    EXPECT_EQ(door.counts().waiting, 2U);
    EXPECT_FALSE(door.try_spawn(guest())) << "past those who wait";
    end_one();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "b spawned"}));
    EXPECT_FALSE(door.try_spawn(guest()));
    end_one();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "b spawned", "c spawned"}));
    end_one();
    s.blocking_join();
    spawners.blocking_join();
}

TEST_F(admitting, takes_arguments_and_plain_functions_and_passes_names_on) {
    admission door(s, {.max_live = 8});
    int sum = 0;
    EXPECT_TRUE(door.try_spawn([&](int n) { sum += n; }, 1));
    const spawn_options named{.name = "guest"};
    EXPECT_TRUE(door.try_spawn(named, [&](int a, int b) { sum += a * b; }, 10, 10));
    EXPECT_THAT(dump(s), HasSubstr("- guest (admission_test.cpp:"));
    const auto add_later = [&](std::unique_ptr<int> n) -> task<> {
        co_await yield();
        sum += *n;
    };
    run(ex, [&]() -> task<> {
        co_await door.spawn_when_admitted(add_later, std::make_unique<int>(1000));
    });
    s.blocking_join();
    EXPECT_EQ(sum, 1101);
}

TEST_F(admitting, refuses_who_finds_as_many_in_line_as_may_be) {
    admission door(s, {.max_live = 1, .max_waiting = 1});
    for (const char* name : {"a", "b", "c"}) wait_in_line(door, name, guest());
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "c queue full"}));
    EXPECT_EQ(door.counts().queue_full, 1U);
    end_one();
    ex.run_ready();
    end_one();
    s.blocking_join();
    spawners.blocking_join();
}

TEST_F(admitting, without_a_line_a_spawner_is_admitted_or_refused_at_once) {
    admission door(s, {.max_live = 1, .max_waiting = 0});
    wait_in_line(door, "a", guest());
    wait_in_line(door, "b", guest());
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "b queue full"}));
    end_one();
    s.blocking_join();
    spawners.blocking_join();
}

TEST_F(admitting, refuses_who_has_waited_too_long) {
    admission door(s, {.max_live = 1, .max_wait = 10ms});
    const auto began = ex.now();
    wait_in_line(door, "a", guest());
    wait_in_line(door, "b", guest());
    spawners.blocking_join();
    EXPECT_EQ(ex.now() - began, 10ms);
    EXPECT_EQ(seen, (sequence{"a spawned", "b too late"}));
    EXPECT_EQ(door.counts().too_late, 1U);
    EXPECT_EQ(door.counts().waiting, 0U);
    end_one();
    s.blocking_join();
}

TEST_F(admitting, says_in_words_why_it_refuses) {
    const auto words = [](refusal why) { return std::string(admission_refused(why, "/x").what()); };
    EXPECT_EQ(words(refusal::full), "taskscope: scope /x is full");
    EXPECT_EQ(words(refusal::queue_full),
              "taskscope: scope /x has as many spawners in line as it may have");
    EXPECT_EQ(words(refusal::too_late),
              "taskscope: scope /x had no place in all the time a spawner may wait");
}

TEST_F(admitting, a_raised_limit_lets_in_those_who_wait_and_a_lowered_one_drives_nobody_out) {
    admission door(s, {.max_live = 1});
    for (const char* name : {"a", "b", "c", "d"}) wait_in_line(door, name, guest());
    ex.run_ready();
    door.set_limits({.max_live = 3});
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "b spawned", "c spawned"}));
    door.set_limits({.max_live = 1});
    EXPECT_EQ(door.limits().max_live, 1U);
    EXPECT_EQ(door.counts().live, 3U);
    end_one();
    end_one();
    ex.run_ready();
    EXPECT_EQ(door.counts().live, 1U);
    EXPECT_EQ(door.counts().waiting, 1U);
    end_one();
    ex.run_ready();
    EXPECT_EQ(door.counts().live, 1U);
    EXPECT_EQ(door.counts().waiting, 0U);
    end_one();
    s.blocking_join();
    spawners.blocking_join();
}

TEST_F(admitting, a_stopped_spawner_leaves_the_line) {
    admission door(s, {.max_live = 1});
    EXPECT_TRUE(door.try_spawn(guest()));
    auto first = spawners.spawn_future([&] { return door.spawn_when_admitted(guest()); });
    wait_in_line(door, "second", guest());
    ex.run_ready();
    first.request_stop();
    ex.run_ready();
    EXPECT_EQ(door.counts().waiting, 1U);
    end_one();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"second spawned"}));
    end_one();
    s.blocking_join();
    spawners.blocking_join();
    EXPECT_EQ(s.counts().spawned, 2U);
}

TEST_F(admitting, a_spawner_that_was_stopped_before_takes_nothing) {
    admission door(s, {.max_live = 1});
    spawners.spawn([&]() -> task<> {
        spawners.request_stop();
        co_await door.spawn_when_admitted(guest());
        seen("never");
    });
    spawners.blocking_join();
    EXPECT_EQ(seen, sequence{});
    EXPECT_EQ(door.counts().admitted, 0U);
}

TEST_F(admitting, a_spawner_that_was_admitted_before_it_is_stopped_spawns) {
    admission door(s, {.max_live = 1});
    EXPECT_TRUE(door.try_spawn(guest()));
    auto h = spawners.spawn_future([&] { return door.spawn_when_admitted(guest()); });
    ex.run_ready();
    door.set_limits({.max_live = 2});
    h.request_stop();  // it has its place and is about to go on
    ex.run_ready();
    EXPECT_EQ(s.counts().live, 2U);
    end_one();
    end_one();
    s.blocking_join();
    spawners.blocking_join();
}

TEST_F(admitting, a_closed_scope_sends_everybody_away) {
    admission door(s, {.max_live = 1});
    wait_in_line(door, "a", guest());
    wait_in_line(door, "b", guest());
    ex.run_ready();
    s.close();
    ex.run_ready();
    EXPECT_EQ(seen, (sequence{"a spawned", "b closed"}));
    EXPECT_FALSE(door.try_spawn(guest()));
    wait_in_line(door, "c", guest());
    end_one();
    spawners.blocking_join();
    EXPECT_EQ(seen, (sequence{"a spawned", "b closed", "c closed"}));
    s.blocking_join();
    EXPECT_EQ(door.counts().live, 0U);
}

TEST_F(admitting, a_place_comes_back_when_the_child_fails_or_is_stopped_or_cannot_be_made) {
    s.set_policy(ignore_errors);
    admission door(s, {.max_live = 1});
    EXPECT_TRUE(door.try_spawn(throw_boom));
    ex.run_ready();
    const auto no_coroutine = []() -> task<> { throw boom(); };
    EXPECT_THROW(static_cast<void>(door.try_spawn(no_coroutine)), boom);
    EXPECT_EQ(door.counts().live, 0U);
    s.request_stop();
    EXPECT_TRUE(door.try_spawn(guest()));
    ex.run_ready();
    EXPECT_EQ(door.counts().live, 0U);
    EXPECT_EQ(door.counts().bytes, 0U);
    s.blocking_join();
}

TEST_F(admitting, a_place_comes_back_after_what_the_child_held_is_gone) {
    admission door(s, {.max_live = 1});
    auto held = std::make_shared<int>(0);
    EXPECT_TRUE(door.try_spawn([held]() -> task<> { co_await yield(); }));
    run(ex, [&]() -> task<> {
        co_await door.spawn_when_admitted([] {});
        EXPECT_EQ(held.use_count(), 1);
    });
    s.blocking_join();
}

TEST_F(admitting, a_plain_spawn_goes_past_the_door) {
    admission door(s, {.max_live = 1, .max_waiting = 0});
    EXPECT_TRUE(door.try_spawn(guest()));
    s.spawn(guest());
    EXPECT_EQ(s.counts().live, 2U);
    EXPECT_EQ(door.counts().live, 1U);
    ex.run_ready();
    end_one();
    end_one();
    s.blocking_join();
}

TEST_F(admitting, a_place_can_be_taken_along_by_a_child_that_is_spawned_in_another_way) {
    admission door(s, {.max_live = 1});
    const auto child = [&](admission_place place, int n) -> task<int> {
        EXPECT_TRUE(place);
        co_await go[0].wait();
        co_return 2 * n;
    };
    run(ex, [&]() -> task<> {
        auto place = co_await door.enter();
        auto h = s.spawn_future(spawn_options{}, child, std::move(place), 21);
        EXPECT_FALSE(door.try_enter());
        go[0].set();
        EXPECT_EQ(co_await std::move(h), 42);
        EXPECT_TRUE(door.try_enter());  // and given back at once
    });
    EXPECT_EQ(door.counts().live, 0U);
    s.blocking_join();
}

task<> eat(std::size_t n, async_event& until) {
    char food[64] = {};
    co_await until.wait();
    food[n % 64] = 1;
    co_await yield();
    EXPECT_EQ(food[n % 64], 1);
}

TEST_F(admitting, counts_the_bytes_of_what_it_has_spawned) {
    admission door(s);
    async_event& until = go[0];
    const auto child = [&] { return eat(1, until); };
    EXPECT_TRUE(door.try_spawn(child));
    const std::uint64_t one = door.counts().bytes;
    EXPECT_GT(one, 64U);
    EXPECT_LT(one, 1024U);
    EXPECT_TRUE(door.try_spawn(child));
    EXPECT_EQ(door.counts().bytes, 2 * one);
    // Full after the third one, whichever way it came.
    door.set_limits({.max_bytes = 3 * one});
    EXPECT_TRUE(door.try_spawn(child));
    EXPECT_FALSE(door.try_spawn(child));
    for (const char* name : {"a", "b", "c", "d"}) {
        wait_in_line(door, name, child);
    }
    ex.run_ready();
    EXPECT_EQ(door.counts().waiting, 4U);
    door.set_limits({.max_bytes = 5 * one});
    ex.run_ready();
    EXPECT_EQ(door.counts().waiting, 2U);  // not all four at once: each is taken for as large
    EXPECT_EQ(door.counts().live, 5U);
    until.set();
    s.blocking_join();
    spawners.blocking_join();
    EXPECT_EQ(s.counts().spawned, 7U);
    EXPECT_EQ(door.counts().bytes, 0U);
}

TEST_F(admitting, is_shown_where_scopes_are) {
    EXPECT_THAT(s.describe(), Not(HasSubstr("places")));
    {
        admission door(s, {.max_live = 1, .max_waiting = 1});
        for (const char* name : {"a", "b", "c"}) wait_in_line(door, name, guest());
        ex.run_ready();
        static_cast<void>(door.try_spawn(guest()));
        EXPECT_THAT(s.describe(), AllOf(HasSubstr("1/1 places, 1/1 waiting, "),
                                        HasSubstr(" bytes, refused 1 full, refused 1 queue full")));
        EXPECT_THAT(dump(s, format::json),
                    AllOf(HasSubstr("\"admission\":{\"live\":1,\"max_live\":1,\"waiting\":1"),
                          HasSubstr("\"full\":1,\"queue_full\":1,\"too_late\":0}")));
        end_one();
        ex.run_ready();
        end_one();
        spawners.blocking_join();
    }
    EXPECT_THAT(s.describe(), Not(HasSubstr("places")));
    s.blocking_join();
}

TEST_F(admitting, a_scope_has_one_door_at_a_time) {
    {
        admission door(s);
        EXPECT_THROW(admission(s, {}), misuse_error);
        EXPECT_TRUE(door.try_spawn(guest()));
    }
    const admission again(s);
    EXPECT_EQ(again.counts().live, 0U);
    ex.run_ready();
    end_one();  // who was admitted by the first goes on, and out, without it
    s.blocking_join();
}

class admitting_on : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, admitting_on, testing::Values(1, 2, 8));

TEST_P(admitting_on, never_more_than_the_limit_and_everybody_in_the_end) {
    constexpr int n = 2000;
    constexpr int limit = 3;
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> ran{0};
    task_scope spawners{ex};
    task_scope s{ex};
    admission door(s, {.max_live = limit});
    const auto child = [&]() -> task<> {
        const int now = inside.fetch_add(1) + 1;
        for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        co_await yield();
        inside.fetch_sub(1);
        ran.fetch_add(1);
    };
    for (int i = 0; i < n; ++i) {
        spawners.spawn([&]() -> task<> { co_await door.spawn_when_admitted(child); });
    }
    spawners.blocking_join();
    s.blocking_join();
    EXPECT_EQ(ran.load(), n);
    EXPECT_LE(most.load(), limit);
    EXPECT_EQ(door.counts().live, 0U);
}

// A place is given, taken back by a stop, given again, while limits go up and down: none is lost.
TEST_P(admitting_on, stops_and_changes_of_the_limit_lose_no_place) {
    for (int round = 0; round < 100; ++round) {
        task_scope spawners{ex};
        task_scope s{ex};
        admission door(s, {.max_live = 1});
        std::atomic<int> ran{0};
        const auto child = [&]() -> task<> {
            co_await yield();
            ran.fetch_add(1);
        };
        std::vector<child_handle<void>> stopped;
        constexpr int each = 20;
        for (int i = 0; i < each; ++i) {
            stopped.push_back(
                spawners.spawn_future([&] { return door.spawn_when_admitted(child); }));
            spawners.spawn([&]() -> task<> { co_await door.spawn_when_admitted(child); });
        }
        std::thread stopper([&] {
            for (auto& h : stopped) h.request_stop();
        });
        std::thread tuner([&] {
            for (std::uint64_t limit : {3U, 0U, 2U, 0U, 1U}) door.set_limits({.max_live = limit});
        });
        stopper.join();
        tuner.join();
        spawners.blocking_join();
        s.blocking_join();
        ASSERT_EQ(ran.load() + static_cast<int>(spawners.counts().stopped), 2 * each);
        ASSERT_GE(ran.load(), each);
        ASSERT_EQ(door.counts().live, 0U);
        ASSERT_EQ(door.counts().waiting, 0U);
    }
}

TEST_P(admitting_on, a_close_sends_away_or_lets_in_and_forgets_nobody) {
    for (int round = 0; round < 100; ++round) {
        task_scope spawners{ex, {.policy = ignore_errors}};
        task_scope s{ex};
        admission door(s, {.max_live = 2});
        std::atomic<int> ran{0};
        for (int i = 0; i < 20; ++i) {
            spawners.spawn([&]() -> task<> {
                const auto child = [&ran]() -> task<> {
                    co_await yield();
                    ran.fetch_add(1);
                };
                co_await door.spawn_when_admitted(child);
            });
        }
        s.close();
        spawners.blocking_join();
        s.blocking_join();
        ASSERT_EQ(static_cast<std::uint64_t>(ran.load()) + spawners.counts().failed, 20U);
        ASSERT_EQ(door.counts().live, 0U);
    }
}

}  // namespace
}  // namespace taskscope::test
