// tests/executor/awaitable_test.cpp - awaitables that know nothing of executors, and what co_await makes of them.
// SPDX-License-Identifier: MIT
#include <taskscope/awaitable.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <support/launch.hpp>
#include <support/ledger.hpp>
#include <support/stack.hpp>
#include <support/until.hpp>
#include <thread>
#include <utility>

namespace {

using support::launched;
using support::stack_range;
using support::until;
using taskscope::executor;
using taskscope::manual_executor;
using taskscope::stop_source;
using taskscope::task;

using Awaitable = support::ledger;

struct boom : std::runtime_error {
    boom() : std::runtime_error("boom") {}
};

/// Resumes on a thread of its own, and gives `make()`.
template <class F>
class on_own_thread {
public:
    explicit on_own_thread(support::threads& all, F make) : threads_(all), make_(std::move(make)) {}
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        threads_.start([h] { h.resume(); });
    }
    decltype(auto) await_resume() { return make_(); }

private:
    support::threads& threads_;
    F make_;
};

/// Does not suspend.
struct ready {
    explicit ready(int n) : value(n) {}
    int value;
    static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<>) noexcept {}
    int await_resume() const noexcept { return value; }
};

struct with_member_operator {
    explicit with_member_operator(int n) : value(n) {}
    ready operator co_await() const { return ready(value); }
    int value;
};

struct with_free_operator {
    explicit with_free_operator(int n) : value(n) {}
    int value;
};
ready operator co_await(const with_free_operator& a) { return ready(a.value); }

/// A free operator that gives an awaiter of the library.
struct like_yield {};
auto operator co_await(like_yield) { return taskscope::yield(); }

static_assert(taskscope::awaiter<ready>);
static_assert(!taskscope::awaiter<with_member_operator>);
static_assert(!taskscope::awaiter<int>);
static_assert(!taskscope::native_awaiter<ready>);
static_assert(taskscope::native_awaiter<decltype(taskscope::yield())>);
static_assert(taskscope::native_awaiter<decltype(taskscope::checkpoint())&>);
static_assert(std::same_as<taskscope::await_result_t<ready>, int>);
static_assert(std::same_as<taskscope::await_result_t<with_member_operator>, int>);
static_assert(std::same_as<taskscope::await_result_t<with_free_operator&>, int>);
static_assert(std::is_void_v<taskscope::await_result_t<decltype(taskscope::yield())>>);

bool on_worker_of(const executor& ex) {
    const taskscope::detail::worker* w = taskscope::detail::this_worker();
    return w != nullptr && w->core == &taskscope::detail::executor_access::core(ex);
}

TEST_F(Awaitable, MayHaveACoAwaitOperatorOfItsOwn) {
    manual_executor ex;
    auto body = []() -> task<> {
        const int a = co_await ready(1);
        const int b = co_await with_member_operator(2);
        const int c = co_await with_free_operator(3);
        ready named(4);
        const int d = co_await named;
        EXPECT_EQ(a + b + c + d, 10);
        co_await like_yield{};
    };
    ex.run(body());
}

TEST_F(Awaitable, ThatResumesOnItsOwnThreadLetsTheTaskGoOnAtHome) {
    support::threads all;
    executor ex{{.workers = 2}};
    auto body = [&]() -> task<> {
        for (int i = 0; i < 50; ++i) {
            bool away = false;
            auto make = [&ex, &away] {
                away = !on_worker_of(ex);
                return 5;
            };
            const int n = co_await on_own_thread(all, make);
            EXPECT_EQ(n, 5);
            EXPECT_TRUE(away);
            EXPECT_TRUE(on_worker_of(ex));
        }
    };
    ex.run(body());
}

TEST_F(Awaitable, MayGiveNothingOrAReferenceOrWhatCanOnlyBeMoved) {
    support::threads all;
    executor ex{{.workers = 1}};
    std::string text = "a";
    auto body = [&]() -> task<> {
        auto nothing = [] {};
        co_await on_own_thread(all, nothing);
        auto reference = [&text]() -> std::string& { return text; };
        std::string& r = co_await on_own_thread(all, reference);
        EXPECT_EQ(&r, &text);
        auto owned = [] { return std::make_unique<int>(3); };
        std::unique_ptr<int> p = co_await on_own_thread(all, owned);
        EXPECT_EQ(*p, 3);
    };
    ex.run(body());
}

