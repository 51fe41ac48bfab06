// tests/executor/task_test.cpp - a task's value, its error, its frame, and how much stack it needs.
// SPDX-License-Identifier: MIT
#include <taskscope/manual_executor.hpp>
#include <taskscope/task.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <support/stack.hpp>
#include <type_traits>
#include <utility>

namespace {

using support::census;
using support::citizen;
using support::sequence;
using support::stack_range;
using support::witness;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::task;

using Task = support::ledger;
using TaskDeathTest = support::ledger;

static_assert(!std::copyable<task<int>>);
static_assert(std::movable<task<int>>);
static_assert(std::is_nothrow_move_constructible_v<task<int>>);
static_assert(std::same_as<task<>::value_type, void>);

task<int> number(int n) { co_return n; }

TEST_F(Task, GivesItsValueToWhoRunsIt) {
    manual_executor ex;
    EXPECT_EQ(ex.run(number(42)), 42);
}

TEST_F(Task, ResumesItsAwaiterWithTheValue) {
    manual_executor ex;
    auto body = []() -> task<int> {
        const int a = co_await number(40);
        const int b = co_await number(2);
        co_return a + b;
    };
    EXPECT_EQ(ex.run(body()), 42);
}

TEST_F(Task, RunsNoStatementBeforeItIsAwaited) {
    manual_executor ex;
    sequence seen;
    auto inner = [&]() -> task<> {
        seen("inner");
        co_return;
    };
    auto outer = [&]() -> task<> {
        task<> t = inner();
        seen("made");
        co_await std::move(t);
        seen("awaited");
    };
    ex.run(outer());
    EXPECT_EQ(seen, (sequence{"made", "inner", "awaited"}));
}

TEST_F(Task, ThatIsNeverAwaitedDestroysItsArguments) {
    census people;
    auto takes = [](citizen) -> task<> { co_return; };
    {
        const task<> t = takes(citizen(people));
        EXPECT_EQ(people.alive, 1);
    }
    EXPECT_EQ(people.alive, 0);
}

TEST_F(Task, MayReturnNothing) {
    manual_executor ex;
    bool ran = false;
    auto body = [&]() -> task<> {
        ran = true;
        co_return;
    };
    ex.run(body());
    EXPECT_TRUE(ran);
}

TEST_F(Task, MayReturnAReferenceToWhatOutlivesIt) {
    manual_executor ex;
    std::string text = "a";
    auto mutable_reference = [&]() -> task<std::string&> { co_return text; };
    auto const_reference = [&]() -> task<const std::string&> { co_return text; };
    auto rvalue_reference = [&]() -> task<std::string&&> { co_return std::move(text); };
    auto body = [&]() -> task<> {
        std::string& r = co_await mutable_reference();
        r += "b";
        const std::string& c = co_await const_reference();
        EXPECT_EQ(&c, &text);
        std::string&& moved = co_await rvalue_reference();
        EXPECT_EQ(&moved, &text);
    };
    ex.run(body());
    EXPECT_EQ(text, "ab");
    EXPECT_EQ(&ex.run(mutable_reference()), &text);
}

TEST_F(Task, MayReturnWhatCanOnlyBeMoved) {
    manual_executor ex;
    auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    auto body = [&]() -> task<std::unique_ptr<int>> {
        std::unique_ptr<int> p = co_await make();
        ++*p;
        co_return p;
    };
    EXPECT_EQ(*ex.run(body()), 8);
}

TEST_F(Task, DestroysItsValueOnceAlsoWhenNobodyLooksAtIt) {
    manual_executor ex;
    census people;
    auto make = [&]() -> task<citizen> { co_return citizen(people); };
    auto body = [&]() -> task<> {
        co_await make();
        EXPECT_EQ(people.alive, 0);
        {
            const citizen c = co_await make();
            EXPECT_EQ(people.alive, 1);
        }
        EXPECT_EQ(people.alive, 0);
    };
    ex.run(body());
    EXPECT_EQ(people.alive, 0);
    EXPECT_GE(people.ever, 2);
}

TEST_F(Task, ConvertsWhatIsReturnedToItsType) {
    manual_executor ex;
    auto text = []() -> task<std::string> { co_return "literal"; };
    EXPECT_EQ(ex.run(text()), "literal");
}

struct boom : std::runtime_error {
    using std::runtime_error::runtime_error;
};

task<int> throws(std::string what) {
    throw boom(what);
    co_return 0;
}

TEST_F(Task, RethrowsItsErrorWhereItIsAwaited) {
    manual_executor ex;
    sequence seen;
    auto body = [&]() -> task<int> {
        try {
            co_await throws("inner");
        } catch (const boom& e) {
            seen(e.what());
        }
        const int after = co_await number(3);
        co_return after;
    };
    EXPECT_EQ(ex.run(body()), 3);
    EXPECT_EQ(seen, (sequence{"inner"}));
}

TEST_F(Task, PassesAnErrorNobodyCatchesUpToRun) {
    manual_executor ex;
    auto middle = []() -> task<int> {
        const int n = co_await throws("from below");
        co_return n;
    };
    auto outer = [&]() -> task<> {
        const int n = co_await middle();
        ADD_FAILURE() << n;
    };
    try {
        ex.run(outer());
        FAIL() << "no error";
    } catch (const boom& e) {
        EXPECT_STREQ(e.what(), "from below");
    }
}

TEST_F(Task, DestroysItsLocalsBeforeItsAwaiterSeesTheError) {
    manual_executor ex;
    sequence seen;
    auto inner = [&]() -> task<> {
        const witness first(seen, "first");
        const witness second(seen, "second");
        throw boom("");
        co_return;
    };
    auto outer = [&]() -> task<> {
        try {
            co_await inner();
        } catch (const boom&) {
            seen("caught");
        }
    };
    ex.run(outer());
    EXPECT_EQ(seen, (sequence{"~second", "~first", "caught"}));
}

struct throws_when_moved {
    throws_when_moved() = default;
    throws_when_moved(throws_when_moved&&) { throw boom("moved"); }
};

TEST_F(Task, TakesAnExceptionOfReturningItsValueForItsError) {
    manual_executor ex;
    auto body = []() -> task<throws_when_moved> { co_return throws_when_moved{}; };
    EXPECT_THROW(ex.run(body()), boom);
}

struct throws_when_destroyed {
    throws_when_destroyed() = default;
    throws_when_destroyed(const throws_when_destroyed&) = delete;
    throws_when_destroyed& operator=(const throws_when_destroyed&) = delete;
    ~throws_when_destroyed() noexcept(false) { throw boom("destroyed"); }
};

TEST_F(Task, TakesAnExceptionOfALocalsDestructorForItsErrorInsteadOfItsValue) {
    manual_executor ex;
    census people;
    auto body = [&]() -> task<citizen> {
        const throws_when_destroyed local;
        co_return citizen(people);
    };
    EXPECT_THROW(ex.run(body()), boom);
    EXPECT_GE(people.ever, 1);
    EXPECT_EQ(people.alive, 0);
}

TEST_F(TaskDeathTest, AwaitedAfterItWasMovedFromEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            manual_executor ex;
            auto body = []() -> task<int> {
                task<int> t = number(1);
                const task<int> other = std::move(t);
                const int n = co_await std::move(t);  // NOLINT(bugprone-use-after-move)
                co_return n;
            };
            ex.run(body());
        },
        "taskscope: a task was awaited that was moved from");
}

