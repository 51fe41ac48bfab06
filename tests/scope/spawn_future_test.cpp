// tests/scope/spawn_future_test.cpp - a handle on one child: awaited, stopped, dropped at any time.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/spawn_future.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<child_handle<int>>);
static_assert(std::is_nothrow_move_constructible_v<child_handle<int>>);

class handles : public ledger_test {
protected:
    manual_executor ex;
};

task<int> double_later(int n) {
    co_await sleep_for(1ms);
    co_return 2 * n;
}

// cases: T319
TEST_F(handles, give_the_value_of_a_child_that_has_ended_or_has_not) {
    task_scope s{ex};
    run(ex, [&]() -> task<> {
        auto late = s.spawn_future(double_later, 1);
        auto early = s.spawn_future(double_later(2));
        auto named = s.spawn_future({.name = "three"}, double_later, 3);
        co_await sleep_for(1s);
        EXPECT_TRUE(early.done());
        EXPECT_EQ(co_await std::move(early), 4);
        EXPECT_EQ(co_await std::move(late), 2);
        EXPECT_EQ(co_await std::move(named), 6);
        auto waiting = s.spawn_future(double_later, 4);
        EXPECT_FALSE(waiting.done());
        EXPECT_EQ(co_await std::move(waiting), 8);
    });
    s.blocking_join();
}

// What a result refers to may go when the join has returned.
class result_that_looks {
public:
    explicit result_that_looks(std::function<void()> f) : look_(std::move(f)) {}
    result_that_looks(result_that_looks&& o) noexcept : look_(std::exchange(o.look_, nullptr)) {}
    result_that_looks& operator=(result_that_looks&&) = delete;
    ~result_that_looks() {
        if (look_) look_();
    }

private:
    std::function<void()> look_;
};

TEST_F(handles, that_were_dropped_leave_no_result_behind_a_join) {
    manual_executor elsewhere;
    task_scope s{ex};
    bool joined = false;
    int looks = 0;
    const auto look = [&] {
        ++looks;
        elsewhere.run_ready();  // if it can, the joiner goes on here and now
        EXPECT_FALSE(joined);
    };
    {
        const auto dropped =
            s.spawn_future([&]() -> task<result_that_looks> { co_return result_that_looks(look); });
    }
    task_scope joiners{elsewhere};
    joiners.spawn([&]() -> task<> {
        co_await s.join();
        joined = true;
    });
    elsewhere.run_ready();
    ex.run_ready();
    EXPECT_EQ(looks, 1);
    joiners.blocking_join();
    EXPECT_TRUE(joined);
}

TEST_F(handles, destroy_the_result_of_a_child_that_has_ended_when_they_are_dropped) {
    task_scope s{ex};
    bool destroyed = false;
    {
        const auto held = s.spawn_future([&]() -> task<result_that_looks> {
            co_return result_that_looks([&] { destroyed = true; });
        });
        s.blocking_join();
        EXPECT_FALSE(destroyed);
    }
    EXPECT_TRUE(destroyed);
}

TEST_F(handles, of_callables_that_return_no_task_are_of_void) {
    task_scope s{ex};
    int ran = 0;
    auto h = s.spawn_future([&] { ++ran; });
    static_assert(std::is_same_v<decltype(h), child_handle<void>>);
    run(ex, [&]() -> task<> { co_await std::move(h); });
    EXPECT_EQ(ran, 1);
    s.blocking_join();
}

TEST_F(handles, carry_references_and_values_that_can_only_be_moved) {
    task_scope s{ex};
    int target = 0;
    run(ex, [&]() -> task<> {
        auto unique = s.spawn_future(
            []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); });
        auto reference = s.spawn_future([&]() -> task<int&> { co_return target; });
        const std::unique_ptr<int> p = co_await std::move(unique);
        EXPECT_EQ(*p, 7);
        int& r = co_await std::move(reference);
        EXPECT_EQ(&r, &target);
    });
    s.blocking_join();
}

