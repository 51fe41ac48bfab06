// tests/scope/task_scope_errors_test.cpp - where the errors of children go.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/task_scope.hpp>

#include <malloc.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taskscope::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

class scope_errors : public ledger_test {
protected:
    manual_executor ex;
};

struct seen_error {
    std::string what;
    const task_scope* scope = nullptr;
    std::string path;
    std::string name;
    std::string place;
};

/// A handler that writes down what it is told.
class notebook {
public:
    void operator()(const error_context& e) {
        errors.push_back({describe(e.error), &e.scope, std::string(e.scope_path),
                          std::string(e.task_name), test::place(e.spawned_at)});
    }
    std::vector<seen_error> errors;
};

// cases: T052, T146, S25, S39
TEST_F(scope_errors, a_handler_is_told_error_scope_path_name_and_spawn_site) {
    notebook seen;
    task_scope app{ex, {.name = "app", .policy = std::ref(seen)}};
    task_scope handlers{app, {.name = "handlers"}};  // inherits
    const std::source_location here = std::source_location::current();
    handlers.spawn(throw_boom);
    handlers.spawn([](int) { throw boom("second"); }, 1);
    handlers.spawn({.name = "third"}, throw_boom());
    app.spawn({.name = "fourth"}, [] { throw 5; });
    handlers.blocking_join();
    app.blocking_join();
    ASSERT_EQ(seen.errors.size(), 4U);
    const auto line = [&](unsigned n) {
        return "task_scope_errors_test.cpp:" + std::to_string(here.line() + n);
    };
    const std::array names{"", "", "third", "fourth"};
    const std::array texts{"boom", "second", "boom", "unknown exception"};
    for (unsigned i = 0; i < 4; ++i) {
        const seen_error& e = seen.errors[i];
        EXPECT_EQ(e.what, texts[i]);
        EXPECT_EQ(e.name, names[i]);
        EXPECT_EQ(e.place, line(i + 1));
        EXPECT_EQ(e.scope, i < 3 ? &handlers : &app);
        EXPECT_EQ(e.path, i < 3 ? "/app/handlers" : "/app");
    }
    EXPECT_EQ(handlers.counts().failed, 3U);
    EXPECT_EQ(app.counts().failed, 1U);
    EXPECT_TRUE(handlers.has_errors());
}

// cases: T115, S19, S25
TEST_F(scope_errors, an_error_is_told_to_the_nearest_handler_only) {
    notebook far;
    notebook near;
    task_scope a{ex, {.name = "a", .policy = std::ref(far)}};
    task_scope b{a, {.name = "b", .policy = std::ref(near)}};
    task_scope c{b, {.name = "c"}};
    c.spawn(throw_boom);
    c.blocking_join();
    b.blocking_join();
    a.blocking_join();
    EXPECT_EQ(near.errors.size(), 1U);
    EXPECT_TRUE(far.errors.empty());
    EXPECT_FALSE(a.has_errors());
}

// cases: T154, S3, S6
TEST_F(scope_errors, ignored_errors_set_the_flag_and_nothing_else) {
    notebook seen;
    task_scope a{ex, {.policy = std::ref(seen)}};
    task_scope b{a, {.policy = ignore_errors}};
    b.spawn(throw_boom);
    EXPECT_FALSE(b.has_errors());
    b.blocking_join();
    EXPECT_TRUE(b.has_errors());
    EXPECT_EQ(b.counts().failed, 1U);
    EXPECT_TRUE(seen.errors.empty());
    a.blocking_join();
}

TEST_F(scope_errors, a_scope_that_ignores_its_errors_does_not_ignore_those_below) {
    notebook seen;
    task_scope a{ex, {.policy = std::ref(seen)}};
    task_scope b{a, {.policy = ignore_errors}};
    task_scope c{b};
    c.spawn(throw_boom);
    c.blocking_join();
    b.blocking_join();
    a.blocking_join();
    EXPECT_EQ(seen.errors.size(), 1U);
}

struct own_policy {
    static constexpr bool errors_only = true;
    notebook& seen;
    disposition child_completed(const child_completion& c) const {
        seen(*c.failure);
        return disposition::handled;
    }
};

TEST_F(scope_errors, a_policy_that_is_no_function_is_not_inherited) {
    notebook above;
    notebook own;
    task_scope a{ex, {.policy = std::ref(above)}};
    task_scope b{a, {.policy = own_policy{own}}};
    task_scope c{b};
    b.spawn(throw_boom);
    c.spawn(throw_boom);
    c.blocking_join();
    b.blocking_join();
    a.blocking_join();
    EXPECT_EQ(own.errors.size(), 1U);
    EXPECT_EQ(own.errors[0].scope, &b);
    EXPECT_EQ(above.errors.size(), 1U);
    EXPECT_EQ(above.errors[0].scope, &c);
}

// cases: T146, S2
TEST_F(scope_errors, without_any_handler_the_error_is_printed_with_scope_task_and_place) {
    task_scope s{ex, {.name = "jobs"}};
    testing::internal::CaptureStderr();
    s.spawn({.name = "nightly"}, throw_boom);
    s.blocking_join();
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("taskscope: unhandled error in scope /jobs: boom"),
                      HasSubstr("task       nightly"), HasSubstr("spawned at "),
                      HasSubstr("task_scope_errors_test.cpp:" + std::to_string(__LINE__ - 5))));
}

