// tests/executor/stopped_test.cpp - what a stop destroys, in which order, and who can notice it.
// SPDX-License-Identifier: MIT
#include <taskscope/async_event.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <utility>

namespace {

using namespace std::chrono_literals;
using support::launched;
using support::rendezvous;
using support::sequence;
using support::stack_range;
using support::witness;
using taskscope::async_event;
using taskscope::executor;
using taskscope::just_stopped;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::stop_token;
using taskscope::stopped_error;
using taskscope::task;

using Stopped = support::ledger;

struct boom : std::runtime_error {
    boom() : std::runtime_error("boom") {}
};

task<int> number(int n) { co_return n; }
task<int> throws() {
    throw boom{};
    co_return 0;
}
task<int> stops() {
    co_await just_stopped();
    ADD_FAILURE() << "went on after a stop";
    co_return 0;
}

TEST_F(Stopped, TaskMakesRunThrowStoppedError) {
    manual_executor ex;
    try {
        ex.run(stops());
        FAIL() << "no exception";
    } catch (const stopped_error& e) {
        EXPECT_STREQ(e.what(), "taskscope: the task was stopped");
    }
}

TEST_F(Stopped, TaskDestroysFramesLeafFirstAndLocalsInReverse) {
    manual_executor ex;
    sequence seen;
    auto leaf = [&](witness) -> task<> {
        const witness first(seen, "leaf's first local");
        const witness second(seen, "leaf's second local");
        co_await just_stopped();
    };
    auto middle = [&]() -> task<> {
        const witness local(seen, "middle's local");
        co_await leaf(witness(seen, "leaf's argument"));
        seen("middle went on");
    };
    auto root = [&]() -> task<> {
        const witness local(seen, "root's local");
        co_await middle();
        seen("root went on");
    };
    EXPECT_THROW(ex.run(root()), stopped_error);
    EXPECT_EQ(seen, (sequence{"~leaf's second local", "~leaf's first local", "~leaf's argument",
                              "~middle's local", "~root's local"}));
}

TEST_F(Stopped, TaskPassesByEveryCatch) {
    manual_executor ex;
    bool caught = false;
    auto body = [&]() -> task<> {
        try {
            co_await stops();
        } catch (...) {
            caught = true;
        }
        caught = true;
    };
    EXPECT_THROW(ex.run(body()), stopped_error);
    EXPECT_FALSE(caught);
}

using StoppedDeathTest = support::ledger;

// cases: T208
// Else the coroutine would be as if it had ended with that error, and whoever awaits it, which is being unwound too,
// would go on.
TEST_F(StoppedDeathTest, TaskWithADestructorThatThrowsEndsTheProgramWithAMessage) {
    struct throws_when_destroyed {
        ~throws_when_destroyed() noexcept(false) { throw boom{}; }
    };
    auto leaf = []() -> task<> {
        const throws_when_destroyed local;
        co_await just_stopped();
    };
    auto root = [&]() -> task<> {
        try {
            co_await leaf();
        } catch (const boom&) {
        }
    };
    EXPECT_DEATH(
        {
            manual_executor ex;
            ex.run(root());
        },
        "taskscope: a destructor threw while the frame of its suspended coroutine was destroyed");
}

/// Looks at the stack where it is destroyed.
struct look_when_destroyed {
    explicit look_when_destroyed(stack_range& s, int& n) : stack(s), destroyed(n) {}
    look_when_destroyed(const look_when_destroyed&) = delete;
    look_when_destroyed& operator=(const look_when_destroyed&) = delete;
    ~look_when_destroyed() {
        stack.look();
        ++destroyed;
    }
    stack_range& stack;
    int& destroyed;
};

task<> stop_from_below(int depth, stack_range& stack, int& destroyed) {
    const look_when_destroyed local(stack, destroyed);
    if (depth == 1) {
        co_await just_stopped();
        co_return;
    }
    co_await stop_from_below(depth - 1, stack, destroyed);
}

constexpr int deep = 100'000;

// cases: T412, T441
TEST_F(Stopped, LeafUnwindsAHundredThousandFramesOnAFlatStack) {
    stack_range stack;
    int destroyed = 0;
    executor ex{{.workers = 1}};
    EXPECT_THROW(ex.run(stop_from_below(deep, stack, destroyed)), stopped_error);
    EXPECT_EQ(destroyed, deep);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Stopped, LeafUnwindsAHundredThousandFramesOnAFlatStackOfTheManualExecutor) {
    stack_range stack;
    int destroyed = 0;
    manual_executor ex;
    EXPECT_THROW(ex.run(stop_from_below(deep, stack, destroyed)), stopped_error);
    EXPECT_EQ(destroyed, deep);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

task<> sleep_below(int depth) {
    if (depth == 0) co_await taskscope::sleep_for(1h);
    if (depth > 0) co_await sleep_below(depth - 1);
}

TEST_F(Stopped, ByRequestALeafThatWaitsUnwindsAHundredThousandFrames) {
    manual_executor ex;
    launched<void> t(ex, sleep_below(deep));
    ex.run_ready();
    EXPECT_FALSE(t.ended());
    t.request_stop();
    ex.run_ready();
    EXPECT_TRUE(t.ended());
    EXPECT_TRUE(t.stopped());
}

TEST_F(Stopped, RequestIsSeenOnlyWhereTheTaskSuspends) {
    manual_executor ex;
    bool went_on = false;
    auto body = [&](stop_source& mine) -> task<int> {
        mine.request_stop();
        const int n = co_await number(1);  // does not wait for anything
        went_on = true;
        co_await taskscope::yield();
        co_return n;
    };
    stop_source source;
    launched<int> t(ex, body(source), source.token());
    ex.run_ready();
    EXPECT_TRUE(went_on);
    EXPECT_TRUE(t.stopped());
}

TEST_F(Stopped, TokenIsTheOneOfWhoStartedTheTask) {
    manual_executor ex;
    auto possible = []() -> task<bool> {
        const stop_token token = co_await taskscope::get_stop_token();
        co_return token.stop_possible();
    };
    EXPECT_FALSE(ex.run(possible()));
    launched<bool> t(ex, possible());
    ex.run_ready();
    EXPECT_TRUE(t.take());
}

// stopped_as_optional, stopped_as_error

TEST_F(Stopped, AsOptionalGivesValueOrNothingOrTheError) {
    manual_executor ex;
    auto body = []() -> task<> {
        const std::optional<int> value = co_await taskscope::stopped_as_optional(number(3));
        EXPECT_EQ(value, std::optional(3));
        const std::optional<int> none = co_await taskscope::stopped_as_optional(stops());
        EXPECT_EQ(none, std::nullopt);
        bool caught = false;
        try {
            co_await taskscope::stopped_as_optional(throws());
        } catch (const boom&) {
            caught = true;
        }
        EXPECT_TRUE(caught);
    };
    ex.run(body());
}

TEST_F(Stopped, AsOptionalOfNothingTellsWhetherItWasNotStopped) {
    manual_executor ex;
    auto nothing = []() -> task<> { co_return; };
    auto stopped = []() -> task<> { co_await just_stopped(); };
    auto body = [&]() -> task<> {
        const bool first = co_await taskscope::stopped_as_optional(nothing());
        EXPECT_TRUE(first);
        const bool second = co_await taskscope::stopped_as_optional(stopped());
        EXPECT_FALSE(second);
    };
    ex.run(body());
}

// cases: T172
TEST_F(Stopped, AsOptionalLetsTheCallerGoOnUntilItsNextSuspension) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<> {
        const bool slept = co_await taskscope::stopped_as_optional(sleep_below(0));
        seen(slept ? "slept" : "stopped");
        co_await taskscope::sleep_for(1s);
        seen("went on");
    };
    launched<void> t(ex, body());
    ex.run_ready();
    t.request_stop();
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_EQ(seen, (sequence{"stopped"}));
}

TEST_F(Stopped, AsErrorGivesValueOrStoppedErrorOrTheError) {
    manual_executor ex;
    EXPECT_EQ(ex.run(taskscope::stopped_as_error(number(3))), 3);
    EXPECT_THROW(ex.run(taskscope::stopped_as_error(throws())), boom);
    auto body = []() -> task<bool> {
        bool caught = false;
        try {
            co_await taskscope::stopped_as_error(stops());
        } catch (const stopped_error&) {
            caught = true;
        }
        co_return caught;
    };
    EXPECT_TRUE(ex.run(body()));
}

TEST_F(Stopped, AsOptionalNestsAHundredThousandTimesOnAFlatStack) {
    struct nest {
        static task<int> down(int depth, stack_range& stack) {
            stack.look();
            if (depth == 0) {
                co_await just_stopped();
                co_return 0;
            }
            const std::optional<int> below =
                co_await taskscope::stopped_as_optional(down(depth - 1, stack));
            stack.look();
            co_return below.value_or(0) + 1;
        }
    };
    stack_range stack;
    executor ex{{.workers = 1}};
    EXPECT_EQ(ex.run(nest::down(deep, stack)), deep);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

// stop_when

TEST_F(Stopped, WhenATriggerIsRequestedTheTaskAndItsCallerEndAsStopped) {
    manual_executor ex;
    stop_source trigger;
    auto body = [&]() -> task<> {
        co_await taskscope::stop_when(trigger.token(), sleep_below(3));
        ADD_FAILURE() << "the caller went on";
    };
    launched<void> t(ex, body());
    ex.run_ready();
    EXPECT_FALSE(t.ended());
    trigger.request_stop();
    EXPECT_EQ(ex.statistics().timers, 0U);
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
}

// cases: T206
TEST_F(Stopped, WhenATriggerWasRequestedBeforeTheFirstSuspensionEndsTheTask) {
    manual_executor ex;
    stop_source trigger;
    trigger.request_stop();
    EXPECT_EQ(ex.run(taskscope::stop_when(trigger.token(), number(4))), 4);
    EXPECT_THROW(ex.run(taskscope::stop_when(trigger.token(), sleep_below(0))), stopped_error);
}

// cases: T204
TEST_F(Stopped, WhenPassesValueAndErrorThrough) {
    manual_executor ex;
    stop_source trigger;
    EXPECT_EQ(ex.run(taskscope::stop_when(trigger.token(), number(5))), 5);
    EXPECT_THROW(ex.run(taskscope::stop_when(trigger.token(), throws())), boom);
    EXPECT_EQ(ex.run(taskscope::stop_when(stop_token{}, number(6))), 6);
    trigger.request_stop();  // nobody listens any more
}

TEST_F(Stopped, WhenTheCallersOwnStopReachesTheTaskToo) {
    manual_executor ex;
    stop_source never;
    launched<void> t(ex, taskscope::stop_when(never.token(), sleep_below(1)));
    ex.run_ready();
    t.request_stop();
    ex.run_ready();
    EXPECT_TRUE(t.stopped());
    EXPECT_FALSE(never.stop_requested());
}

TEST_F(Stopped, WhenATriggerIsRequestedTheCallersOwnTokenIsNot) {
    manual_executor ex;
    stop_source trigger;
    auto body = [&]() -> task<bool> {
        const bool slept = co_await taskscope::stopped_as_optional(
            taskscope::stop_when(trigger.token(), sleep_below(0)));
        EXPECT_FALSE(slept);
        const stop_token own = co_await taskscope::get_stop_token();
        co_return own.stop_requested();
    };
    launched<bool> t(ex, body());
    ex.run_ready();
    trigger.request_stop();
    ex.run_ready();
    EXPECT_FALSE(t.take());
}

TEST_F(Stopped, WhenATriggerRacesTheEndOfTheTaskOneOfThemWins) {
    executor ex{{.workers = 2}};
    constexpr int rounds = 2'000;
    for (int i = 0; i < rounds; ++i) {
        stop_source trigger;
        async_event event;
        rendezvous start(2);
        auto waits = [&]() -> task<int> {
            co_await event.wait();
            co_return 1;
        };
        launched<std::optional<int>> t(
            ex, taskscope::stopped_as_optional(taskscope::stop_when(trigger.token(), waits())));
        support::threads others;
        others.start([&] {
            start.meet();
            trigger.request_stop();
        });
        start.meet();
        event.set();
        ASSERT_TRUE(support::until([&] { return t.ended(); }));
        const std::optional<int> result = t.take();
        EXPECT_TRUE(!result || *result == 1);
    }
}

}  // namespace
