// tests/scope/current_scope_test.cpp - finding the scope one is in, and spawning into it from anywhere.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/current_scope.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace taskscope::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

class current : public ledger_test {
protected:
    manual_executor ex;
};

TEST_F(current, is_the_root_for_a_task_given_to_run) {
    run(ex, [&]() -> task<> {
        EXPECT_EQ(&current_scope(), &ex.root());
        co_return;
    });
}

TEST_F(current, is_the_scope_a_child_was_spawned_into_also_in_what_it_awaits) {
    task_scope s{ex};
    const auto look = [&]() -> task<> {
        co_await yield();
        EXPECT_EQ(&current_scope(), &s);
    };
    s.spawn([&]() -> task<> {
        EXPECT_EQ(&current_scope(), &s);
        co_await look();
        co_await sleep_for(1ms);
        EXPECT_EQ(&current_scope(), &s);
        co_await fork_join(look(), look());
        EXPECT_EQ(&current_scope(), &s);
        const bool completed = co_await stopped_as_optional(look());
        EXPECT_TRUE(completed);
        stop_source source;
        co_await stop_when(source.token(), look());
        EXPECT_EQ(&current_scope(), &s);
    });
    s.spawn([&] { EXPECT_EQ(&current_scope(), &s); });
    auto h = s.spawn_future([&] { EXPECT_EQ(&current_scope(), &s); });
    s.blocking_join();
    EXPECT_TRUE(h.done());
}

// A plain function that knows nothing of scopes.
void library_function(int& ran) {
    spawn([&ran] { ++ran; });
    spawn([&ran](int n) { ran += n; }, 10);
    spawn({.name = "named"}, [&ran](int n, int m) { ran += n * m; }, 10, 10);
    spawn([](int& r) -> task<> {
        co_await sleep_for(1ms);
        r += 1000;
    }(ran));
    spawn({.name = "task"}, [](int& r) -> task<> {
        r += 10'000;
        co_return;
    }(ran));
}

// cases: T055, T381
TEST_F(current, spawn_lands_in_the_scope_of_whoever_calls) {
    int ran = 0;
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            library_function(ran);
            EXPECT_EQ(s.counts().spawned, 6U);  // and the body
            co_return;
        });
        EXPECT_EQ(ran, 11'111);
    });
    EXPECT_EQ(ex.root().counts().spawned, 0U);
}

TEST_F(current, spawn_records_where_it_was_called) {
    std::string place_told;
    std::uint32_t line = 0;
    task_scope s{ex, {.policy = [&](const error_context& e) { place_told = place(e.spawned_at); }}};
    s.spawn([&] {
        line = __LINE__ + 1;
        spawn(throw_boom);
    });
    s.blocking_join();
    EXPECT_EQ(place_told, "current_scope_test.cpp:" + std::to_string(line));
}

// cases: T381
TEST_F(current, is_known_to_a_function_called_by_run_blocking) {
    bool ran = false;
    task_scope s{ex};
    s.spawn([&]() -> task<> {
        co_await run_blocking([&] {
            EXPECT_EQ(&current_scope(), &s);
            spawn([&] { ran = true; });
        });
    });
    s.blocking_join();
    EXPECT_TRUE(ran);
    EXPECT_EQ(s.counts().spawned, 2U);
}

std::string refusal(void (*call)()) {
    try {
        call();
    } catch (const misuse_error& e) {
        return e.what();
    }
    return "nothing was thrown";
}

// cases: T047, T074, T372
TEST_F(current, does_not_exist_on_a_thread_that_runs_no_task) {
    const auto tells = AllOf(HasSubstr("no current scope here: this thread is running no task"),
                             HasSubstr("Use a task_scope, or executor::root()"));
    const auto ask = [] { static_cast<void>(current_scope()); };
    const auto spawn_one = [] { spawn([] {}); };
    EXPECT_THAT(refusal(ask), tells);
    EXPECT_THAT(refusal(spawn_one), tells);
    std::string elsewhere;
    std::thread other([&] { elsewhere = refusal(ask); });
    other.join();
    EXPECT_THAT(elsewhere, tells);
    run(ex, [&]() -> task<> { co_return; });
    EXPECT_THAT(refusal(ask), tells);  // nothing stays behind on the thread that drove
}

TEST_F(current, spawn_into_a_closed_scope_is_refused) {
    task_scope s{ex};
    bool refused = false;
    s.spawn([&] {
        s.close();
        try {
            spawn([] {});
        } catch (const scope_closed&) {
            refused = true;
        }
    });
    s.blocking_join();
    EXPECT_TRUE(refused);
}

class current_on_threads : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, current_on_threads, testing::Values(1, 2, 8));

// cases: T379, T381
TEST_P(current_on_threads, stays_with_the_task_wherever_it_is_resumed) {
    constexpr int scopes = 4;
    std::atomic<int> wrong{0};
    std::vector<std::unique_ptr<task_scope>> all;
    for (int i = 0; i < scopes; ++i) all.push_back(std::make_unique<task_scope>(ex));
    for (auto& s : all) {
        for (int i = 0; i < 50; ++i) {
            s->spawn([&wrong, here = s.get()]() -> task<> {
                for (int k = 0; k < 20; ++k) {
                    if (&current_scope() != here) wrong.fetch_add(1);
                    co_await yield();
                    co_await sleep_for(1us);
                }
                co_await run_blocking([&wrong, here] {
                    if (&current_scope() != here) wrong.fetch_add(1);
                });
                if (&current_scope() != here) wrong.fetch_add(1);
            });
        }
    }
    for (auto& s : all) s->blocking_join();
    EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace taskscope::test