TEST_F(TaskDeathTest, AwaitedTwiceEndsTheProgramWithAMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            manual_executor ex;
            auto body = []() -> task<int> {
                task<int> t = number(1);
                co_await std::move(t);
                const int n = co_await std::move(t);  // NOLINT(bugprone-use-after-move)
                co_return n;
            };
            ex.run(body());
        },
        "taskscope: a task was awaited twice");
}

TEST_F(Task, ThatWasMovedFromIsFalse) {
    task<int> a = number(1);
    EXPECT_TRUE(a);
    task<int> b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(b);
}

TEST_F(Task, DestroysWhatItHeldWhenAnotherIsMovedIntoIt) {
    manual_executor ex;
    census people;
    auto takes = [](citizen, int n) -> task<int> { co_return n; };
    task<int> t = takes(citizen(people), 1);
    task<int> other = takes(citizen(people), 2);
    t = std::move(other);
    EXPECT_EQ(people.alive, 1);
    EXPECT_EQ(ex.run(std::move(t)), 2);
    EXPECT_EQ(people.alive, 0);
}

TEST_F(Task, SurvivesBeingMovedIntoItself) {
    manual_executor ex;
    task<int> t = number(5);
    task<int>& alias = t;
    t = std::move(alias);
    EXPECT_EQ(ex.run(std::move(t)), 5);
}

