// tests/noise/scopes.cpp - programs of spawns, joins, steals, stops, handles and shutdowns.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/parallel.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/spawn_future.hpp>
#include <taskscope/task_scope.hpp>
#include <taskscope/with_scope.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <noise/programs.hpp>
#include <optional>
#include <support/cargo.hpp>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <utility>
#include <vector>

namespace noise {
namespace {

using namespace std::chrono_literals;
using support::cargo;
using support::tally;
using taskscope::async_event;
using taskscope::task;
using taskscope::task_scope;

class scopes : public program_without_timers {};
INSTANTIATE_TEST_SUITE_P(on, scopes, all_settings, name_of);

task<> count_and_yield(tally& ran, std::size_t i) {
    ran.count(i);
    co_await taskscope::yield();
}

TEST_P(scopes, run_each_child_once_whoever_spawns_it) {
    while (again()) {
        constexpr std::size_t each = 100;
        tally ran(4 * each);
        task_scope s{*ex};
        support::threads others;
        others.start([&] {
            for (std::size_t i = 0; i < each; ++i) s.spawn(count_and_yield(ran, i));
        });
        s.spawn([&]() -> task<> {
            for (std::size_t i = each; i < 2 * each; ++i) {
                s.spawn([&ran, i] { ran.count(i); });
                co_await s.spawn_here(count_and_yield(ran, i + 2 * each));
            }
        });
        for (std::size_t i = 2 * each; i < 3 * each; ++i) s.spawn([&ran, i] { ran.count(i); });
        others.join();
        s.blocking_join();
        EXPECT_TRUE(ran.exactly_once());
    }
}

TEST_P(scopes, are_joined_and_destroyed_by_the_next_statement) {
    while (again()) {
        for (int i = 0; i < 10; ++i) {
            int ran = 0;  // plain: the join has to order it
            {
                task_scope s{*ex};
                s.spawn([&ran] { ++ran; });
                s.blocking_join();
            }
            ASSERT_EQ(ran, 1);
        }
    }
}

TEST_P(scopes, refuse_or_join_what_comes_while_they_close) {
    while (again()) {
        task_scope s{*ex};
        std::atomic<int> admitted{0};
        std::atomic<int> ran{0};
        support::threads others;
        for (int t = 0; t < 2; ++t) {
            others.start([&] {
                for (int i = 0; i < 20; ++i) {
                    if (s.try_spawn([&ran] { ran.fetch_add(1); })) admitted.fetch_add(1);
                }
            });
        }
        s.close();
        others.join();
        s.blocking_join();
        EXPECT_EQ(ran.load(), admitted.load());
    }
}

TEST_P(scopes, lose_no_child_between_its_stop_and_its_end) {
    while (again()) {
        task_scope s{*ex};
        async_event never;
        async_event now;
        std::atomic<std::uint64_t> ended{0};
        for (int i = 0; i < 20; ++i) {
            s.spawn([&]() -> task<> {
                co_await taskscope::yield();
                ended.fetch_add(1);
            });
            s.spawn([&]() -> task<> {
                co_await never.wait();
                ended.fetch_add(1);
            });
            s.spawn([&]() -> task<> {
                co_await now.wait();
                ended.fetch_add(1);
            });
        }
        support::threads others;
        others.start([&] { s.request_stop(); });
        now.set();
        others.join();
        s.blocking_join();
        EXPECT_EQ(s.counts().stopped + ended.load(), 60U);
    }
}

TEST_P(scopes, destroy_what_dropped_handles_leave_before_they_are_joined) {
    while (again()) {
        support::manifest cargoes(support::fragility::none, 1);
        task_scope s{*ex};
        std::vector<taskscope::child_handle<cargo>> held;
        held.reserve(4);
        for (int i = 0; i < 4; ++i) {
            held.push_back(
                s.spawn_future([&cargoes]() -> task<cargo> { co_return cargo(cargoes); }));
        }
        support::threads others;
        others.start([&] { held.pop_back(); });
        s.spawn([&s] { s.request_stop(); });
        others.join();
        held.pop_back();
        s.blocking_join();
        EXPECT_LE(cargoes.alive(), 2);
        held.clear();
        EXPECT_EQ(cargoes.alive(), 0);
    }
}

task<long> fib(int n) {
    if (n < 2) co_return n;
    auto [a, b] = co_await taskscope::fork_join(fib(n - 1), fib(n - 2));
    co_return a + b;
}

TEST_P(scopes, steal_branches_and_join_them) {
    while (again()) EXPECT_EQ(ex->run(fib(10)), 55);
}

long sum(long first, long last) {
    if (last - first == 1) return first;
    const long middle = (first + last) / 2;
    long a = 0;
    long b = 0;
    taskscope::parallel_invoke([&] { a = sum(first, middle); }, [&] { b = sum(middle, last); });
    return a + b;
}

TEST_P(scopes, run_plain_functions_that_wait_for_their_thieves) {
    while (again()) {
        auto whole = []() -> task<long> { co_return sum(0, 100); };
        EXPECT_EQ(ex->run(whole()), 4950);
    }
}

task<> nest(int depth, async_event& never, std::atomic<int>& bodies) {
    bodies.fetch_add(1);
    const auto body = [&, depth](task_scope& s) -> task<> {
        for (int i = 0; i < 2 && depth > 0; ++i) s.spawn(nest(depth - 1, never, bodies));
        co_await never.wait();
    };
    co_await taskscope::with_scope(body);
}

TEST_P(scopes, stop_a_tree_that_still_grows) {
    while (again()) {
        async_event never;
        std::atomic<int> bodies{0};
        task_scope s{*ex};
        s.spawn(nest(4, never, bodies));
        support::threads others;
        others.start([&] { static_cast<void>(s.describe()); });
        s.request_stop();
        s.blocking_join();
        EXPECT_LE(bodies.load(), 31);
    }
}

TEST_P(scopes, end_executors_that_were_busy_a_moment_before) {
    while (again()) {
        std::atomic<int> ran{0};
        support::threads others;
        {
            task_scope s{*ex};
            for (int t = 0; t < 2; ++t) {
                others.start([&] {
                    for (int i = 0; i < 10; ++i) s.spawn([&ran] { ran.fetch_add(1); });
                });
            }
            ex->root().spawn([&ran] { ran.fetch_add(1); });
            others.join();
            s.blocking_join();
        }
        end_executor();
        EXPECT_EQ(ran.load(), 21);
        make_executor();
    }
}

class shutdowns : public program {};
INSTANTIATE_TEST_SUITE_P(on, shutdowns, all_settings, name_of);

TEST_P(shutdowns, end_a_tree_of_scopes_and_report_everyone) {
    while (again()) {
        async_event never;
        async_event late;
        task_scope top{*ex, {.name = "top"}};
        task_scope left{top, {.name = "left"}};
        task_scope right{top, {.name = "right"}};
        for (task_scope* s : {&left, &right}) {
            for (int i = 0; i < 5; ++i) {
                s->spawn([&]() -> task<> { co_await never.wait(); });
                s->spawn([]() -> task<> { co_await taskscope::yield(); });
                s->spawn([&]() -> task<> { co_await late.wait_shielded(); });
            }
        }
        support::threads others;
        others.start([&] { late.set(); });
        const taskscope::shutdown_report r =
            top.blocking_shutdown({.drain = 0ms, .stop = std::chrono::hours(1)});
        EXPECT_TRUE(r.complete());
        EXPECT_EQ(r.stragglers.size(), 0U);
    }
}

}  // namespace
}  // namespace noise
