// tests/bridges/tbb_guest_test.cpp - algorithms of oneTBB, run by workers and awaited by tasks.
// SPDX-License-Identifier: MIT
#include <taskscope/bridges/tbb_guest.hpp>
#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <thread>
#include <utility>

namespace taskscope::test {
namespace {

namespace tbb = oneapi::tbb;
using support::until;

/// How many there are at the same time, and how many there ever were.
class crowd {
public:
    void enter() {
        const int now = now_.fetch_add(1) + 1;
        int most = most_.load();
        while (most < now && !most_.compare_exchange_weak(most, now)) {
        }
    }
    void leave() { now_.fetch_sub(1); }
    int now() const { return now_.load(); }
    int most() const { return most_.load(); }

private:
    std::atomic<int> now_{0};
    std::atomic<int> most_{0};
};

/// Something to do that no compiler removes.
void compute(int steps) {
    for (int i = 0; i < steps; ++i) asm volatile("" ::: "memory");
}

class one_thread : public support::ledger {
protected:
    manual_executor ex;
    tbb_guest guest{ex};
};

TEST_F(one_thread, gives_the_result_of_the_function) {
    std::string text = "a";
    const auto body = [&]() -> task<> {
        const int sum = co_await guest.run([] {
            return tbb::parallel_reduce(
                tbb::blocked_range<int>(0, 1000), 0,
                [](const tbb::blocked_range<int>& part, int before) {
                    for (int i = part.begin(); i != part.end(); ++i) before += i;
                    return before;
                },
                std::plus<>{});
        });
        EXPECT_EQ(sum, 499'500);
        std::unique_ptr<int> p = co_await guest.run([] { return std::make_unique<int>(7); });
        EXPECT_EQ(*p, 7);
        std::string& same = co_await guest.run([&text]() -> std::string& { return text; });
        same += "b";
    };
    ex.run(body());
    EXPECT_EQ(text, "ab");
}

TEST_F(one_thread, rethrows_what_a_body_throws) {
    int began = 0;
    const auto body = [&]() -> task<> {
        co_await guest.run([&] {
            tbb::parallel_for(0, 100, [&](int) {
                ++began;
                throw std::out_of_range("boom");
            });
        });
    };
    EXPECT_THROW(ex.run(body()), std::out_of_range);
    EXPECT_EQ(began, 1);
}

TEST_F(one_thread, a_function_of_a_stopped_task_is_not_called) {
    bool called = false;
    bool went_on = false;
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        s.request_stop();
        co_await guest.run([&] { called = true; });
        went_on = true;
    });
    s.blocking_join();
    EXPECT_FALSE(called);
    EXPECT_FALSE(went_on);
}

TEST_F(one_thread, a_stop_before_the_call_begins_ends_the_wait) {
    bool called = false;
    bool went_on = false;
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await guest.run([&] { called = true; });
        went_on = true;
    });
    EXPECT_TRUE(ex.run_one());  // the child; its call is queued
    s.request_stop();
    s.blocking_join();
    EXPECT_FALSE(called);
    EXPECT_FALSE(went_on);
}

TEST_F(one_thread, a_stop_cancels_the_algorithm_and_is_no_error) {
    int began = 0;
    bool returned = false;
    bool went_on = false;
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await guest.run([&] {
            tbb::parallel_for(
                tbb::blocked_range<int>(0, 1000, 1),
                [&](const tbb::blocked_range<int>&) {
                    ++began;
                    s.request_stop();
                },
                tbb::simple_partitioner{});
            returned = true;
        });
        went_on = true;
    });
    s.blocking_join();
    EXPECT_EQ(began, 1);
    EXPECT_TRUE(returned);
    EXPECT_FALSE(went_on);
}

TEST_F(one_thread, an_error_of_a_stopped_function_is_not_lost) {
    task_scope s{ex};
    std::optional<settled<void>> how;
    const auto failing = [&]() -> task<> {
        co_await guest.run([&] {
            s.request_stop();
            throw std::out_of_range("boom");
        });
    };
    s.spawn([&]() -> task<> { how = co_await settle(failing()); });
    s.blocking_join();
    ASSERT_TRUE(how.has_value());
    EXPECT_TRUE(how->has_error());
}

