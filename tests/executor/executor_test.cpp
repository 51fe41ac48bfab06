// tests/executor/executor_test.cpp - an executor's beginning, its end, and run().
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/deadline.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/executor.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/until.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace {

using support::launched;
using support::sequence;
using support::tally;
using support::until;
using taskscope::async_event;
using taskscope::executor;
using taskscope::executor_options;
using taskscope::fork_join;
using taskscope::misuse_error;
using taskscope::task;
using taskscope::detail::function_job;

using Executor = support::ledger;
using ExecutorDeathTest = support::ledger;

/// The same on 1, 2 and 8 workers.
class ExecutorWithWorkers : public support::ledger, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(, ExecutorWithWorkers, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

task<int> number(int n) { co_return n; }

/// Did not compile with clang.
template <class T>
T run_by_one_that_a_template_makes(task<T> t) {
    executor ex{{.workers = 1}};
    return ex.run(std::move(t));
}

std::string what_of(const auto& f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

// Options

TEST_F(Executor, NeedsAWorkerAndABlockingThread) {
    EXPECT_THROW(executor ex({.workers = 0}), std::invalid_argument);
    EXPECT_THROW(executor ex({.blocking_threads = 0}), std::invalid_argument);
    EXPECT_EQ(what_of([] { executor ex({.workers = 0}); }),
              "taskscope: an executor needs at least 1 worker");
    EXPECT_EQ(what_of([] { executor ex({.workers = 65'001}); }),
              "taskscope: an executor has at most 65000 workers");
    EXPECT_EQ(what_of([] { executor ex({.blocking_threads = 0}); }),
              "taskscope: an executor needs at least 1 blocking thread");
}

TEST_F(Executor, IsMadeFromBracesInATemplateToo) {
    EXPECT_EQ(run_by_one_that_a_template_makes(number(7)), 7);
}

TEST_F(Executor, HasAsManyWorkersAsTheProcessMayUseByDefault) {
    const executor ex;
    EXPECT_EQ(ex.workers(), taskscope::default_worker_count());
    EXPECT_EQ(ex.name(), "taskscope");
}

std::string thread_name() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

TEST_F(Executor, NamesItsThreadsAndCopiesTheName) {
    std::string name = "api";
    executor ex{{.workers = 1, .name = name}};
    name = "xyz";
    EXPECT_EQ(ex.name(), "api");
    auto body = []() -> task<std::string> { co_return thread_name(); };
    ASSERT_TRUE(until([&] { return ex.run(body()) == "api/0"; }));  // named just after its start
    executor long_name{{.workers = 1, .name = "a name beyond what the kernel keeps"}};
    ASSERT_TRUE(until([&] { return long_name.run(body()) == "a name beyond w"; }));
}

TEST_F(Executor, WorksWithoutSpinning) {
    executor ex{{.workers = 2, .spins = 0}};
    for (int i = 0; i < 200; ++i) ASSERT_EQ(ex.run(number(i)), i);
}

// run()

// cases: T402, S42
TEST_P(ExecutorWithWorkers, RunsTasksForSeveralThreadsAtOnce) {
    executor ex{{.workers = GetParam()}};
    std::atomic<int> wrong{0};
    support::threads callers;
    for (int t = 0; t < 4; ++t) {
        callers.start([&, t] {
            for (int i = 0; i < 500; ++i) {
                auto body = [&]() -> task<int> {
                    co_await taskscope::yield();
                    const int n = co_await number(i);
                    co_return n + t;
                };
                if (ex.run(body()) != i + t) wrong.fetch_add(1);
            }
        });
    }
    callers.join();
    EXPECT_EQ(wrong.load(), 0);
}

// cases: T402
TEST_F(Executor, RefusesToRunOnOneOfItsOwnWorkers) {
    executor ex{{.workers = 2, .name = "api"}};
    std::string message;
    auto body = [&]() -> task<> {
        message = what_of([&] { ex.run(number(1)); });
        EXPECT_THROW(ex.run(number(1)), misuse_error);
        co_return;
    };
    ex.run(body());
    EXPECT_EQ(message,
              "taskscope: executor::run() blocks, and was called on a worker of \"api\". co_await "
              "the task instead.");
}

TEST_F(Executor, RefusesToRunATaskThatWasMovedFrom) {
    executor ex{{.workers = 1}};
    task<int> t = number(1);
    const task<int> other = std::move(t);
    EXPECT_THROW(ex.run(std::move(t)), misuse_error);  // NOLINT(bugprone-use-after-move)
}

TEST_F(Executor, RunsForTheWorkerOfAnotherOne) {
    executor outer{{.workers = 1}};
    executor inner{{.workers = 1}};
    auto body = [&]() -> task<int> { co_return inner.run(number(4)); };
    EXPECT_EQ(outer.run(body()), 4);
}

bool on_worker_of(const executor& ex) {
    const taskscope::detail::worker* w = taskscope::detail::this_worker();
    return w != nullptr && w->core == &taskscope::detail::executor_access::core(ex);
}

// cases: T022, T437, T441
TEST_F(Executor, ResumesItsTasksWhoeverWakesThem) {
    executor home{{.workers = 2}};
    executor other{{.workers = 2}};
    for (int i = 0; i < 200; ++i) {
        async_event event;
        auto waits = [&]() -> task<bool> {
            co_await event.wait();
            co_return on_worker_of(home);
        };
        auto sets = [&]() -> task<> {
            EXPECT_TRUE(on_worker_of(other));
            event.set();
            co_return;
        };
        launched<bool> t(home, waits());
        other.run(sets());
        ASSERT_TRUE(until([&] { return t.ended(); }));
        EXPECT_TRUE(t.take());
    }
}

// Everybody takes part. A job that blocks its worker needs the others to be woken.

// cases: T436
TEST_P(ExecutorWithWorkers, WakesAllWorkersForJobsHandedInFromOutside) {
    const unsigned workers = GetParam();
    executor ex{{.workers = workers}};
    for (int round = 0; round < 50; ++round) {
        std::atomic<unsigned> inside{0};
        auto body = [&]() -> task<> {
            inside.fetch_add(1);
            EXPECT_TRUE(until([&] { return inside.load() == workers; }));
            co_return;
        };
        std::vector<std::unique_ptr<launched<void>>> all;
        for (unsigned i = 0; i < workers; ++i) {
            all.push_back(std::make_unique<launched<void>>(ex, body()));
        }
        for (const auto& t : all) ASSERT_TRUE(until([&] { return t->ended(); }));
    }
}

TEST_P(ExecutorWithWorkers, WakesAllWorkersForJobsOfOneOfThem) {
    const int workers = static_cast<int>(GetParam());
    executor ex{{.workers = GetParam()}};
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> inside{0};
        auto body = [&](int) -> task<> {
            inside.fetch_add(1);
            EXPECT_TRUE(until([&] { return inside.load() == workers; }));
            co_return;
        };
        std::vector<task<>> branches;
        for (int i = 0; i < workers; ++i) branches.push_back(body(i));
        ex.run(fork_join(std::move(branches)));
    }
}

// cases: T325
TEST_F(Executor, TakesJobsFromOutsideWhileItsWorkersMakeTheirOwn) {
    executor ex{{.workers = 1}};
    std::atomic<bool> seen{false};
    struct endless {
        static task<> tree(int depth) {
            if (depth > 0) co_await fork_join(tree(depth - 1), tree(depth - 1));
        }
    };
    auto busy = [&]() -> task<> {
        while (!seen.load()) co_await endless::tree(6);
    };
    auto outside = [&]() -> task<> {
        seen.store(true);
        co_return;
    };
    launched<void> a(ex, busy());
    launched<void> b(ex, outside());
    ASSERT_TRUE(until([&] { return a.ended() && b.ended(); }));
}

// A chain of transfers is interrupted to look at timers: what they call is not done on behalf of the chain's task.
TEST_F(Executor, CallsTimersOnBehalfOfNobodyAlsoInTheMiddleOfATask) {
    executor ex{{.workers = 1}};
    std::atomic<bool> fired{false};
    const taskscope::detail::task_context* seen = nullptr;
    taskscope::deadline soon(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    auto sleeps = [&]() -> task<> {
        const taskscope::stop_token token = co_await taskscope::get_stop_token();
        const taskscope::stop_callback look(token, [&] {
            seen = taskscope::detail::current_context();
            fired = true;
        });
        co_await taskscope::sleep_for(std::chrono::hours(1));
    };
    auto limited = [&]() -> task<> { (void)co_await taskscope::settle_by(soon, sleeps()); };
    auto busy = [&]() -> task<> {
        while (!fired.load()) co_await number(1);
    };
    launched<void> a(ex, limited());
    launched<void> b(ex, busy());
    ASSERT_TRUE(until([&] { return a.ended() && b.ended(); }));
    EXPECT_EQ(seen, nullptr);
}

TEST_P(ExecutorWithWorkers, LosesNoWakeUpBetweenShortTasks) {
    // Each run() finds the workers just about to fall asleep, at ever different points.
    executor ex{{.workers = GetParam(), .spins = 4}};
    for (int i = 0; i < 3'000; ++i) {
        ASSERT_EQ(ex.run(number(i)), i);
        for (int spin = 0; spin < i % 300; ++spin) asm volatile("" ::: "memory");
    }
}

// The end

struct counted_job : function_job {
    counted_job() : function_job(&counted_job::run) {}
    static void run(function_job& j) noexcept {
        auto& self = static_cast<counted_job&>(j);
        self.runs->count(self.number);
        if (self.then != nullptr) taskscope::detail::schedule(*self.home, *self.then);
    }
    executor* home = nullptr;
    tally* runs = nullptr;
    std::size_t number = 0;
    counted_job* then = nullptr;
};

// cases: T412
TEST_P(ExecutorWithWorkers, RunsWhatIsQueuedAndWhatThatMakesReadyBeforeItEnds) {
    constexpr std::size_t n = 2'000;
    for (int round = 0; round < 10; ++round) {
        std::vector<counted_job> jobs(2 * n);
        tally runs(2 * n);
        std::optional<executor> ex(std::in_place, executor_options{.workers = GetParam()});
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            jobs[i].home = &*ex;
            jobs[i].runs = &runs;
            jobs[i].number = i;
            if (i < n) jobs[i].then = &jobs[i + n];
        }
        for (std::size_t i = 0; i < n; ++i) taskscope::detail::schedule(*ex, jobs[i]);
        ex.reset();
        ASSERT_TRUE(runs.exactly_once());
    }
}

TEST_P(ExecutorWithWorkers, MayBeDestroyedWithoutEverHavingRunAnything) {
    for (int i = 0; i < 20; ++i) const executor ex{{.workers = GetParam()}};
}

TEST_F(Executor, MayBeShutDownTwiceAndBySeveralThreads) {
    for (int round = 0; round < 20; ++round) {
        executor ex{{.workers = 2}};
        EXPECT_EQ(ex.run(number(1)), 1);
        {
            support::threads others;
            for (int t = 0; t < 3; ++t) others.start([&] { ex.shutdown(); });
        }
        ex.shutdown();
    }
}

// cases: T030
TEST_F(Executor, RefusesToRunAfterShutdown) {
    executor ex{{.workers = 1, .name = "api"}};
    ex.shutdown();
    EXPECT_THROW(ex.run(number(1)), misuse_error);
    EXPECT_EQ(what_of([&] { ex.run(number(1)); }),
              "taskscope: executor::run() was called on \"api\", which has been shut down");
}

TEST_F(Executor, MayBeDestroyedByAnotherThreadThanItsCreator) {
    auto ex = std::make_unique<executor>(executor_options{.workers = 2});
    EXPECT_EQ(ex->run(number(1)), 1);
    support::threads other;
    other.start([&] { ex.reset(); });
    other.join();
    EXPECT_EQ(ex, nullptr);
}

TEST_F(Executor, MayBeDestroyedAsSoonAsRunHasReturnedWhoeverWokeTheTask) {
    // The thread that hands in the task's last job may still be inside the executor when run() returns.
    for (int round = 0; round < 200; ++round) {
        support::threads other;
        async_event event;
        auto body = [&]() -> task<> {
            other.start([&event] { event.set(); });
            co_await event.wait();
        };
        executor ex{{.workers = 1}};
        ex.run(body());
    }
}

TEST_F(Executor, MayBeDestroyedByAWorkerOfAnotherOne) {
    executor outer{{.workers = 1}};
    auto inner = std::make_unique<executor>(executor_options{.workers = 2});
    auto body = [&]() -> task<> {
        inner.reset();
        co_return;
    };
    outer.run(body());
    EXPECT_EQ(inner, nullptr);
}

TEST_F(ExecutorDeathTest, DestroyedByItsOwnWorkerItEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            auto* ex = new executor({.workers = 1, .name = "api"});
            auto body = [&]() -> task<> {
                delete ex;
                co_return;
            };
            ex->run(body());
        },
        "taskscope: executor \"api\" was shut down or destroyed by one of its own workers, which "
        "would wait for itself. Destroy it on the thread that made it, after run\\(\\) has "
        "returned.");
}

TEST_F(ExecutorDeathTest, ShutDownByItsOwnWorkerItEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            executor ex({.workers = 1, .name = "api"});
            auto body = [&]() -> task<> {
                ex.shutdown();
                co_return;
            };
            ex.run(body());
        },
        "taskscope: executor \"api\" was shut down or destroyed by one of its own workers");
}

// Extensions: what the rooms above keep in an executor.

sequence* extensions_seen = nullptr;

template <int N>
struct extension final : taskscope::detail::executor_extension {
    explicit extension(executor& e) : home(e) {}
    void shut_down() noexcept override {
        (*extensions_seen)("shut down " + std::to_string(N));
        // The workers still run.
        auto nothing = []() -> task<> { co_return; };
        launched<void> t(home, nothing());
        EXPECT_TRUE(until([&] { return t.ended(); }));
    }
    executor& home;
};

struct outer_extension final : taskscope::detail::executor_extension {
    explicit outer_extension(executor& e)
        : inner(taskscope::detail::extension_of<extension<3>>(e)) {}
    void shut_down() noexcept override { (*extensions_seen)("shut down outer"); }
    extension<3>& inner;
};

TEST_F(Executor, LetsAnExtensionMakeAnotherWhichIsShutDownAfterIt) {
    sequence seen;
    extensions_seen = &seen;
    {
        executor ex{{.workers = 1}};
        auto& outer = taskscope::detail::extension_of<outer_extension>(ex);
        EXPECT_EQ(&taskscope::detail::extension_of<extension<3>>(ex), &outer.inner);
    }
    EXPECT_EQ(seen, (sequence{"shut down outer", "shut down 3"}));
}

TEST_F(Executor, KeepsOneExtensionOfEachTypeAndShutsThemDownInReverse) {
    sequence seen;
    extensions_seen = &seen;
    {
        executor ex{{.workers = 1}};
        auto& one = taskscope::detail::extension_of<extension<1>>(ex);
        auto& two = taskscope::detail::extension_of<extension<2>>(ex);
        EXPECT_EQ(&taskscope::detail::extension_of<extension<1>>(ex), &one);
        EXPECT_EQ(&taskscope::detail::extension_of<extension<2>>(ex), &two);
        ex.shutdown();
        ex.shutdown();
    }
    EXPECT_EQ(seen, (sequence{"shut down 2", "shut down 1"}));
}

}  // namespace
