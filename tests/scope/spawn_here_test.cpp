// tests/scope/spawn_here_test.cpp - a child that runs before its spawner goes on.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace taskscope::test {
namespace {

using testing::ElementsAre;

class spawn_here : public ledger_test {
protected:
    manual_executor ex;
    std::vector<std::string> log;

    task<> note(std::string what) {
        log.push_back(std::move(what));
        co_return;
    }
};

TEST_F(spawn_here, runs_the_child_before_the_caller_goes_on) {
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn(note("spawned"));
            co_await s.spawn_here(note("here"));
            log.emplace_back("caller");
        });
    });
    EXPECT_THAT(log, ElementsAre("here", "spawned", "caller"));
}

TEST_F(spawn_here, lets_the_caller_go_on_when_the_child_suspends) {
    run(ex, [&]() -> task<> {
        async_event go;
        co_await with_scope([&](task_scope& s) -> task<> {
            co_await s.spawn_here(&wait_for, std::ref(go));
            log.emplace_back("caller");
            go.set();
        });
    });
    EXPECT_THAT(log, ElementsAre("caller"));
}

// cases: T052
TEST_F(spawn_here, takes_callables_with_arguments_and_names) {
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            const spawn_options o{.name = "third"};
            co_await s.spawn_here([this] { log.emplace_back("first"); });
            co_await s.spawn_here([this](int n) { log.push_back(std::to_string(n)); }, 2);
            co_await s.spawn_here(
                o,
                [this, &s](int a, int b) -> task<> {
                    log.push_back(std::to_string(a + b));
                    log.push_back(dump(s).find("third") != std::string::npos ? "listed"
                                                                             : "missing");
                    co_return;
                },
                1, 2);
        });
    });
    EXPECT_THAT(log, ElementsAre("first", "2", "3", "listed"));
}

TEST_F(spawn_here, gives_errors_to_the_scope_and_not_to_the_caller) {
    std::string told;
    const auto tell = [&](const error_context& e) { told = describe(e.error); };
    task_scope s{ex, {.policy = tell}};
    run(ex, [&]() -> task<> {
        co_await s.spawn_here(throw_boom());
        log.emplace_back("caller");
    });
    EXPECT_THAT(log, ElementsAre("caller"));
    EXPECT_THAT(told, testing::HasSubstr("boom"));
    EXPECT_TRUE(s.has_errors());
}

// cases: T049, T097, T121
TEST_F(spawn_here, into_a_group_whose_child_fails_stops_the_caller_at_its_next_wait) {
    EXPECT_THROW(run(ex,
                     [&]() -> task<> {
                         co_await with_group([&](task_group& g) -> task<> {
                             co_await g.spawn_here(throw_boom());
                             log.emplace_back("caller");
                             co_await checkpoint();
                             log.emplace_back("never");
                         });
                     }),
                 exception_group);
    EXPECT_THAT(log, ElementsAre("caller"));
}

TEST_F(spawn_here, into_a_closed_scope_throws_and_runs_nothing) {
    task_scope s{ex};
    s.close();
    run(ex, [&]() -> task<> {
        EXPECT_THROW(co_await s.spawn_here(note("child")), scope_closed);
        log.emplace_back("caller");
    });
    EXPECT_THAT(log, ElementsAre("caller"));
}

TEST_F(spawn_here, into_a_scope_that_was_stopped_ends_the_child_unrun) {
    task_scope s{ex};
    s.request_stop();
    run(ex, [&]() -> task<> {
        co_await s.spawn_here(note("child"));
        log.emplace_back("caller");
    });
    EXPECT_THAT(log, ElementsAre("caller"));
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(spawn_here, goes_on_in_the_callers_own_scope) {
    task_scope other{ex, {.name = "other"}};
    run(ex, [&]() -> task<> {
        co_await with_scope("own", [&](task_scope& own) -> task<> {
            co_await other.spawn_here([&] { log.emplace_back(current_scope().path()); });
            log.emplace_back(&current_scope() == &own ? "own" : "lost");
        });
    });
    EXPECT_THAT(log, ElementsAre("/other", "own"));
}

TEST_F(spawn_here, that_is_not_awaited_spawns) {
    task_scope s{ex};
    run(ex, [&]() -> task<> {
        {
            auto unused = s.spawn_here(note("child"));
        }
        log.emplace_back("caller");
        co_return;
    });
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("caller", "child"));
}