TEST_F(one_thread, a_guest_may_go_before_its_calls_have_begun) {
    bool called = false;
    task_scope s{ex};
    {
        tbb_guest short_lived(ex);
        s.spawn([&]() -> task<> { co_await short_lived.run([&] { called = true; }); });
        EXPECT_TRUE(ex.run_one());
    }
    s.blocking_join();
    EXPECT_TRUE(called);
}

TEST_F(one_thread, lends_at_least_one_worker_and_no_more_than_there_are) {
    EXPECT_EQ(guest.max_concurrency(), 1U);
    EXPECT_THROW(tbb_guest(ex, 0), std::invalid_argument);
    EXPECT_THROW(tbb_guest(ex, 2), std::invalid_argument);
    executor three{{.workers = 3}};
    EXPECT_EQ(tbb_guest(three).max_concurrency(), 2U);
    EXPECT_EQ(tbb_guest(three, 3).max_concurrency(), 3U);
}

using several_threads = support::ledger;

TEST_F(several_threads, idle_workers_join) {
    executor ex{{.workers = 4}};
    tbb_guest guest(ex);
    crowd bodies;
    const auto body = [&]() -> task<> {
        co_await guest.run([&] {
            tbb::parallel_for(
                0, 3,
                [&](int) {
                    bodies.enter();
                    EXPECT_TRUE(until([&] { return bodies.most() == 3; })) << "they do not meet";
                    bodies.leave();
                },
                tbb::simple_partitioner{});
        });
    };
    ex.run(body());
}

TEST_F(several_threads, one_worker_is_left_for_tasks_however_many_calls_there_are) {
    executor ex{{.workers = 3}};
    tbb_guest guest(ex);
    crowd bodies;
    std::atomic<bool> served{false};
    task_scope s{ex};
    for (int i = 0; i < 4; ++i) {
        s.spawn([&]() -> task<> {
            co_await guest.run([&] {
                tbb::parallel_for(0, 8, [&](int) {
                    bodies.enter();
                    EXPECT_TRUE(until([&] { return served.load(); }));
                    bodies.leave();
                });
            });
        });
    }
    ASSERT_TRUE(until([&] { return bodies.now() == 2; }));
    s.spawn([&] { served = true; });
    s.blocking_join();
    EXPECT_EQ(bodies.most(), 2);
}

TEST_F(several_threads, a_call_in_line_is_stopped_at_once_and_the_next_one_moves_up) {
    executor ex{{.workers = 2}};
    tbb_guest guest(ex);
    std::atomic<bool> holds{false};
    std::atomic<bool> let_go{false};
    std::atomic<bool> second{false};
    std::atomic<bool> third{false};
    std::atomic<bool> in_line{false};
    task_scope first_scope{ex};
    task_scope second_scope{ex};
    first_scope.spawn([&]() -> task<> {
        co_await guest.run([&] {
            holds = true;
            EXPECT_TRUE(until([&] { return let_go.load(); }));
        });
    });
    ASSERT_TRUE(until([&] { return holds.load(); }));
    second_scope.spawn([&]() -> task<> { co_await guest.run([&] { second = true; }); });
    first_scope.spawn([&]() -> task<> { co_await guest.run([&] { third = true; }); });
    first_scope.spawn([&] { in_line = true; });  // after them, on the one worker that is left
    ASSERT_TRUE(until([&] { return in_line.load(); }));
    second_scope.request_stop();
    second_scope.blocking_join();
    EXPECT_FALSE(third.load());
    let_go = true;
    first_scope.blocking_join();
    EXPECT_FALSE(second.load());
    EXPECT_TRUE(third.load());
}

