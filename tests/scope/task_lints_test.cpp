// tests/scope/task_lints_test.cpp - tasks that keep a worker for long are told.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <vector>

namespace {

using namespace taskscope;
using namespace taskscope::test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class lints : public ledger_test {
protected:
    void work(std::chrono::milliseconds d) { now += d; }
    observation watch() {
        const auto tell = [this](const lint& l) {
            const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(l.ran).count();
            told.push_back(std::string(l.child.name()) +
                           (l.kind == lint_kind::held_worker ? " held " : " never suspended ") +
                           std::to_string(ms) +
                           (l.suspended_at.line() != 0 ? ", suspended" : ", ended"));
        };
        return observe_lints(ex, tell, {.limit = 10ms, .now = [this] { return now; }});
    }
    void spawn(std::string_view name, std::chrono::milliseconds before,
               std::chrono::milliseconds after) {
        ex.root().spawn(spawn_options{.name = name}, [this, before, after]() -> task<> {
            work(before);
            co_await yield();
            work(after);
        });
    }

    manual_executor ex;
    executor::clock::time_point now{1s};
    std::vector<std::string> told;
};

// cases: T394
TEST_F(lints, tell_of_tasks_that_ran_for_long_without_suspending) {
    const observation o = watch();
    spawn("a", 9ms, 9ms);
    spawn("b", 10ms, 1ms);
    spawn("c", 1ms, 12ms);
    ex.run_ready();
    EXPECT_THAT(told, ElementsAre("b held 10, suspended", "c held 12, ended"));
}

// cases: T394
TEST_F(lints, tell_of_tasks_that_never_suspended) {
    const observation o = watch();
    ex.root().spawn(spawn_options{.name = "long"}, [this] { work(20ms); });
    ex.root().spawn(spawn_options{.name = "short"}, [this] { work(2ms); });
    ex.run_ready();
    EXPECT_THAT(told, ElementsAre("long never suspended 20, ended"));
}

TEST_F(lints, have_nothing_to_say_of_tasks_that_never_began) {
    const observation o = watch();
    ex.root().request_stop();
    spawn("a", 20ms, 20ms);
    work(50ms);
    ex.run_ready();
    EXPECT_THAT(told, IsEmpty());
}

}  // namespace
