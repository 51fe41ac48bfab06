// tests/cases/e_stopping_test.cpp - group E: whom a stop reaches, and what it leaves alone.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <support/until.hpp>
#include <thread>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class stopping : public scenario {};

// cases: T162
TEST_F(stopping, an_empty_group_whose_body_waits_is_stopped_like_any_task) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        co_await with_group([](task_group&) -> task<> { co_await sleeps(); });
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_EQ(all.counts().stopped, 1U);
    EXPECT_THAT(seen, IsEmpty());
}

// cases: T163
TEST_F(stopping, a_stop_that_comes_while_a_group_joins_stops_its_children_and_is_seen_next) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const int value = co_await with_group([](task_group& g) -> task<int> {
            g.spawn(sleeps());
            co_return 3;
        });
        seen.push_back(std::to_string(value));
        co_await yield();
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("3"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T165
TEST_F(stopping, a_groups_own_stop_of_its_body_is_not_seen_after_it) {
    run(ex, [&]() -> task<> {
        bool thrown = false;
        try {
            co_await with_group([](task_group& g) -> task<> {
                g.spawn(fail_after(1ms, "x"));
                co_await sleeps();
            });
        } catch (const exception_group&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
        co_await yield();
        co_await checkpoint();
        seen.emplace_back("went on");
    });
    EXPECT_THAT(seen, ElementsAre("went on"));
}

// A group that is stopped by itself: when, and what the caller sees. Children would sleep for an hour.
struct phase {
    std::string name;
    std::function<task<>(task_group&)> body;
    bool stopped;  // how the block completes
    std::vector<std::string> errors;
};

class group_phases : public scenario, public testing::WithParamInterface<phase> {};

const phase phases[] = {
    {"before_the_first_spawn",
     [](task_group& g) -> task<> {
         EXPECT_TRUE(g.request_stop());
         g.spawn([] { ADD_FAILURE() << "ran"; });
         co_return;
     },
     false,
     {}},
    {"by_a_child_before_its_first_wait",
     [](task_group& g) -> task<> {
         g.spawn([&g]() -> task<> {
             g.request_stop();
             co_await sleep_for(1h);
         });
         co_return;
     },
     false,
     {}},
    {"by_a_child_while_the_body_waits",
     [](task_group& g) -> task<> {
         g.spawn([&g] { g.request_stop(); });
         co_await sleep_for(1h);
     },
     true,
     {}},
    {"twice",
     [](task_group& g) -> task<> {
         g.spawn([]() -> task<> { co_await sleep_for(1h); });
         EXPECT_TRUE(g.request_stop());
         EXPECT_FALSE(g.request_stop());
         co_return;
     },
     false,
     {}},
    {"before_the_body_fails",
     [](task_group& g) -> task<> {
         g.spawn([]() -> task<> { co_await sleep_for(1h); });
         g.request_stop();
         throw boom("body");
         co_return;
     },
     false,
     {"body"}},
};

INSTANTIATE_TEST_SUITE_P(when, group_phases, testing::ValuesIn(phases),
                         [](const testing::TestParamInfo<phase>& p) { return p.param.name; });

// cases: T166, T171
TEST_P(group_phases, stopped_by_itself_it_ends_and_its_caller_is_not_asked_to_stop) {
    run(ex, [&]() -> task<> {
        auto block = with_group(GetParam().body);
        try {
            const bool completed = co_await stopped_as_optional(std::move(block));
            EXPECT_EQ(completed, !GetParam().stopped);
        } catch (const exception_group& g) {
            seen = texts_of(g);
        }
        const stop_token token = co_await get_stop_token();
        EXPECT_FALSE(token.stop_requested());
        co_await yield();
    });
    EXPECT_EQ(seen, GetParam().errors);
    EXPECT_EQ(elapsed(), 0ms);
}

// cases: T166
TEST_F(stopping, a_scope_that_has_ended_may_be_stopped) {
    task_scope s{ex};
    s.spawn(say_after(1ms, "child"));
    s.blocking_join();
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 0U);
}

// cases: T168, T194
TEST_F(stopping, a_join_after_a_stop_waits_for_slow_cleanup_of_children_and_scopes_below) {
    task_scope above{ex};
    task_scope below{above};
    const auto cleans_up = [&](milliseconds d) -> task<> {
        co_await stopped_as_optional(sleeps());
        co_await deaf(d);
        seen.push_back(std::to_string(d.count()));
    };
    above.spawn(std::cref(cleans_up), 100ms);
    below.spawn(std::cref(cleans_up), 200ms);
    ex.run_ready();
    above.request_stop();
    below.blocking_join();
    above.blocking_join();
    EXPECT_THAT(seen, ElementsAre("100", "200"));
    EXPECT_EQ(elapsed(), 200ms);
}

// cases: T169
TEST_F(stopping, a_hundred_children_finish_cleanup_that_awaits) {
    int cleaned = 0;
    task_scope s{ex};
    for (int i = 0; i < 100; ++i) {
        s.spawn([&]() -> task<> {
            co_await stopped_as_optional(sleeps());
            co_await deaf(10ms);
            ++cleaned;
        });
    }
    ex.run_ready();
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(cleaned, 100);
}

// cases: T171
TEST_F(stopping, another_task_may_stop_a_scope_whose_opener_goes_on) {
    task_scope all{ex};
    task_scope* inner = nullptr;
    all.spawn([&]() -> task<> {
        const auto body = [&](task_scope& s) -> task<> {
            inner = &s;
            s.spawn(sleeps());
            co_await sleeps();
        };
        auto block = with_scope(body);
        const bool completed = co_await stopped_as_optional(std::move(block));
        EXPECT_FALSE(completed);
        co_await sleep_for(1ms);
        seen.emplace_back("went on");
    });
    all.spawn([&]() -> task<> {
        co_await sleep_for(1ms);
        inner->request_stop();
    });
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("went on"));
    EXPECT_EQ(all.counts().stopped, 0U);
}

