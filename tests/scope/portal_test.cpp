// tests/scope/portal_test.cpp - foreign threads that run functions in a scope.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/portal.hpp>
#include <taskscope/task_local.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <support/until.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;

const task_local<int> number;

class portals : public ledger_test {
protected:
    manual_executor ex;

    /// Runs `f` on a thread that knows nothing of tasks.
    template <class F>
    static void elsewhere(F f) {
        std::thread other(f);
        other.join();
    }
    /// A portal made in a task with a binding.
    portal made_with(int n, task_scope& s) {
        const auto make = [](task_scope& to) -> task<std::unique_ptr<portal>> {
            co_return std::make_unique<portal>(to);
        };
        return *ex.run(with_local(number, n, make(s)));
    }
};

// cases: T399
TEST_F(portals, spawn_children_with_the_locals_of_their_maker) {
    task_scope s{ex, {.name = "s"}};
    const portal home = made_with(7, s);
    std::vector<std::string> log;
    elsewhere([&] {
        home.spawn([&]() -> task<> {
            co_await yield();
            EXPECT_EQ(&current_scope(), &s);
            log.push_back("task " + std::to_string(number.get_or(-1)));
        });
        home.spawn([&](int n) { log.push_back("plain " + std::to_string(n)); }, 1);
        const spawn_options named{.name = "named"};
        home.spawn(named, [&](int a, int b) { log.push_back(std::to_string(a + b)); }, 1, 2);
        EXPECT_TRUE(home.try_spawn([&] { spawn([&] { log.emplace_back("child's child"); }); }));
    });
    EXPECT_THAT(dump(s), testing::HasSubstr("- named (portal_test.cpp:"));
    s.blocking_join();
    EXPECT_THAT(log, testing::UnorderedElementsAre("task 7", "plain 1", "3", "child's child"));
    EXPECT_EQ(s.counts().spawned, 5U);
}

// cases: T381
// A function that is no coroutine itself is called on the foreign thread.
TEST_F(portals, lend_scope_and_locals_to_functions_that_are_called_on_the_way) {
    task_scope s{ex};
    const portal home = made_with(7, s);
    int seen = 0;
    elsewhere([&] {
        home.spawn([&] {
            EXPECT_EQ(&current_scope(), &s);
            seen = number.get_or(-1);
            return [](int& n) -> task<> {
                ++n;
                co_return;
            }(seen);
        });
        EXPECT_EQ(number.find(), nullptr);
        EXPECT_THROW(static_cast<void>(current_scope()), misuse_error);
    });
    s.blocking_join();
    EXPECT_EQ(seen, 8);
}

TEST_F(portals, made_outside_of_tasks_have_what_the_scope_was_opened_with) {
    const auto body = [&]() -> task<int> {
        co_return co_await with_scope([&](task_scope& s) -> task<int> {
            std::optional<portal> home;
            elsewhere([&] { home.emplace(s); });
            const portal copy = *home;
            int seen = 0;
            elsewhere([&] { copy.spawn([&seen] { seen = number.get_or(-1); }); });
            co_await sleep_for(1ms);
            co_return seen;
        });
    };
    EXPECT_EQ(ex.run(with_local(number, 7, body())), 7);
}

TEST_F(portals, refuse_when_the_scope_is_closed_or_ended_or_gone_with_its_executor) {
    std::optional<portal> home;
    auto held = std::make_shared<int>(0);
    const auto child = [held] {};
    const auto refuses = [&] {
        EXPECT_FALSE(home->try_spawn(child));
        EXPECT_THROW(home->spawn(child), scope_closed);
        EXPECT_THROW(home->call(child), scope_closed);
    };
    {
        manual_executor other;
        {
            task_scope s{other, {.name = "s"}};
            home.emplace(s);
            s.close();
            elsewhere(refuses);
            s.blocking_join();
            elsewhere(refuses);
        }
        elsewhere(refuses);
    }
    elsewhere([&] { EXPECT_FALSE(home->try_spawn(child)); });
    EXPECT_EQ(held.use_count(), 2);
}