// cases: T134, T319
TEST_F(handles, rethrow_the_error_which_the_policy_is_told_too) {
    std::string told;
    task_scope s{ex, {.policy = [&](const error_context& e) { told = describe(e.error); }}};
    auto h = s.spawn_future([]() -> task<int> {
        throw boom("lost page");
        co_return 0;
    });
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await std::move(h); }), boom);
    EXPECT_EQ(told, "lost page");
    EXPECT_TRUE(s.has_errors());
    s.blocking_join();
}

// cases: T131, T164, T172, T319
TEST_F(handles, stop_their_own_child_and_no_other) {
    task_scope s{ex};
    bool other_finished = false;
    s.spawn([&]() -> task<> {
        co_await sleep_for(1s);
        other_finished = true;
    });
    auto h = s.spawn_future(double_later, 1);
    ex.run_ready();
    h.request_stop();
    h.request_stop();
    const std::optional<int> value = run(ex, [&]() -> task<std::optional<int>> {
        co_return co_await stopped_as_optional(std::move(h));
    });
    EXPECT_FALSE(value.has_value());
    EXPECT_FALSE(other_finished);
    s.blocking_join();
    EXPECT_TRUE(other_finished);
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_FALSE(s.stop_requested());
}

TEST_F(handles, stop_a_child_that_has_not_started_at_its_first_await) {
    task_scope s{ex};
    auto h = s.spawn_future(double_later, 1);
    h.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: T203
TEST_F(handles, are_told_apart_when_the_child_was_stopped_with_its_scope) {
    task_scope s{ex};
    auto number = s.spawn_future(double_later, 1);
    auto nothing = s.spawn_future([]() -> task<> { co_await sleep_for(1h); });
    auto completed = s.spawn_future([]() -> task<> { co_return; });
    ex.run_ready();
    s.request_stop();
    run(ex, [&]() -> task<> {
        const std::optional<int> n = co_await stopped_as_optional(std::move(number));
        EXPECT_FALSE(n.has_value());
        const bool went_on = co_await stopped_as_optional(std::move(nothing));
        EXPECT_FALSE(went_on);
        const bool ran = co_await stopped_as_optional(std::move(completed));
        EXPECT_TRUE(ran);
    });
    s.blocking_join();
}

TEST_F(handles, of_a_stopped_child_stop_whoever_awaits_them) {
    task_scope s{ex};
    auto h = s.spawn_future(double_later, 1);
    h.request_stop();
    bool after = false;
    task_scope waiting{ex};
    waiting.spawn([&]() -> task<> {
        co_await std::move(h);
        after = true;
    });
    waiting.blocking_join();
    EXPECT_FALSE(after);
    EXPECT_EQ(waiting.counts().stopped, 1U);
    s.blocking_join();
}

// cases: T318, T319
TEST_F(handles, can_be_given_up_waiting_for_and_the_child_goes_on) {
    task_scope s{ex};
    bool finished = false;
    auto h = s.spawn_future([&]() -> task<> {
        co_await sleep_for(1s);
        finished = true;
    });
    task_scope waiting{ex};
    waiting.spawn([&]() -> task<> { co_await std::move(h); });
    ex.run_ready();
    waiting.request_stop();
    waiting.blocking_join();
    EXPECT_EQ(waiting.counts().stopped, 1U);
    EXPECT_FALSE(finished);
    s.blocking_join();
    EXPECT_TRUE(finished);
}

// cases: T222, T223, T225, T227, S48
TEST_F(handles, stop_and_join_tells_how_the_child_has_ended) {
    task_scope s{ex, {.policy = ignore_errors}};
    async_event go;
    const auto stubborn = [&]() -> task<> { co_await go.wait_shielded(); };
    const auto fails = [&]() -> task<> {
        co_await stopped_as_optional(double_later(1));
        throw boom("cleanup");
    };
    run(ex, [&]() -> task<> {
        auto done = s.spawn_future([] {});
        auto willing = s.spawn_future([]() -> task<> { co_await sleep_for(1h); });
        auto failing = s.spawn_future(fails);
        auto ignoring = s.spawn_future(stubborn);
        co_await yield();
        const stop_outcome first = co_await std::move(done).stop_and_join();
        const stop_outcome second = co_await std::move(willing).stop_and_join();
        const stop_outcome third = co_await std::move(failing).stop_and_join();
        s.spawn([&]() -> task<> {
            co_await sleep_for(5ms);
            go.set();
        });
        const auto before = ex.now();
        const stop_outcome fourth = co_await std::move(ignoring).stop_and_join();
        EXPECT_EQ(ex.now() - before, 5ms);
        EXPECT_EQ(first, stop_outcome::was_done);
        EXPECT_EQ(second, stop_outcome::stopped);
        EXPECT_EQ(third, stop_outcome::failed);
        EXPECT_EQ(fourth, stop_outcome::completed);
    });
    EXPECT_EQ(s.counts().failed, 1U);
    s.blocking_join();
}

// cases: T226
TEST_F(handles, stop_and_join_waits_for_the_child_also_if_its_caller_is_stopped) {
    task_scope s{ex};
    async_event go;
    bool joined = false;
    bool after = false;
    const auto caller = [&]() -> task<> {
        auto h = s.spawn_future(wait_shielded, std::ref(go));
        co_await std::move(h).stop_and_join();
        joined = true;
        co_await checkpoint();
        after = true;
    };
    auto canceller = s.spawn_future(caller);
    ex.run_ready();
    canceller.request_stop();
    ex.run_ready();
    EXPECT_FALSE(joined);
    go.set();
    s.blocking_join();
    EXPECT_TRUE(joined);
    EXPECT_FALSE(after);
}

// cases: T203, T318, T368
TEST_F(handles, may_be_dropped_before_during_and_after_the_child) {
    task_scope s{ex};
    int ran = 0;
    auto held = std::make_shared<int>();
    const auto body = [&ran](std::shared_ptr<int> p) -> task<std::shared_ptr<int>> {
        co_await sleep_for(1ms);
        ++ran;
        co_return p;
    };
    {
        auto before = s.spawn_future(body, held);
    }
    std::optional during(s.spawn_future(body, held));
    std::optional after(s.spawn_future(body, held));
    ex.run_ready();
    during.reset();
    s.blocking_join();
    EXPECT_EQ(ran, 3);
    EXPECT_EQ(held.use_count(), 2);  // the value nobody has fetched
    after.reset();
    EXPECT_EQ(held.use_count(), 1);
}

// cases: T318
TEST_F(handles, outlive_scope_and_keep_the_value_only) {
    auto captured = std::make_shared<int>();
    std::optional<child_handle<std::string>> h;
    {
        task_scope above{ex};
        task_scope s{above};
        h.emplace(s.spawn_future([captured]() -> task<std::string> {
            co_await yield();
            co_return std::string("a value that is long enough for the heap");
        }));
        s.blocking_join();
        above.blocking_join();
        EXPECT_EQ(captured.use_count(), 1);
    }
    EXPECT_TRUE(h->done());
    h->request_stop();
    const std::string value =
        run(ex, [&]() -> task<std::string> { co_return co_await std::move(*h); });
    EXPECT_EQ(value, "a value that is long enough for the heap");
}

// cases: T318, T324
TEST_F(handles, outlive_the_executor) {
    std::optional<manual_executor> short_lived(std::in_place);
    std::optional<child_handle<int>> h;
    {
        task_scope s{*short_lived};
        h.emplace(s.spawn_future(double_later, 4));
        s.blocking_join();
    }
    short_lived.reset();
    EXPECT_TRUE(h->done());
    h.reset();
}

TEST_F(handles, are_moved_by_assignment_and_into_containers) {
    task_scope s{ex};
    auto a = s.spawn_future(double_later, 1);
    auto b = s.spawn_future(double_later, 2);
    a = std::move(b);
    std::vector<child_handle<int>> all;
    all.push_back(std::move(a));
    all.push_back(s.spawn_future(double_later, 3));
    run(ex, [&]() -> task<> {
        int sum = 0;
        for (child_handle<int>& h : all) sum += co_await std::move(h);
        EXPECT_EQ(sum, 10);
    });
    s.blocking_join();
}

// cases: T318
TEST_F(handles, turn_a_throwing_move_of_the_value_into_an_error_for_whoever_awaits) {
    static bool stuck = false;
    stuck = false;
    struct stubborn {
        stubborn() = default;
        stubborn(stubborn&&) {
            if (stuck) throw boom("move");
        }
        stubborn& operator=(stubborn&&) = delete;
        ~stubborn() = default;
    };
    int told = 0;
    task_scope s{ex, {.policy = [&](const error_context&) { ++told; }}};
    auto h = s.spawn_future([]() -> task<stubborn> {
        struct when_left {
            ~when_left() { stuck = true; }  // the result is in the frame by then
        } const w;
        co_return stubborn();
    });
    s.blocking_join();
    EXPECT_TRUE(h.done());
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await std::move(h); }), boom);
    EXPECT_EQ(told, 0);  // the child itself did not fail
}