TEST_F(Task, KeepsItsParametersUntilItsFrameIsGone) {
    manual_executor ex;
    sequence seen;
    auto inner = [&](witness) -> task<> {
        const witness local(seen, "local");
        co_return;
    };
    auto outer = [&]() -> task<> {
        {
            task<> t = inner(witness(seen, "parameter"));
            co_await std::move(t);
            seen("awaited");
        }
        seen("destroyed");
    };
    ex.run(outer());
    EXPECT_EQ(seen, (sequence{"~local", "awaited", "~parameter", "destroyed"}));
}

TEST_F(Task, RemembersWhetherItsClosureHasCapturesToLose) {
    const auto flagged = [](task<int> t) {
        return (taskscope::detail::task_access::promise(t).flags &
                taskscope::detail::promise_base::from_capturing_closure) != 0;
    };
    int captured = 1;
    auto capturing = [&captured]() -> task<int> { co_return captured; };
    auto by_value = [captured]() mutable -> task<int> { co_return ++captured; };
    auto captureless = []() -> task<int> { co_return 1; };
    auto calls = [](auto& f) -> task<int> { co_return co_await f(); };
    struct object {
        int n = 0;
        task<int> member() const { co_return n; }
    } const has_state;

    EXPECT_TRUE(flagged(capturing()));
    EXPECT_TRUE(flagged(by_value()));
    EXPECT_FALSE(flagged(captureless()));
    EXPECT_FALSE(flagged(calls(capturing))) << "that is a parameter, and not its own closure";
    EXPECT_FALSE(flagged(has_state.member()));
    EXPECT_FALSE(flagged(number(1)));
}

// Flat stacks. On g++ without optimisation, and with its sanitizers, a transfer between coroutines is a call.

task<int> one(stack_range& stack) {
    stack.look();
    co_return 1;
}

task<int> await_in_sequence(int n, stack_range& stack) {
    int sum = 0;
    for (int i = 0; i < n; ++i) {
        sum += co_await one(stack);
        stack.look();
    }
    co_return sum;
}

task<int> await_nested(int depth, stack_range& stack) {
    stack.look();
    if (depth == 0) co_return 0;
    const int below = co_await await_nested(depth - 1, stack);
    stack.look();
    co_return below + 1;
}

task<int> throw_from_below(int depth, stack_range& stack) {
    stack.look();
    if (depth == 0) throw boom("leaf");
    const int below = co_await throw_from_below(depth - 1, stack);
    co_return below;
}

constexpr int many = 1'000'000;
constexpr int deep = 100'000;

TEST_F(Task, AwaitsAMillionTasksInSequenceOnAFlatStack) {
    stack_range stack;
    executor ex{{.workers = 1}};
    EXPECT_EQ(ex.run(await_in_sequence(many, stack)), many);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Task, AwaitsAMillionTasksInSequenceOnAFlatStackOfTheManualExecutor) {
    stack_range stack;
    manual_executor ex;
    EXPECT_EQ(ex.run(await_in_sequence(many, stack)), many);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

// cases: T441
TEST_F(Task, NestsAHundredThousandAwaitsOnAFlatStack) {
    stack_range stack;
    executor ex{{.workers = 1}};
    EXPECT_EQ(ex.run(await_nested(deep, stack)), deep);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Task, NestsAHundredThousandAwaitsOnAFlatStackOfTheManualExecutor) {
    stack_range stack;
    manual_executor ex;
    EXPECT_EQ(ex.run(await_nested(deep, stack)), deep);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Task, PassesAnErrorUpThroughTenThousandAwaitsOnAFlatStack) {
    stack_range stack;
    executor ex{{.workers = 1}};
    EXPECT_THROW(ex.run(throw_from_below(10'000, stack)), boom);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

}  // namespace
