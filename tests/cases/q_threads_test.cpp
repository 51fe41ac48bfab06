// tests/cases/q_threads_test.cpp - groups P, Q and T: many threads at one scope, and at one executor.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <support/ledger.hpp>
#include <support/until.hpp>

namespace taskscope::test {
namespace {

class crowds : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, crowds, testing::Values(1, 2, 8));

// cases: T401
TEST_P(crowds, spawn_into_a_group_while_a_thread_and_a_task_wait_for_it) {
    for (int round = 0; round < 30; ++round) {
        task_group g{ex};
        async_event release;
        g.spawn(wait_for, std::ref(release));  // keeps it open
        task_scope waiting{ex};
        std::atomic<int> waited{0};
        waiting.spawn([&]() -> task<> {
            co_await g.join();
            waited.fetch_add(1);
        });
        support::threads joiner;
        joiner.start([&] {
            g.blocking_join();
            waited.fetch_add(1);
        });
        support::tally ran(4 * 25);
        support::threads spawners;
        for (std::size_t t = 0; t < 4; ++t) {
            spawners.start([&, t] {
                for (std::size_t i = 0; i < 25; ++i) {
                    g.spawn([&ran](std::size_t n) { ran.count(n); }, t * 25 + i);
                }
            });
        }
        spawners.join();
        ASSERT_EQ(waited.load(), 0);
        release.set();
        joiner.join();
        waiting.blocking_join();
        ASSERT_EQ(waited.load(), 2);
        ASSERT_TRUE(ran.exactly_once());
    }
}

// cases: T404
TEST_P(crowds, of_children_from_many_threads_against_close_and_join_are_run_as_they_were_admitted) {
    constexpr std::size_t each = 64;
    for (int round = 0; round < 10; ++round) {
        task_scope s{ex};
        async_event release;
        s.spawn(wait_for, std::ref(release));
        std::atomic<std::uint64_t> admitted{0};
        std::atomic<std::uint64_t> ran{0};
        support::threads all;
        for (int t = 0; t < 8; ++t) {
            all.start([&] {
                for (std::size_t i = 0; i < each; ++i) {
                    const auto child = [&ran]() -> task<> {
                        co_await yield();
                        ran.fetch_add(1);
                    };
                    if (s.try_spawn(child)) admitted.fetch_add(1);
                }
            });
        }
        all.start([&] {
            while (admitted.load() < each) std::this_thread::yield();
            s.close();
            release.set();
        });
        s.blocking_join();
        const std::uint64_t at_the_join = ran.load();
        all.join();
        ASSERT_EQ(at_the_join, admitted.load());
        ASSERT_EQ(s.counts().spawned, admitted.load() + 1);
        ASSERT_EQ(s.counts().spawned + s.counts().refused, 8 * each + 1);
    }
}

// cases: T405, T412
TEST_P(crowds, of_a_hundred_joins_each_completes_once_when_the_last_child_has) {
    for (int round = 0; round < 10; ++round) {
        support::tally joined(100);
        int last = 0;  // plain: the join has to order it
        task_scope joiners{ex};
        {
            task_scope s{ex};
            async_event release;
            s.spawn([&]() -> task<> {
                co_await release.wait();
                last = 1;
            });
            support::threads threads;
            for (std::size_t i = 0; i < 8; ++i) {
                threads.start([&, i] {
                    s.blocking_join();
                    EXPECT_EQ(last, 1);
                    joined.count(i);
                });
            }
            for (std::size_t i = 8; i < 100; ++i) {
                joiners.spawn([&, i]() -> task<> {
                    co_await s.join();
                    EXPECT_EQ(last, 1);
                    joined.count(i);
                });
            }
            release.set();
            threads.join();
            joiners.blocking_join();
        }
        ASSERT_TRUE(joined.exactly_once());
    }
}

// cases: T412, H5
TEST_P(crowds, of_sixty_four_that_fail_at_once_elect_one_error_to_be_the_first) {
    for (int round = 0; round < 30; ++round) {
        std::atomic<int> stops{0};
        const auto count = [&stops] { stops.fetch_add(1); };
        task_group g{ex};
        const stop_callback on_stop(g.scope().get_token(), count);
        async_barrier barrier{64};
        std::atomic<std::size_t> thrown{0};
        for (int i = 0; i < 64; ++i) {
            g.spawn([&]() -> task<> {
                co_await barrier.arrive_and_wait();
                thrown.fetch_add(1);
                throw boom();
            });
        }
        std::size_t told = 0;
        try {
            g.blocking_join();
        } catch (const exception_group& e) {
            told = e.errors().size();
        }
        ASSERT_EQ(told, 64U);
        ASSERT_EQ(thrown.load(), 64U);
        ASSERT_EQ(stops.load(), 1);
    }
}

// cases: T399, T438
TEST_P(crowds, that_spawn_while_the_root_is_shut_down_are_refused_or_run) {
    for (int round = 0; round < 30; ++round) {
        std::optional<executor> short_lived(std::in_place, executor_options{.workers = GetParam()});
        task_scope& root = short_lived->root();
        std::atomic<int> admitted{0};
        std::atomic<int> ended{0};
        support::threads spawners;
        std::atomic<bool> done{false};
        for (int t = 0; t < 2; ++t) {
            spawners.start([&] {
                struct at_end {
                    std::atomic<int>& n;
                    ~at_end() { n.fetch_add(1); }
                };
                while (!done.load()) {
                    const auto child = [&ended]() -> task<> {
                        const at_end e{ended};
                        co_await yield();
                    };
                    if (root.try_spawn(child)) admitted.fetch_add(1);
                }
            });
        }
        ASSERT_TRUE(support::until([&] { return admitted.load() > 10; }));
        const shutdown_report r = root.blocking_shutdown({.drain = 10s, .stop = 10s});
        EXPECT_TRUE(r.complete());
        done = true;
        spawners.join();
        short_lived.reset();
        ASSERT_EQ(ended.load(), admitted.load());
    }
}

// cases: T433
TEST(fairness, two_tasks_that_wake_each_other_do_not_starve_a_third) {
    executor ex{{.workers = 1}};
    async_auto_event ping;
    async_auto_event pong;
    std::atomic<bool> third_ran{false};
    std::atomic<int> rallies{0};
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        while (!third_ran) {
            ping.set();
            co_await pong.wait();
            rallies.fetch_add(1);
        }
        ping.set();
    });
    s.spawn([&]() -> task<> {
        while (!third_ran) {
            co_await ping.wait();
            pong.set();
        }
        pong.set();
    });
    ASSERT_TRUE(support::until([&] { return rallies.load() > 1000; }));
    s.spawn([&] { third_ran = true; });
    s.blocking_join();
    EXPECT_TRUE(third_ran);
}

}  // namespace
}  // namespace taskscope::test