// cases: T326
TEST_F(handles, are_awaitable_inside_the_scope_they_come_from) {
    const int sum = run(ex, [&]() -> task<int> {
        co_return co_await with_scope([](task_scope& s) -> task<int> {
            auto a = s.spawn_future(double_later, 1);
            auto b = s.spawn_future(double_later, 2);
            const int x = co_await std::move(a);
            const int y = co_await std::move(b);
            co_return x + y;
        });
    });
    EXPECT_EQ(sum, 6);
}

TEST_F(handles, work_in_combinators_as_tasks) {
    task_scope s{ex};
    auto a = s.spawn_future(double_later, 1);
    auto b = s.spawn_future(double_later, 2);
    run(ex, [&]() -> task<> {
        auto [x, y] = co_await fork_join(std::move(a).as_task(), std::move(b).as_task());
        EXPECT_EQ(x + y, 6);
    });
    s.blocking_join();
}

TEST_F(handles, see_the_current_scope_and_the_scopes_stop_in_their_child) {
    task_scope s{ex};
    auto h = s.spawn_future([&]() -> task<bool> {
        const stop_token own = co_await get_stop_token();
        EXPECT_EQ(&current_scope(), &s);
        EXPECT_FALSE(own == s.get_token());
        co_return own.stop_requested();
    });
    const bool stopped = run(ex, [&]() -> task<bool> { co_return co_await std::move(h); });
    EXPECT_FALSE(stopped);
    s.blocking_join();
}

