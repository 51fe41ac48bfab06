// tests/scope/locals_test.cpp - task-locals of children, siblings and scopes.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/task_bridge.hpp>
#include <taskscope/task_local.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <support/ledger.hpp>
#include <support/sequence.hpp>
#include <thread>
#include <utility>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;
using support::census;
using support::citizen;
using support::sequence;

const task_local<int> number;

class locals : public ledger_test {
protected:
    /// Writes down what a child sees, then and after it was suspended.
    auto look(std::string name) {
        return [this, name = std::move(name)]() -> task<> {
            const int first = number.get_or(-1);
            co_await yield();
            EXPECT_EQ(number.get_or(-1), first);
            seen(name + ' ' + std::to_string(first));
        };
    }

    manual_executor ex;
    sequence seen;
};

// A record must not grow for what few children have.
static_assert(sizeof(detail::child_of_task) == sizeof(detail::child));

// cases: T050
TEST_F(locals, of_a_child_are_those_of_its_spawner) {
    task_scope s{ex};
    const auto spawner = [&]() -> task<> {
        s.spawn(look("child"));
        spawn(look("current"));
        const auto again = [&]() -> task<> {
            s.spawn(look("inner"));
            co_return;
        };
        co_await with_local(number, 8, again());
        s.spawn(look("sibling"));
        s.spawn([&] { seen("plain " + std::to_string(number.get())); });
        auto h = s.spawn_future(look("future"));
        co_await std::move(h);
    };
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& here) -> task<> {
            here.spawn(with_local(number, 7, spawner()));
            co_return;
        });
        s.spawn(look("outside"));
    });
    s.blocking_join();
    EXPECT_EQ(seen, (sequence{"plain 7", "child 7", "current 7", "inner 8", "sibling 7", "future 7",
                              "outside -1"}));
}

// cases: T317, T374, T380
TEST_F(locals, of_a_child_are_not_its_parents_and_not_its_siblings) {
    const auto rebinds = [&](int n) -> task<> {
        const auto inner = [&]() -> task<> {
            co_await yield();
            co_await sleep_for(1ms);
            seen(std::to_string(number.get()));
        };
        co_await with_local(number, n, inner());
        EXPECT_EQ(number.get(), 0);
    };
    const auto body = [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn(rebinds, 1);
            s.spawn(rebinds, 2);
            co_await yield();
            EXPECT_EQ(number.get(), 0);
        });
    };
    ex.run(with_local(number, 0, body()));
    EXPECT_EQ(seen, (sequence{"1", "2"}));
}

// cases: T378
// What the scope was opened with is seen in its body, and by children from outside of any task.
TEST_F(locals, of_a_scope_are_for_those_whose_spawner_has_none_to_give) {
    task_scope outer{ex};
    task_scope* inside = nullptr;
    async_event go;
    outer.spawn(with_local(number, 7, [](auto& open, auto& until) -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            open = &s;
            EXPECT_EQ(number.get(), 7);
            co_await until.wait();
        });
    }(inside, go)));
    ex.run_ready();
    inside->spawn(look("from no task"));
    run(ex, [&]() -> task<> {
        inside->spawn(look("from a task without"));
        co_return;
    });
    go.set();
    outer.blocking_join();
    EXPECT_EQ(seen, (sequence{"from no task 7", "from a task without -1"}));
}

TEST_F(locals, live_as_long_as_the_last_child_that_has_them) {
    census people;
    const task_local<citizen> who;
    task_scope s{ex};
    async_event go;
    const auto spawner = [&]() -> task<> {
        s.spawn([&]() -> task<> {
            co_await go.wait();
            EXPECT_NE(who.find(), nullptr);
        });
        co_return;
    };
    run(ex, [&]() -> task<> { co_await with_local(who, citizen(people), spawner()); });
    EXPECT_EQ(people.alive, 1);
    go.set();
    s.blocking_join();
    EXPECT_EQ(people.alive, 0);
}

TEST_F(locals, are_gone_when_the_join_returns_although_a_handle_is_kept) {
    census people;
    const task_local<citizen> who;
    task_scope s{ex};
    std::optional<child_handle<void>> kept;
    const auto spawner = [&]() -> task<> {
        kept = s.spawn_future([] {});
        co_return;
    };
    run(ex, [&]() -> task<> { co_await with_local(who, citizen(people), spawner()); });
    s.blocking_join();
    EXPECT_TRUE(kept->done());
    EXPECT_EQ(people.alive, 0);
}