// cases: T022
TEST_F(spawn_here, into_another_executors_scope_spawns_there) {
    manual_executor elsewhere;
    task_scope s{elsewhere};
    run(ex, [&]() -> task<> {
        co_await s.spawn_here(note("child"));
        log.emplace_back("caller");
    });
    EXPECT_THAT(log, ElementsAre("caller"));
    elsewhere.run_ready();
    EXPECT_THAT(log, ElementsAre("caller", "child"));
}

// With one worker nobody can steal the caller: fairness alone brings it back.
TEST(spawn_here_fairness, brings_the_caller_back_from_a_child_that_never_suspends) {
    executor ex{{.workers = 1}};
    std::atomic<bool> went_on{false};
    struct endless {
        static task<> nothing() { co_return; }
        static task<> until(std::atomic<bool>& done) {
            while (!done.load()) co_await nothing();
        }
    };
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            co_await s.spawn_here(endless::until(went_on));
            went_on = true;
        });
    });
    EXPECT_TRUE(went_on.load());
}

// A thief leaves a caller alone that comes back at once, as it does from each of many short children; but not longer than it does.
TEST(spawn_here_fairness, lets_the_caller_go_on_elsewhere_when_a_child_takes_long) {
    for (const unsigned spins : {0U, 16U}) {
        executor ex{{.workers = 2, .spins = spins}};
        std::atomic<int> rounds{0};
        run(ex, [&]() -> task<> {
            co_await with_scope([&](task_scope& s) -> task<> {
                for (int round = 0; round < 50; ++round) {
                    for (int i = 0; i < 2'000; ++i)
                        co_await s.spawn_here([]() -> task<> { co_return; });
                    co_await s.spawn_here([&rounds, round]() -> task<> {
                        EXPECT_TRUE(support::until([&] { return rounds.load() > round; }));
                        co_return;
                    });
                    ++rounds;
                }
            });
        });
    }
}

class spawn_here_on : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, spawn_here_on, testing::Values(1, 2, 8));

TEST_P(spawn_here_on, runs_each_child_once_and_keeps_few) {
    constexpr int n = 20'000;
    support::tally ran(n);
    std::atomic<std::int64_t> most{0};
    const std::int64_t before = frames().live;
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            for (int i = 0; i < n; ++i) {
                co_await s.spawn_here([&ran, i]() -> task<> {
                    ran.count(static_cast<std::size_t>(i));
                    co_return;
                });
                if (i % 1'000 == 0) most = std::max(most.load(), frames().live - before);
            }
        });
    });
    EXPECT_TRUE(ran.exactly_once());
    // A worker may be held up with its child for as long as it likes, and others have taken the caller.
    EXPECT_LE(most.load(), 8 + 3 * static_cast<std::int64_t>(GetParam()));
}

// Each level's caller waits in the deque while the level below runs; nothing of it is on the stack.
task<> nest(task_scope& s, int depth, std::atomic<int>& ended) {
    if (depth > 0) co_await s.spawn_here(nest(s, depth - 1, ended));
    ended.fetch_add(1, std::memory_order_relaxed);
}

// cases: T369, T412
TEST_P(spawn_here_on, may_nest_as_deep_as_memory_goes) {
    std::atomic<int> ended{0};
    run(ex, [&]() -> task<> {
        co_await with_scope(
            [&](task_scope& s) -> task<> { co_await s.spawn_here(nest(s, 100'000, ended)); });
    });
    EXPECT_EQ(ended.load(), 100'001);
}

}  // namespace
}  // namespace taskscope::test
