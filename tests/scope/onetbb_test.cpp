// tests/scope/onetbb_test.cpp - bodies of oneTBB's algorithms, on its threads, on behalf of a task.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/current_scope.hpp>
#include <taskscope/task_bridge.hpp>
#include <taskscope/task_local.hpp>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <support/ledger.hpp>

namespace taskscope::test {
namespace {

const task_local<int> number;

class onetbb : public on_workers {
protected:
    // Four threads, however few processors there are.
    oneapi::tbb::global_control threads{oneapi::tbb::global_control::max_allowed_parallelism, 4};
    oneapi::tbb::task_arena arena{4};
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, onetbb, testing::Values(1, 2, 8));

// cases: T381
// Tasks with different locals, in different scopes, wait for the same threads, and for each other's parts.
TEST_P(onetbb, bodies_see_locals_and_scope_of_their_task_and_spawn_into_it) {
    constexpr int tasks = 6;
    constexpr int parts = 200;
    std::atomic<int> wrong{0};
    support::tally spawned(tasks * parts);
    const auto request = [&](int mine) -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            const task_bridge bridge;
            arena.execute([&] {
                oneapi::tbb::parallel_for(0, parts, [&](int part) {
                    bridge([&] {
                        if (number.get_or(-1) != mine || &current_scope() != &s) wrong.fetch_add(1);
                        spawn([&, part] {
                            if (number.get_or(-1) != mine) wrong.fetch_add(1);
                            spawned.count(static_cast<std::size_t>(mine * parts + part));
                        });
                    });
                });
            });
            if (number.get_or(-1) != mine) wrong.fetch_add(1);
            co_return;
        });
    };
    task_scope all{ex};
    for (int i = 0; i < tasks; ++i) all.spawn(with_local(number, i, request(i)));
    all.blocking_join();
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_TRUE(spawned.exactly_once());
}

}  // namespace
}  // namespace taskscope::test