// cases: T195
TEST_F(stopping, a_callback_is_called_once_at_a_stop_and_another_at_a_close) {
    int stops = 0;
    int closes = 0;
    const auto stopped = [&stops] { ++stops; };
    const auto closed = [&closes] { ++closes; };
    {
        task_scope s{ex};
        const stop_callback on_stop(s.get_token(), stopped);
        const stop_callback on_close(s.closing_token(), closed);
        s.spawn(after(1ms, 1));
        s.close();
        s.blocking_join();
        EXPECT_EQ(stops, 0);
        EXPECT_EQ(closes, 1);
    }
    task_scope s{ex};
    const stop_callback on_stop(s.get_token(), stopped);
    s.spawn(sleeps());
    s.request_stop();
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(stops, 1);
}

// cases: T197
TEST_F(stopping, an_explicit_stop_of_a_child_or_of_all_is_told_to_no_handler) {
    task_scope s{ex};
    auto h = s.spawn_future(after(1h, 1));
    s.spawn(sleeps());
    ex.run_ready();
    h.request_stop();
    ex.run_ready();
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 2U);
    EXPECT_THAT(reported, IsEmpty());
    EXPECT_FALSE(s.has_errors());
}

// cases: T198
TEST_F(stopping, a_child_sees_one_request_whoever_made_it) {
    for (int who = 0; who < 4; ++who) {
        task_scope above{ex};
        task_scope s{above};
        stop_source trigger;
        bool requested_before = true;
        bool requested_after = false;
        const auto looks = [&]() -> task<> {
            const stop_token own = co_await get_stop_token();
            requested_before = own.stop_requested();
            co_await stopped_as_optional(sleeps());
            requested_after = own.stop_requested();
        };
        auto h = s.spawn_future([&]() -> task<> { return stop_when(trigger.token(), looks()); });
        ex.run_ready();
        switch (who) {
            case 0:
                h.request_stop();
                break;
            case 1:
                s.request_stop();
                break;
            case 2:
                above.request_stop();
                break;
            default:
                trigger.request_stop();
        }
        s.blocking_join();
        above.blocking_join();
        EXPECT_FALSE(requested_before);
        EXPECT_TRUE(requested_after) << who;
    }
}

