// tests/scope/fatal_error_test.cpp - errors after which the whole tree has to end.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/fatal_error.hpp>
#include <taskscope/task_group.hpp>
#include <taskscope/task_scope.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;

class fatal_errors : public ledger_test {
protected:
    manual_executor ex;
};

struct disk_gone : std::runtime_error, fatal_error {
    disk_gone() : std::runtime_error("disk gone") {}
};

// cases: T091, T093
TEST_F(fatal_errors, stop_the_whole_tree_and_go_to_the_policies_as_any) {
    std::vector<std::string> told;
    ex.root().set_policy([&](const error_context& e) { told.push_back(describe(e.error)); });
    task_scope other{ex, {.name = "other"}};
    other.spawn([]() -> task<> { co_await sleep_for(1h); });
    task_scope s{ex, {.name = "s"}};
    s.spawn(throw_boom);
    s.spawn([] { throw disk_gone(); });
    s.blocking_join();
    other.blocking_join();
    EXPECT_THAT(told, testing::UnorderedElementsAre("boom", "disk gone"));
    EXPECT_EQ(other.counts().stopped, 1U);
    EXPECT_EQ(other.stop_reason()->kind, stop_kind::fatal);
    EXPECT_EQ(other.stop_reason()->text, "disk gone");
    EXPECT_TRUE(ex.root().stop_requested());
}

// cases: T095
TEST_F(fatal_errors, come_first_in_their_group) {
    task_group g{ex};
    g.spawn(throw_boom);
    g.spawn([] { throw disk_gone(); });
    try {
        g.blocking_join();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const exception_group& e) {
        EXPECT_EQ(describe(e.errors().at(0).error), "disk gone");
        EXPECT_EQ(e.errors().size(), 2U);
        EXPECT_TRUE(is_fatal(e.errors()[0].error));
        EXPECT_FALSE(is_fatal(e.errors()[1].error));
    }
}

}  // namespace
}  // namespace taskscope::test
