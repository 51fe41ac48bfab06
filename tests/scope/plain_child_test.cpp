// tests/scope/plain_child_test.cpp - children that are functions, and no tasks.
// SPDX-License-Identifier: MIT
#include "recorder.hpp"

#include <taskscope/parallel.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <support/until.hpp>
#include <thread>
#include <utility>

namespace taskscope::test {
namespace {

class plain_children : public ledger_test {};
class plain_children_on : public on_workers {};

TEST_F(plain_children, are_one_piece_of_memory) {
    manual_executor ex;
    task_scope s{ex};
    const std::int64_t before = frames().live;
    s.spawn([] {});
    EXPECT_EQ(frames().live - before, 1);
    const auto with_a_pointer = [&s] { static_cast<void>(s.name()); };
    static_assert(sizeof(detail::plain_record<decltype(with_a_pointer)>) == 48);
    s.spawn([]() -> task<> { co_return; });
    EXPECT_EQ(frames().live - before, 3);
    s.blocking_join();
}

TEST_F(plain_children, are_called_once_with_what_they_were_given_on_behalf_of_their_scope) {
    manual_executor ex;
    task_scope s{ex, {.name = "s"}};
    std::string called;
    s.spawn(
        [&called](std::unique_ptr<int> n, const std::string& what) {
            called += what + std::to_string(*n) + std::string(current_scope().name());
        },
        std::make_unique<int>(1), std::string("a"));
    EXPECT_EQ(called, "");
    s.blocking_join();
    EXPECT_EQ(called, "a1s");
    EXPECT_EQ(s.counts().spawned, 1U);
}

// Those that are through leave together with the one that runs.
TEST_F(plain_children, are_live_until_they_are_through) {
    executor ex{{.workers = 1}};
    task_scope s{ex};
    std::atomic<bool> inside{false};
    std::atomic<bool> may_end{false};
    s.spawn([&] {
        s.spawn([&] {
            inside.store(true);
            while (!may_end.load()) std::this_thread::yield();
        });
        for (int i = 0; i < 20; ++i) s.spawn([] {});  // the youngest first
    });
    ASSERT_TRUE(support::until([&] { return inside.load(); }));
    EXPECT_EQ(s.counts().live, 1U);
    EXPECT_EQ(s.counts().spawned, 22U);
    may_end.store(true);
    s.blocking_join();
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(plain_children, may_return_what_nobody_wants) {
    manual_executor ex;
    task_scope s{ex};
    const auto held = std::make_shared<int>(0);
    s.spawn([held] { return held; });
    s.blocking_join();
    EXPECT_EQ(held.use_count(), 1);
}

// More than a deque holds.
TEST_F(plain_children, run_in_the_order_of_their_spawns_on_a_manual_executor) {
    constexpr int many = 70'000;
    manual_executor ex;
    task_scope s{ex};
    int next = 0;
    int out_of_turn = 0;
    s.spawn([&] {
        for (int i = 0; i < many; ++i) {
            s.spawn([&, i] {
                if (i != next) ++out_of_turn;
                next = i + 1;
            });
        }
    });
    s.blocking_join();
    EXPECT_EQ(next, many);
    EXPECT_EQ(out_of_turn, 0);
}

TEST_F(plain_children, are_not_what_gives_a_task_by_reference) {
    manual_executor ex;
    task_scope s{ex};
    int ran = 0;
    const auto work = [](int& n) -> task<> {
        ++n;
        co_return;
    };
    s.spawn(std::identity{}, work(ran));
    s.spawn([&]() -> const task<> { return work(ran); });
    s.blocking_join();
    EXPECT_EQ(ran, 2);
}

// cases: S33, S34
TEST_F(observers, of_a_function_are_told_that_it_starts_and_how_it_ends) {
    ex.root().set_policy([](const error_context&) {});
    const observation o = observe(ex, std::make_shared<recorder>(log));
    ex.root().spawn(spawn_options{.name = "good"}, [] {});
    ex.root().spawn(spawn_options{.name = "bad"}, [] { throw boom(); });
    {
        task_scope s{ex.root()};
        s.request_stop();
        s.spawn(spawn_options{.name = "late"}, [] {});
        s.blocking_join();
    }
    EXPECT_THAT(log,
                testing::ElementsAre("spawned good", "spawned bad", "spawned late", "started good",
                                     "value good", "started bad", "error bad", "stopped late"));
}

TEST_P(plain_children_on, leave_nothing_of_their_errors_behind_the_join) {
    executor ex{{.workers = GetParam()}};
    for (int round = 0; round < 100; ++round) {
        const auto part_of_the_error = std::make_shared<int>(0);
        task_scope s{ex, {.name = "s", .policy = ignore_errors}};
        for (int i = 0; i < 10; ++i) s.spawn([part_of_the_error] { throw part_of_the_error; });
        s.blocking_join();
        EXPECT_EQ(part_of_the_error.use_count(), 1);
        EXPECT_EQ(s.counts().failed, 10U);
    }
}

TEST_P(plain_children_on, help_others_and_stay_in_their_scope) {
    executor ex{{.workers = GetParam()}};
    task_scope s{ex, {.name = "s"}};
    std::atomic<int> strangers{0};
    std::atomic<int> grandchildren{0};
    const auto look = [&] {
        if (&current_scope() != &s) ++strangers;
    };
    for (int i = 0; i < 200; ++i) {
        s.spawn([&] {
            parallel_invoke(look, look, look);
            look();
            current_scope().spawn([&] {
                look();
                ++grandchildren;
            });
            look();
        });
    }
    s.blocking_join();
    EXPECT_EQ(strangers, 0);
    EXPECT_EQ(grandchildren, 200);
}

INSTANTIATE_TEST_SUITE_P(workers, plain_children_on, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace taskscope::test
