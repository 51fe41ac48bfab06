// tests/stress/shutdown_storm.cpp - a big tree with stragglers in it, ended within its time.
// SPDX-License-Identifier: MIT
#include "stress.hpp"

#include <taskscope/taskscope.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;

class shutdown_storm : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(workers, shutdown_storm, testing::Values(1, 2, 8));

task<> wait_willing(async_event& e) { co_await e.wait(); }
task<> wait_stubborn(async_event& e) { co_await e.wait_shielded(); }

// A thousand scopes on five levels, ten children in each, one of a hundred of which ignores stops.
TEST_P(shutdown_storm,
       of_a_thousand_scopes_returns_in_time_and_names_every_straggler_and_only_those) {
    async_event never;
    executor ex{{.workers = GetParam()}};
    task_scope top{ex, {.name = "top"}};
    std::vector<std::unique_ptr<task_scope>> scopes;
    std::vector<std::vector<task_scope*>> levels{{&top}};
    for (std::size_t level = 1, wide = 5; level < 5; ++level, wide *= 5) {
        std::vector<task_scope*> next;
        const std::size_t many = level < 4 ? wide : 999 - scopes.size();
        for (std::size_t i = 0; i < many; ++i) {
            task_scope& above = *levels.back()[i % levels.back().size()];
            const std::string name = std::to_string(level) + '-' + std::to_string(i);
            next.push_back(
                scopes
                    .emplace_back(std::make_unique<task_scope>(above, scope_options{.name = name}))
                    .get());
        }
        levels.push_back(std::move(next));
    }
    ASSERT_EQ(scopes.size() + 1, 1000U);
    std::set<std::string> stubborn;
    int child = 0;
    for (const auto& level : levels) {
        for (task_scope* s : level) {
            for (int i = 0; i < 10; ++i, ++child) {
                const std::string name = "child " + std::to_string(child);
                if (child % 100 == 99) {
                    stubborn.insert(s->path() + ' ' + name);
                    s->spawn({.name = name}, wait_stubborn(never));
                } else {
                    s->spawn({.name = name}, wait_willing(never));
                }
            }
        }
    }
    ASSERT_EQ(stubborn.size(), 100U);

    const stopwatch clock;
    const shutdown_report r = top.blocking_shutdown({.drain = 100ms, .stop = 400ms});
    const double took = clock.seconds();
    std::printf("1 000 scopes, 100 stragglers, %u workers: %.0f ms of 500\n", GetParam(),
                took * 1000);
    if (figures_hold) {
        EXPECT_LE(took, 0.550);
    }
    std::set<std::string> named;
    for (const straggler& s : r.stragglers) named.insert(s.scope_path + ' ' + s.name);
    EXPECT_EQ(named, stubborn);
    EXPECT_EQ(r.abandoned(), 100U);
    EXPECT_EQ(r.stopped(), 9'900U);
    EXPECT_EQ(r.scopes.size(), 1000U);
    // A scope has ended unless a straggler is in it, or in one below.
    for (const scope_shutdown& s : r.scopes) {
        const auto in = [&](const straggler& one) {
            return one.scope_path == s.path || one.scope_path.starts_with(s.path + '/');
        };
        const bool held = std::any_of(r.stragglers.begin(), r.stragglers.end(), in);
        EXPECT_EQ(s.ended, !held) << s.path;
    }
    scopes.clear();  // abandoned ones may go too
    never.set();     // and the executor waits for whoever is in them
}

}  // namespace
}  // namespace taskscope::test