// cases: T144, S2
TEST_F(scope_errors, the_handler_of_the_root_is_the_executors_own) {
    notebook seen;
    ex.root().set_policy(std::ref(seen));
    task_scope s{ex, {.name = "jobs"}};
    s.spawn(throw_boom);
    ex.root().spawn(throw_boom);
    s.blocking_join();
    ex.run_ready();
    ASSERT_EQ(seen.errors.size(), 2U);
    EXPECT_EQ(seen.errors[0].path, "/jobs");
    EXPECT_EQ(seen.errors[1].path, "/");
}

// cases: T145, S5
TEST_F(scope_errors, a_handler_that_throws_passes_the_error_and_its_own_on_to_the_roots) {
    notebook root;
    ex.root().set_policy(std::ref(root));
    task_scope s{ex, {.policy = [](const error_context&) { throw boom("handler"); }}};
    s.spawn([] { throw boom("original"); });
    s.blocking_join();
    ASSERT_EQ(root.errors.size(), 2U);
    EXPECT_EQ(root.errors[0].what, "original");
    EXPECT_EQ(root.errors[1].what, "handler");
    EXPECT_EQ(s.counts().handler_failures, 1U);
}

// cases: T150, S5
TEST_F(scope_errors,
       handlers_that_all_throw_leave_the_error_on_standard_error_and_the_join_completes) {
    const auto fail = [](const error_context&) { throw boom("handler"); };
    ex.root().set_policy(fail);
    task_scope s{ex, {.policy = fail}};
    testing::internal::CaptureStderr();
    s.spawn([] { throw boom("original"); });
    ex.root().spawn([] { throw boom("of the root"); });
    s.blocking_join();
    ex.run_ready();
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr(": original"), HasSubstr("in scope /: of the root")));
    EXPECT_EQ(s.counts().handler_failures, 3U);  // its own once, the root's for both errors
}

// cases: T129, S2
TEST_F(scope_errors, an_error_does_not_stop_the_siblings) {
    notebook seen;
    task_scope s{ex, {.policy = std::ref(seen)}};
    bool finished = false;
    s.spawn([&]() -> task<> {
        co_await sleep_for(1s);
        finished = true;
    });
    s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_TRUE(finished);
    EXPECT_FALSE(s.stop_requested());
    EXPECT_EQ(seen.errors.size(), 1U);
}

// cases: S1
TEST_F(scope_errors, a_handler_can_spawn_a_replacement_and_the_join_waits_for_it) {
    int attempts = 0;
    const auto flaky = [&] {
        if (++attempts < 3) throw boom();
    };
    task_scope s{ex, {.policy = [&](const error_context& e) { e.scope.spawn(flaky); }}};
    s.spawn(flaky);
    s.blocking_join();
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(s.counts().failed, 2U);
}

TEST_F(scope_errors, a_policy_can_be_replaced_while_children_run) {
    notebook first;
    notebook second;
    task_scope s{ex, {.policy = std::ref(first)}};
    s.spawn(throw_boom);
    ex.run_ready();
    s.set_policy(std::ref(second));
    s.spawn(throw_boom);
    s.blocking_join();
    EXPECT_EQ(first.errors.size(), 1U);
    EXPECT_EQ(second.errors.size(), 1U);
}

// cases: T361
TEST_F(scope_errors, the_exception_of_a_child_is_gone_before_the_join) {
    struct heavy : boom {
        explicit heavy(std::shared_ptr<int> p) : payload(std::move(p)) {}
        std::shared_ptr<int> payload;
    };
    auto held = std::make_shared<int>();
    task_scope s{ex, {.policy = ignore_errors}};
    s.spawn([held] { throw heavy(held); });
    s.blocking_join();
    EXPECT_EQ(held.use_count(), 1);
}

// cases: T131, T143
TEST_F(scope_errors, a_stopped_child_is_no_error) {
    notebook seen;
    task_scope s{ex, {.policy = std::ref(seen)}};
    s.spawn([]() -> task<> { co_await just_stopped(); });
    s.blocking_join();
    EXPECT_TRUE(seen.errors.empty());
    EXPECT_FALSE(s.has_errors());
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: T042, T360, T371
TEST_F(scope_errors, many_failing_children_keep_memory_flat) {
    task_scope s{ex, {.policy = ignore_errors}};
    const std::int64_t frames_before = frames().live;
    std::size_t warm = 0;
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 1000; ++i) s.spawn({.name = "a name of its own"}, throw_boom);
        ex.run_ready();
        const std::size_t bytes = mallinfo2().uordblks;
        if (round == 20) warm = bytes;  // the worker's cache of free blocks is full
        if (round > 20) {
            ASSERT_LE(bytes, warm + 4096) << "after round " << round;
        }
    }
    EXPECT_EQ(frames().live, frames_before);
    EXPECT_EQ(s.counts().failed, 50'000U);
    EXPECT_TRUE(snapshot(s).scopes.front().children.empty());
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
