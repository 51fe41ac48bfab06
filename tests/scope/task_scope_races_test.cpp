// tests/scope/task_scope_races_test.cpp - spawn, close, stop, join and destruction on several threads.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/task_scope.hpp>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

class scope_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, scope_races, testing::Values(1, 2, 8));

// cases: T065, T404, T412
TEST_P(scope_races, of_spawn_against_close_run_exactly_what_was_admitted) {
    for (int round = 0; round < 200; ++round) {
        task_scope s{ex};
        std::atomic<int> ran{0};
        std::atomic<int> admitted{0};
        std::latch start(3);
        const auto spawn_some = [&] {
            start.arrive_and_wait();
            for (int i = 0; i < 50; ++i) {
                if (s.try_spawn([&] { ran.fetch_add(1, std::memory_order_relaxed); }))
                    admitted.fetch_add(1, std::memory_order_relaxed);
            }
        };
        std::thread first(spawn_some);
        std::thread second(spawn_some);
        start.arrive_and_wait();
        s.close();
        first.join();
        second.join();
        s.blocking_join();
        ASSERT_EQ(ran.load(), admitted.load());
        ASSERT_EQ(s.counts().spawned, static_cast<std::uint64_t>(admitted.load()));
        ASSERT_EQ(s.counts().refused, static_cast<std::uint64_t>(100 - admitted.load()));
    }
}

// cases: T012, T412
TEST_P(scope_races, of_the_last_child_against_join_and_destruction_touch_nothing_that_is_gone) {
    for (int round = 0; round < 2000; ++round) {
        const auto s = std::make_unique<task_scope>(ex);
        int ran = 0;  // plain: the join has to order it
        s->spawn([&ran] { ++ran; });
        s->blocking_join();
        ASSERT_EQ(ran, 1);
    }
}

TEST_P(scope_races, of_the_last_child_against_destruction_without_a_join_are_ordered_too) {
    for (int round = 0; round < 300; ++round) {
        int ran = 0;
        {
            task_scope s{ex};
            s.spawn([&ran] { ++ran; });
            while (s.counts().live != 0) std::this_thread::yield();
        }
        ASSERT_EQ(ran, 1);
    }
}

// cases: T411
TEST_P(scope_races, of_several_joiners_let_all_of_them_go) {
    for (int round = 0; round < 200; ++round) {
        task_scope joiners{ex};
        std::atomic<int> joined{0};
        {
            task_scope s{ex};
            s.spawn([]() -> task<> { co_await yield(); });
            for (int i = 0; i < 4; ++i) {
                joiners.spawn([&]() -> task<> {
                    co_await s.join();
                    joined.fetch_add(1);
                });
            }
            std::thread other([&] { s.blocking_join(); });
            s.blocking_join();
            other.join();
            joiners.blocking_join();
        }
        ASSERT_EQ(joined.load(), 4);
    }
}

// cases: T400
TEST_P(scope_races, of_stop_against_spawn_and_completion_lose_no_child) {
    for (int round = 0; round < 200; ++round) {
        task_scope s{ex};
        std::atomic<int> began{0};
        std::atomic<int> ended{0};
        std::latch start(2);
        std::thread stopper([&] {
            start.arrive_and_wait();
            s.request_stop();
        });
        start.arrive_and_wait();
        for (int i = 0; i < 100; ++i) {
            s.spawn([&]() -> task<> {
                began.fetch_add(1, std::memory_order_relaxed);
                co_await yield();
                co_await yield();
                ended.fetch_add(1, std::memory_order_relaxed);
            });
        }
        stopper.join();
        s.blocking_join();
        const scope_counts c = s.counts();
        ASSERT_EQ(c.spawned, 100U);
        ASSERT_EQ(c.stopped + static_cast<std::uint64_t>(ended.load()), 100U);
        ASSERT_LE(ended.load(), began.load());
    }
}

// cases: T132, T412, H7
TEST_P(scope_races, of_failing_children_call_the_handler_once_each) {
    std::atomic<int> handled{0};
    task_scope s{ex, {.policy = [&](const error_context&) { handled.fetch_add(1); }}};
    for (int i = 0; i < 1000; ++i) s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_EQ(handled.load(), 1000);
    EXPECT_EQ(s.counts().failed, 1000U);
}

// cases: T063, T081, T399
TEST_P(scope_races, between_threads_that_spawn_and_children_that_spawn_are_covered_by_one_join) {
    task_scope s{ex};
    std::atomic<int> ran{0};
    const std::function<task<>(int)> family = [&](int depth) -> task<> {
        ran.fetch_add(1, std::memory_order_relaxed);
        for (int i = 0; i < depth; ++i) s.spawn(std::cref(family), depth - 1);
        co_return;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 20; ++k) s.spawn(std::cref(family), 4);
        });
    }
    for (std::thread& t : threads) t.join();
    s.blocking_join();
    EXPECT_EQ(ran.load(), 4 * 20 * 65);  // 1 + 4 + 12 + 24 + 24
}

}  // namespace
}  // namespace taskscope::test