// A body that the function has not waited for, as it should have, still runs on the worker that has joined.
TEST_F(several_threads, the_task_goes_on_when_nobody_is_in_the_arena) {
    executor ex{{.workers = 3}};
    tbb_guest guest(ex);
    tbb::task_group left_behind;
    std::atomic<bool> began{false};
    std::atomic<bool> let_go{false};
    std::atomic<bool> ended{false};
    std::atomic<bool> returned{false};
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await guest.run([&] {
            left_behind.run([&] {
                began = true;
                EXPECT_TRUE(until([&] { return let_go.load(); }));
                ended = true;
            });
            EXPECT_TRUE(until([&] { return began.load(); }));
            returned = true;
        });
        EXPECT_TRUE(ended.load());
    });
    ASSERT_TRUE(until([&] { return returned.load(); }));
    for (int probe = 0; probe < 100; ++probe) {  // time enough for a task that does not wait
        task_scope others{ex};
        others.spawn([] {});
        others.blocking_join();
    }
    let_go = true;
    s.blocking_join();
    left_behind.wait();
}

// Algorithms and tasks compete, and every place where something computes is counted.
TEST_F(several_threads, never_more_compute_than_there_are_workers) {
    constexpr int workers = 4;
    // So many threads oneTBB would start, however few processors there are.
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 8);
    executor ex{{.workers = workers}};
    tbb_guest guest(ex, 3);
    crowd all;
    crowd bodies;
    std::mutex mutex;
    std::set<std::thread::id> computed;  // guarded by mutex
    std::set<std::thread::id> ran_tasks;
    const auto remember = [&](std::set<std::thread::id>& where) {
        const std::lock_guard lock{mutex};
        where.insert(std::this_thread::get_id());
    };
    const std::ptrdiff_t threads_before = support::running_threads();
    std::atomic<bool> thread_started{false};
    task_scope s{ex};
    for (int i = 0; i < 6; ++i) {
        s.spawn([&]() -> task<> {
            for (int round = 0; round < 10; ++round) {
                co_await guest.run([&] {
                    tbb::parallel_for(
                        0, 64,
                        [&](int) {
                            all.enter();
                            bodies.enter();
                            remember(computed);
                            compute(5'000);
                            bodies.leave();
                            all.leave();
                        },
                        tbb::simple_partitioner{});
                    if (support::running_threads() != threads_before) thread_started = true;
                });
            }
        });
        s.spawn([&]() -> task<> {
            for (int round = 0; round < 400; ++round) {
                all.enter();
                remember(ran_tasks);
                compute(5'000);
                all.leave();
                co_await yield();
            }
        });
    }
    s.blocking_join();
    EXPECT_LE(all.most(), workers);
    EXPECT_LE(bodies.most(), 3);
    EXPECT_FALSE(thread_started.load()) << "oneTBB has started a thread";
    EXPECT_LE(ran_tasks.size(), static_cast<std::size_t>(workers));
    computed.insert(ran_tasks.begin(), ran_tasks.end());
    EXPECT_LE(computed.size(), static_cast<std::size_t>(workers)) << "a body ran on another thread";
}

class guests : public support::ledger, public testing::WithParamInterface<unsigned> {
protected:
    executor ex{{.workers = GetParam()}};
    tbb_guest guest{ex, GetParam()};
};

INSTANTIATE_TEST_SUITE_P(workers, guests, testing::Values(1, 2, 4));

TEST_P(guests, each_body_of_many_calls_runs_exactly_once) {
    constexpr int calls = 100;
    constexpr int parts = 50;
    support::tally ran(calls * parts);
    crowd calling;
    task_scope s{ex};
    for (int i = 0; i < calls; ++i) {
        s.spawn([&, i]() -> task<> {
            co_await guest.run([&, i] {
                calling.enter();
                tbb::parallel_for(0, parts, [&](int part) {
                    ran.count(static_cast<std::size_t>(i * parts + part));
                });
                calling.leave();
            });
        });
    }
    s.blocking_join();
    EXPECT_TRUE(ran.exactly_once());
    EXPECT_LE(calling.most(), static_cast<int>(GetParam()));
}

const task_local<int> number;

TEST_P(guests, bodies_see_locals_and_scope_of_their_task_and_spawn_into_it) {
    constexpr int tasks = 6;
    constexpr int parts = 100;
    std::atomic<int> wrong{0};
    support::tally spawned(tasks * parts);
    const auto request = [&](int mine) -> task<> {
        co_await with_scope([&](task_scope& own) -> task<> {
            co_await guest.run([&] {
                tbb::parallel_for(0, parts, [&](int part) {
                    if (number.get_or(-1) != mine || &current_scope() != &own) wrong.fetch_add(1);
                    spawn([&, part] {
                        if (number.get_or(-1) != mine) wrong.fetch_add(1);
                        spawned.count(static_cast<std::size_t>(mine * parts + part));
                    });
                });
            });
            if (number.get_or(-1) != mine) wrong.fetch_add(1);
        });
    };
    task_scope all{ex};
    for (int i = 0; i < tasks; ++i) all.spawn(with_local(number, i, request(i)));
    all.blocking_join();
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_TRUE(spawned.exactly_once());
}

// Bodies that run until they are cancelled: the await ends only because the stop reaches them, and not before.
TEST_P(guests, a_stop_from_another_thread_reaches_running_bodies_and_waits_for_them) {
    crowd bodies;
    std::atomic<bool> returned{false};
    std::atomic<bool> went_on{false};
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await guest.run([&] {
            tbb::parallel_for(0, 1000, [&](int) {
                bodies.enter();
                EXPECT_TRUE(until([] { return tbb::is_current_task_group_canceling(); }));
                bodies.leave();
            });
            returned = true;
        });
        went_on = true;
    });
    ASSERT_TRUE(until([&] { return bodies.now() != 0; }));
    EXPECT_FALSE(s.has_ended());
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(bodies.now(), 0);
    EXPECT_TRUE(returned.load());
    EXPECT_FALSE(went_on.load());
    EXPECT_LE(bodies.most(), static_cast<int>(GetParam()));
}

