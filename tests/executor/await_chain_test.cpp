// tests/executor/await_chain_test.cpp - the places of the co_awaits that are under way, as the task itself sees them.
// SPDX-License-Identifier: MIT
#include <taskscope/await_chain.hpp>
#include <taskscope/fork_join.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/shield.hpp>
#include <taskscope/sleep.hpp>
#include <taskscope/yield.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <source_location>
#include <string>
#include <support/ledger.hpp>
#include <support/places.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using support::below;
using support::in_this_file;
using taskscope::await_chain;
using taskscope::fork_join;
using taskscope::manual_executor;
using taskscope::settle;
using taskscope::task;
using testing::ElementsAre;
using testing::SizeIs;

struct sites {
    std::string leaf;
    std::string middle;
    std::string root;
    std::vector<std::string> found;
};

task<> look(sites& s) {
    s.leaf = below();
    const std::vector<std::source_location> chain = co_await await_chain();
    s.found = in_this_file(chain);
}
task<> middle(sites& s) {
    s.middle = below();
    co_await look(s);
}
task<> through(sites& s, task<> inner) {
    s.root = below();
    co_await std::move(inner);
}

class await_chains : public support::ledger {
protected:
    manual_executor ex;
};

// cases: T391
TEST_F(await_chains, lead_from_here_to_the_task_that_was_run) {
    sites s;
    ex.run(through(s, middle(s)));
    EXPECT_THAT(s.found, ElementsAre(s.leaf, s.middle, s.root));
}

TEST_F(await_chains, name_file_and_function) {
    std::vector<std::source_location> chain;
    auto body = [&chain]() -> task<> { chain = co_await await_chain(); };
    ex.run(body());
    ASSERT_THAT(chain, SizeIs(1));
    EXPECT_STREQ(chain[0].file_name(), std::source_location::current().file_name());
    EXPECT_NE(chain[0].function_name()[0], '\0');
}

task<> look_later(sites& s) {
    co_await taskscope::yield();
    co_await taskscope::sleep_for(1ms);
    co_await look(s);
}

// A queue needs the memory in which a suspended coroutine has its place.
TEST_F(await_chains, are_right_again_after_a_wait_in_a_queue) {
    sites s;
    ex.run(through(s, look_later(s)));
    ASSERT_THAT(s.found, SizeIs(3));
    EXPECT_EQ(s.found.front(), s.leaf);
    EXPECT_EQ(s.found.back(), s.root);
}

task<> look_in_branches(sites& a, sites& b, std::string& fork) {
    auto both = fork_join(look(a), look_later(b));
    fork = below();
    co_await std::move(both);
}

TEST_F(await_chains, of_branches_lead_to_the_fork) {
    sites a;
    sites b;
    std::string fork;
    ex.run(look_in_branches(a, b, fork));
    EXPECT_THAT(a.found, ElementsAre(a.leaf, fork));
    ASSERT_THAT(b.found, SizeIs(3));
    EXPECT_EQ(b.found.back(), fork);
}

task<> look_settled(sites& s) {
    auto inner = settle(middle(s));
    s.root = below();
    (void)co_await std::move(inner);
}

TEST_F(await_chains, lead_through_contexts_of_their_own) {
    sites shielded;
    ex.run(through(shielded, taskscope::shield(middle(shielded))));
    EXPECT_THAT(shielded.found, ElementsAre(shielded.leaf, shielded.middle, shielded.root));
    sites settled;
    ex.run(look_settled(settled));
    EXPECT_THAT(settled.found, ElementsAre(settled.leaf, settled.middle, settled.root));
}

task<> deep(sites& s, int levels) {
    if (levels == 0) {
        co_await look(s);
    } else {
        co_await deep(s, levels - 1);
    }
}

TEST_F(await_chains, are_whole_however_deep) {
    sites s;
    ex.run(deep(s, 10'000));
    EXPECT_THAT(s.found, SizeIs(10'002));
}

}  // namespace