TEST_F(locals, go_with_names_and_with_children_that_never_run) {
    census people;
    const task_local<citizen> who;
    task_scope s{ex, {.name = "s"}};
    task_scope closed{ex};
    closed.close();
    const auto spawner = [&]() -> task<> {
        s.spawn({.name = "named"}, [&]() -> task<> {
            EXPECT_NE(who.find(), nullptr);
            EXPECT_THAT(dump(s), testing::HasSubstr("- named (locals_test.cpp:"));
            co_return;
        });
        EXPECT_FALSE(closed.try_spawn([] {}));
        const auto no_coroutine = []() -> task<> { throw boom(); };
        EXPECT_THROW(s.spawn(no_coroutine), boom);
        co_return;
    };
    run(ex, [&]() -> task<> { co_await with_local(who, citizen(people), spawner()); });
    s.blocking_join();
    task_scope stopped{ex};
    stopped.request_stop();
    const auto spawns_in_vain = [&]() -> task<> {
        stopped.spawn([] {});
        co_return;
    };
    run(ex, [&]() -> task<> { co_await with_local(who, citizen(people), spawns_in_vain()); });
    stopped.blocking_join();
    EXPECT_EQ(people.alive, 0);
}

TEST_F(locals, go_through_start_and_admission) {
    task_scope s{ex};
    admission door(s, {.max_live = 1});
    const auto child = [&](start_signal<int> ready) -> task<> {
        co_await yield();
        ready(number.get_or(-1));
    };
    const auto body = [&]() -> task<> {
        EXPECT_EQ(co_await s.start(child), 7);
        const auto first = look("first");
        co_await door.spawn_when_admitted(first);
        const auto second = look("second");
        co_await door.spawn_when_admitted(second);
    };
    ex.run(with_local(number, 7, body()));
    s.blocking_join();
    EXPECT_EQ(seen, (sequence{"first 7", "second 7"}));
}

// cases: T381
// A bridge takes the current scope along.
TEST_F(locals, and_the_current_scope_cross_a_bridge) {
    task_scope s{ex};
    s.spawn(with_local(number, 7, [](task_scope& here, auto child) -> task<> {
        const task_bridge bridge;
        std::thread other([&] {
            EXPECT_THROW(static_cast<void>(current_scope()), misuse_error);
            bridge([&] {
                EXPECT_EQ(&current_scope(), &here);
                spawn(child);
            });
        });
        other.join();
        co_return;
    }(s, look("child"))));
    s.blocking_join();
    EXPECT_EQ(seen, (sequence{"child 7"}));
    EXPECT_EQ(s.counts().spawned, 2U);
}

class locals_on : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, locals_on, testing::Values(1, 2, 8));

// cases: T379
TEST_P(locals_on, of_thousands_of_children_never_get_mixed_up) {
    std::atomic<int> wrong{0};
    std::atomic<int> ran{0};
    const auto child = [&](int mine) -> task<> {
        for (int i = 0; i < 5; ++i) {
            if (number.get_or(-1) != mine) wrong.fetch_add(1);
            co_await yield();
        }
        ran.fetch_add(1);
    };
    const auto request = [&](int mine) -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            for (int i = 0; i < 5; ++i) {
                s.spawn(std::cref(child), mine);
                co_await yield();
                spawn(std::cref(child), mine);
            }
        });
    };
    task_scope s{ex};
    for (int i = 0; i < 200; ++i) s.spawn(with_local(number, i, request(i)));
    s.blocking_join();
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_EQ(ran.load(), 2000);
}

// The binder ends while children that share its chain end on other workers.
TEST_P(locals_on, are_destroyed_by_the_last_one_and_only_then) {
    const task_local<std::shared_ptr<int>> shared;
    for (int round = 0; round < 100; ++round) {
        std::weak_ptr<int> value;
        {
            auto owner = std::make_shared<int>(round);
            value = owner;
            task_scope s{ex};
            std::atomic<int> wrong{0};
            const auto spawner = [&]() -> task<> {
                for (int i = 0; i < 4; ++i) {
                    s.spawn([&]() -> task<> {
                        co_await yield();
                        if (*shared.get() != round) wrong.fetch_add(1);
                    });
                }
                co_return;
            };
            run(ex, [&]() -> task<> { co_await with_local(shared, std::move(owner), spawner()); });
            s.blocking_join();
            ASSERT_EQ(wrong.load(), 0);
        }
        ASSERT_TRUE(value.expired());
    }
}

}  // namespace
}  // namespace taskscope::test