// cases: T199, T210
TEST_F(stopping, children_are_woken_wherever_they_wait) {
    async_event event;
    async_auto_event signal;
    async_latch latch{1};
    async_barrier barrier{2};
    async_mutex mutex;
    async_semaphore semaphore{0};
    channel<int> empty{1};
    channel<int> full{1};
    const async_mutex::guard held = mutex.try_lock();
    EXPECT_TRUE(full.try_send(1));
    task_scope elsewhere{ex};
    auto never = elsewhere.spawn_future(after(1h, 1));

    task_scope s{ex};
    s.spawn([&]() -> task<> { co_await event.wait(); });
    s.spawn([&]() -> task<> { co_await event.wait_until(ex.now() + 1h); });
    s.spawn([&]() -> task<> { co_await signal.wait(); });
    s.spawn([&]() -> task<> { co_await latch.wait(); });
    s.spawn([&]() -> task<> { co_await barrier.arrive_and_wait(); });
    s.spawn([&]() -> task<> { const async_mutex::guard g = co_await mutex.lock(); });
    s.spawn([&]() -> task<> { const async_permit p = co_await semaphore.acquire(); });
    s.spawn([&]() -> task<> { co_await empty.receive(); });
    s.spawn([&]() -> task<> { co_await full.send(2); });
    s.spawn([&]() -> task<> { co_await std::move(never); });
    s.spawn(sleeps());
    ex.run_ready();
    EXPECT_EQ(s.counts().live, 11U);
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 11U);
    EXPECT_EQ(elapsed(), 0ms);
    elsewhere.request_stop();
    elsewhere.blocking_join();
}

// cases: T209
TEST_F(stopping, a_scope_is_stopped_by_its_body_a_child_a_sibling_or_by_one_child_for_itself) {
    for (int who = 0; who < 4; ++who) {
        int finished = 0;
        run(ex, [&]() -> task<> {
            co_await with_scope([&](task_scope& s) -> task<> {
                s.spawn([&]() -> task<> {
                    co_await sleep_for(1ms);
                    ++finished;
                });
                if (who == 0) {
                    s.request_stop();
                    s.request_stop();
                } else if (who == 1) {
                    s.spawn([&s]() -> task<> {
                        s.request_stop();
                        co_await sleeps();
                    });
                } else if (who == 2) {
                    auto h = s.spawn_future(sleeps());
                    s.spawn([&h] { h.request_stop(); });
                    while (!h.done()) co_await yield();
                } else {
                    s.spawn([]() -> task<> { co_await just_stopped(); });
                }
            });
        });
        EXPECT_EQ(finished, who < 2 ? 0 : 1) << who;
    }
    EXPECT_EQ(elapsed(), 2ms);
}

class stopping_threads : public on_workers {
protected:
    executor ex{{.workers = GetParam(), .name = "home"}};
};

INSTANTIATE_TEST_SUITE_P(workers, stopping_threads, testing::Values(1, 2, 8));

// cases: T207
TEST_P(stopping_threads, stopped_by_another_thread_a_task_is_destroyed_on_its_own_executor) {
    struct note_thread {
        std::thread::id& where;
        ~note_thread() { where = std::this_thread::get_id(); }
    };
    for (int round = 0; round < 50; ++round) {
        std::thread::id destroyed_on;
        std::thread::id stopped_on;
        async_event begun;
        task_scope s{ex};
        s.spawn([&]() -> task<> {
            const note_thread n{destroyed_on};
            begun.set();
            co_await sleep_for(1h);
        });
        begun.blocking_wait(ex);
        support::threads other;
        other.start([&] {
            stopped_on = std::this_thread::get_id();
            s.request_stop();
        });
        other.join();
        s.blocking_join();
        EXPECT_NE(destroyed_on, std::thread::id());
        EXPECT_NE(destroyed_on, stopped_on);
        EXPECT_NE(destroyed_on, std::this_thread::get_id());
    }
}

// cases: T400
TEST_P(stopping_threads, many_that_spawn_and_many_that_stop_lose_no_child) {
    for (int round = 0; round < 50; ++round) {
        task_scope s{ex};
        std::atomic<std::uint64_t> finished{0};
        support::threads all;
        for (int t = 0; t < 4; ++t) {
            all.start([&] {
                for (int i = 0; i < 25; ++i) {
                    s.spawn([&]() -> task<> {
                        co_await yield();
                        finished.fetch_add(1);
                    });
                }
            });
            all.start([&] { s.request_stop(); });
        }
        all.join();
        s.blocking_join();
        ASSERT_EQ(s.counts().spawned, 100U);
        ASSERT_EQ(s.counts().stopped + finished.load(), 100U);
    }
}

}  // namespace
}  // namespace taskscope::test