TEST_P(guests, a_shutdown_cancels_a_call_and_those_in_line) {
    std::atomic<int> called{0};
    std::atomic<int> went_on{0};
    for (int i = 0; i < 8; ++i) {
        ex.root().spawn([&]() -> task<> {
            co_await guest.run([&] {
                called.fetch_add(1);
                EXPECT_TRUE(until([] { return tbb::is_current_task_group_canceling(); }));
            });
            went_on.fetch_add(1);
        });
    }
    ASSERT_TRUE(until([&] { return called.load() != 0; }));
    ex.shutdown();
    EXPECT_EQ(went_on.load(), 0);
    EXPECT_LE(called.load(), static_cast<int>(GetParam()));
}

// Stops come at any time between the begin of the await and its end.
TEST_P(guests, stops_that_race_with_calls_leave_nothing_behind) {
    constexpr int rounds = 300;
    std::atomic<int> running{0};
    for (int i = 0; i < rounds; ++i) {
        task_scope s{ex};
        for (int child = 0; child < 3; ++child) {
            s.spawn([&]() -> task<> {
                co_await guest.run([&] {
                    tbb::parallel_for(0, 20, [&](int) {
                        running.fetch_add(1);
                        compute(50);
                        running.fetch_sub(1);
                    });
                });
            });
        }
        compute(i * 100);
        s.request_stop();
        s.blocking_join();
        ASSERT_EQ(running.load(), 0) << "round " << i;
    }
}

TEST_P(guests, a_task_of_another_executor_goes_on_at_home) {
    executor home{{.workers = 1}};
    const auto body = [&]() -> task<> {
        const std::thread::id before = std::this_thread::get_id();
        const std::thread::id within =
            co_await guest.run([] { return std::this_thread::get_id(); });
        EXPECT_NE(within, before);
        EXPECT_EQ(std::this_thread::get_id(), before);
    };
    home.run(body());
}

}  // namespace
}  // namespace taskscope::test