struct throws_in_suspend {
    throws_in_suspend() {}
    static bool await_ready() noexcept { return false; }
    static void await_suspend(std::coroutine_handle<>) { throw boom{}; }
    static void await_resume() noexcept {}
};

TEST_F(Awaitable, PassesItsErrorsToTheTask) {
    support::threads all;
    executor ex{{.workers = 1}};
    auto body = [&]() -> task<int> {
        int caught = 0;
        try {
            auto fails = []() -> int { throw boom{}; };
            co_await on_own_thread(all, fails);
        } catch (const boom&) {
            ++caught;
        }
        try {
            co_await throws_in_suspend();
        } catch (const boom&) {
            ++caught;
        }
        EXPECT_TRUE(on_worker_of(ex));
        co_return caught;
    };
    EXPECT_EQ(ex.run(body()), 2);
}

/// Does not suspend after all, or goes on with another coroutine: both forms of await_suspend.
struct changes_its_mind {
    changes_its_mind() {}
    static bool await_ready() noexcept { return false; }
    static bool await_suspend(std::coroutine_handle<>) noexcept { return false; }
    static int await_resume() noexcept { return 1; }
};
struct resumes_by_transfer {
    resumes_by_transfer() {}
    static bool await_ready() noexcept { return false; }
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) noexcept { return h; }
    static int await_resume() noexcept { return 2; }
};

TEST_F(Awaitable, MayAnswerInEachWayAnAwaiterCan) {
    manual_executor ex;
    auto body = []() -> task<int> {
        const int a = co_await changes_its_mind();
        const int b = co_await resumes_by_transfer();
        co_return a + b;
    };
    EXPECT_EQ(ex.run(body()), 3);
}

TEST_F(Awaitable, IsNotInterruptedByAStopWhichTheNextSuspensionSees) {
    manual_executor ex;
    support::threads all;
    std::coroutine_handle<> kept;
    struct keeps_handle {
        explicit keeps_handle(std::coroutine_handle<>& h) : handle(h) {}
        std::coroutine_handle<>& handle;
        static bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) noexcept { handle = h; }
        static int await_resume() noexcept { return 7; }
    };
    int got = 0;
    auto body = [&]() -> task<> {
        got = co_await keeps_handle(kept);
        co_await taskscope::checkpoint();
        ADD_FAILURE() << "went on after a stop";
    };
    launched<void> t(ex, body());
    ex.run_ready();
    t.request_stop();
    ex.run_ready();
    EXPECT_FALSE(t.ended());
    kept.resume();
    ex.run_ready();
    EXPECT_EQ(got, 7);
    EXPECT_TRUE(t.stopped());
}

TEST_F(Awaitable, IsAwaitedAHundredThousandTimesOnAFlatStack) {
    executor ex{{.workers = 1}};
    stack_range stack;
    auto body = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 100'000; ++i) {
            sum += co_await ready(1);
            stack.look();
        }
        co_return sum;
    };
    EXPECT_EQ(ex.run(body()), 100'000);
    EXPECT_LT(stack.bytes(), stack_range::flat);
}

TEST_F(Awaitable, ServesManyTasksOnManyThreads) {
    support::threads all;
    executor ex{{.workers = 2}};
    constexpr int n = 200;
    support::tally resumed(n);
    auto leaf = [&](int i) -> task<> {
        auto nothing = [] {};
        co_await on_own_thread(all, nothing);
        EXPECT_TRUE(on_worker_of(ex));
        resumed.count(static_cast<std::size_t>(i));
    };
    ex.run(taskscope::fork_join(std::views::iota(0, n) | std::views::transform(leaf)));
    EXPECT_TRUE(resumed.exactly_once());
}

}  // namespace