TEST_F(portals, call_gives_values_and_errors_and_tells_of_stops) {
    int told = 0;
    executor threads{{.workers = 1}};
    task_scope s{threads, {.policy = [&](const error_context&) { ++told; }}};
    const portal home(s);
    EXPECT_EQ(home.call([] { return 7; }), 7);
    const auto later = []() -> task<std::unique_ptr<int>> {
        co_await sleep_for(1us);
        co_return std::make_unique<int>(8);
    };
    EXPECT_EQ(*home.call(later), 8);
    EXPECT_EQ(&home.call([&] { return std::ref(current_scope()); }).get(), &s);
    EXPECT_THROW(home.call(throw_boom), boom);
    EXPECT_THROW(home.call([] { throw boom(); }), boom);
    EXPECT_EQ(told, 0);
    EXPECT_THROW(home.call([]() -> task<> { co_await just_stopped(); }), stopped_error);
    s.request_stop();
    EXPECT_THROW(home.call([] { return 7; }), stopped_error);
    EXPECT_EQ(s.counts().live, 0U);
}

// cases: T402
TEST_F(portals, call_drives_a_manual_executor_and_is_refused_on_a_worker) {
    task_scope s{ex};
    const portal home(s);
    const auto slow = []() -> task<int> {
        co_await sleep_for(1h);
        co_return 7;
    };
    EXPECT_EQ(home.call(slow), 7);
    run(ex, [&]() -> task<> {
        EXPECT_THROW(home.call([] { return 7; }), misuse_error);
        co_return;
    });
}

class portals_on : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, portals_on, testing::Values(1, 2, 8));

// A worker is a foreign thread where its task belongs to another executor.
TEST_P(portals_on, workers_of_another_executor_come_through) {
    constexpr int each = 50;
    constexpr int tasks = 16;
    executor other{{.workers = 8}};
    task_scope s{ex};
    const portal home(s);
    std::atomic<int> ran{0};
    const auto child = [&] { ran.fetch_add(1, std::memory_order_relaxed); };
    task_scope visitors{other};
    for (int t = 0; t < tasks; ++t) {
        visitors.spawn([&] {
            for (int i = 0; i < each; ++i) home.spawn(child);
        });
        s.spawn([&] {
            for (int i = 0; i < each; ++i) s.spawn(child);
        });
    }
    visitors.blocking_join();
    EXPECT_FALSE(dump(s).empty());  // those that are live can be listed
    s.blocking_join();
    EXPECT_EQ(ran.load(), 2 * tasks * each);
}

// cases: T399
// Callbacks keep coming while the scope ends and goes: each is a child that was joined, or refused.
TEST_P(portals_on, of_callbacks_against_the_end_of_the_scope_none_is_half_admitted) {
    for (int round = 0; round < 100; ++round) {
        auto s = std::make_unique<task_scope>(ex);
        const portal home(*s);
        std::atomic<int> ran{0};
        std::atomic<int> admitted{0};
        support::rendezvous start(3);
        support::threads callers;
        for (int t = 0; t < 2; ++t) {
            callers.start([&, mine = home] {
                start.meet();
                for (int i = 0; i < 20; ++i) {
                    if (mine.try_spawn([&] { ran.fetch_add(1, std::memory_order_relaxed); })) {
                        admitted.fetch_add(1, std::memory_order_relaxed);
                    }
                }
            });
        }
        start.meet();
        s->blocking_join();
        const int joined = ran.load();
        s.reset();
        callers.join();
        ASSERT_EQ(ran.load(), joined);
        ASSERT_EQ(admitted.load(), joined);
    }
}

TEST_P(portals_on, calls_from_many_threads_each_get_their_own_answer) {
    task_scope s{ex};
    const portal home(s);
    std::atomic<int> wrong{0};
    {
        support::threads callers;
        for (int t = 0; t < 4; ++t) {
            callers.start([&, t] {
                for (int i = 0; i < 50; ++i) {
                    const auto answer = [t, i]() -> task<int> {
                        co_await yield();
                        co_return 1000 * t + i;
                    };
                    if (home.call(answer) != 1000 * t + i) wrong.fetch_add(1);
                }
            });
        }
    }
    EXPECT_EQ(wrong.load(), 0);
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
