// tests/scope/members_test.cpp - scopes whose children are counted in stripes.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/manual_executor.hpp>
#include <taskscope/task_scope.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;
using detail::scope_access;

/// A scope is spread when threads have often stood in line for it. Here at once.
class spread_scopes : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
    task_scope s{ex};
    async_event go;

    spread_scopes() { scope_access::state(s).spread_members(); }
};

INSTANTIATE_TEST_SUITE_P(workers, spread_scopes, testing::Values(1, 2, 8));

task<> spawn_some(task_scope& s, int n, async_event& go) {
    for (int i = 0; i < n; ++i) s.spawn(wait_for(go));
    co_return;
}

// cases: T007, H9
TEST_P(spread_scopes, know_how_many_children_they_have) {
    for (int i = 0; i < 3; ++i) s.spawn(spawn_some(s, 10, go));
    s.spawn(wait_for(go));
    while (s.counts().spawned != 34 || s.counts().live != 31) std::this_thread::yield();
    go.set();
    s.blocking_join();
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().spawned, 34U);
}

TEST_P(spread_scopes, count_a_child_until_its_handle_is_done) {
    auto h = s.spawn_future(wait_for(go));
    EXPECT_EQ(s.counts().live, 1U);
    go.set();
    ex.run(std::move(h).as_task());
    EXPECT_EQ(s.counts().live, 0U);  // and may go without a join
}

TEST_P(spread_scopes, admit_nobody_after_a_close) {
    s.spawn(wait_for(go));
    s.close();
    EXPECT_FALSE(s.try_spawn(wait_for(go)));
    EXPECT_THROW(s.spawn(wait_for(go)), scope_closed);
    EXPECT_EQ(s.counts().refused, 2U);
    EXPECT_EQ(s.counts().live, 1U);
    go.set();
    s.blocking_join();
}

TEST_P(spread_scopes, count_those_they_had_before) {
    task_scope early{ex};
    early.spawn(wait_for(go));
    scope_access::state(early).spread_members();
    early.spawn(wait_for(go));
    EXPECT_EQ(early.counts().live, 2U);
    EXPECT_EQ(early.counts().spawned, 2U);
    go.set();
    early.blocking_join();
    EXPECT_EQ(early.counts().live, 0U);
    s.blocking_join();
}

TEST_P(spread_scopes, call_deferred_functions_after_the_last_child) {
    std::atomic<int> left{2};
    int seen = -1;
    s.defer([&] { seen = left.load(); });
    for (int i = 0; i < 2; ++i) {
        s.spawn([&]() -> task<> {
            co_await go.wait();
            --left;
        });
    }
    go.set();
    s.blocking_join();
    EXPECT_EQ(seen, 0);
}

// cases: T404, T406, H9
TEST_P(spread_scopes, of_all_workers_are_joined_after_the_last_child) {
    for (int round = 0; round < 100; ++round) {
        auto scope = std::make_unique<task_scope>(ex);
        std::vector<int> ran(80, 0);  // plain: the join has to order it
        if (round % 2 == 0) scope_access::state(*scope).spread_members();
        for (std::size_t p = 0; p < 8; ++p) {
            scope->spawn([&ran, p, s = scope.get()] {
                for (std::size_t i = 0; i < 10; ++i) s->spawn([&n = ran[10 * p + i]] { ++n; });
            });
        }
        if (round % 2 == 1) scope_access::state(*scope).spread_members();
        scope->blocking_join();
        ASSERT_EQ(scope->counts().spawned, 88U);
        scope.reset();
        for (const int n : ran) ASSERT_EQ(n, 1);
    }
    s.blocking_join();
}

TEST(spread_scopes_in_time, tell_a_shutdown_who_is_left) {
    manual_executor ex;
    async_event go;
    task_scope s{ex};
    scope_access::state(s).spread_members();
    s.spawn({"stubborn"}, wait_shielded(go));
    s.spawn({"willing"}, wait_for(go));
    ex.run_ready();
    const shutdown_report report = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_EQ(report.drained(), 0U);
    EXPECT_EQ(report.stopped(), 1U);
    EXPECT_EQ(report.abandoned(), 1U);
    ASSERT_EQ(report.stragglers.size(), 1U);
    EXPECT_EQ(report.stragglers[0].name, "stubborn");
    go.set();
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