class handle_races : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, handle_races, testing::Values(1, 2, 8));

// cases: T318, T368
TEST_P(handle_races, of_drop_against_completion) {
    task_scope s{ex};
    std::atomic<int> ran{0};
    for (int i = 0; i < 2000; ++i) {
        auto h = s.spawn_future([&]() -> task<std::unique_ptr<int>> {
            ran.fetch_add(1, std::memory_order_relaxed);
            co_return std::make_unique<int>(1);
        });
        if (i % 3 == 0) h.request_stop();
    }
    s.blocking_join();
    const auto stopped = static_cast<int>(s.counts().stopped);
    EXPECT_EQ(ran.load() + stopped, 2000);
}

// cases: T410
TEST_P(handle_races, of_await_against_completion_and_stop) {
    task_scope s{ex};
    int values = 0;
    int stops = 0;
    run(ex, [&]() -> task<> {
        for (int i = 0; i < 1000; ++i) {
            auto h = s.spawn_future([]() -> task<int> {
                co_await yield();
                co_return 1;
            });
            if (i % 2 == 0) h.request_stop();
            const std::optional<int> v = co_await stopped_as_optional(std::move(h));
            ++(v ? values : stops);
        }
    });
    s.blocking_join();
    EXPECT_EQ(values + stops, 1000);
    EXPECT_GE(values, 500);
    EXPECT_EQ(s.counts().stopped, static_cast<std::uint64_t>(stops));
}

// cases: T400
TEST_P(handle_races, of_a_stop_of_the_scope_against_a_stop_of_the_child_and_its_end) {
    for (int round = 0; round < 200; ++round) {
        task_scope s{ex};
        std::vector<child_handle<int>> all;
        for (int i = 0; i < 10; ++i) {
            all.push_back(s.spawn_future([]() -> task<int> {
                co_await yield();
                co_await yield();
                co_return 1;
            }));
        }
        std::thread other([&] { s.request_stop(); });
        for (auto& h : all) h.request_stop();
        other.join();
        if (round % 2 == 0) all.clear();
        s.blocking_join();
    }
}

}  // namespace
}  // namespace taskscope::test
