// tests/scope/task_scope_test.cpp - a scope's life: spawning, joining, stopping, closing, its name.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/task_scope.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace taskscope::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<task_scope>);
static_assert(!std::is_move_constructible_v<task_scope>);
static_assert(!std::is_copy_assignable_v<task_scope>);
static_assert(!std::is_move_assignable_v<task_scope>);

class scopes : public ledger_test {
protected:
    manual_executor ex;
};

// Opening, joining, destroying.

// cases: T005, T010, T027
TEST_F(scopes, one_that_was_never_used_may_be_destroyed) {
    {
        const task_scope s{ex};
    }
    EXPECT_EQ(ex.root().counts().scopes, 0U);
}

// cases: T011
TEST_F(scopes, one_that_was_closed_unused_may_be_destroyed) {
    task_scope s{ex};
    s.close();
    EXPECT_TRUE(s.is_closed());
    EXPECT_FALSE(s.has_ended());
}

TEST_F(scopes, one_whose_children_have_completed_may_be_destroyed_unjoined) {
    int ran = 0;
    {
        task_scope s{ex};
        s.spawn([&] { ++ran; });
        ex.run_ready();
    }
    EXPECT_EQ(ran, 1);
}

// cases: T010, T012, T019, T023, T031, T382
TEST_F(scopes, join_of_an_empty_scope_completes_at_once_and_ends_it) {
    task_scope s{ex};
    run(ex, [&]() -> task<> { co_await s.join(); });
    EXPECT_TRUE(s.has_ended());
    EXPECT_TRUE(s.is_closed());
    EXPECT_EQ(s.parent(), nullptr);
}

// cases: T007, T008, T016
TEST_F(scopes, join_completes_when_the_last_child_does_and_not_before) {
    task_scope s{ex};
    std::array<async_event, 3> release;
    for (async_event& e : release) s.spawn(wait_for, std::ref(e));
    task_scope watch{ex};
    bool joined = false;
    watch.spawn([&]() -> task<> {
        co_await s.join();
        joined = true;
    });
    for (std::uint64_t left = 3; left > 0; --left) {
        ex.run_ready();
        EXPECT_EQ(s.counts().live, left);
        EXPECT_FALSE(joined);
        EXPECT_FALSE(s.has_ended());
        release[left - 1].set();
    }
    ex.run_ready();
    EXPECT_TRUE(joined);
    EXPECT_TRUE(s.has_ended());
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().spawned, 3U);
    watch.blocking_join();
}

// cases: T015
TEST_F(scopes, a_join_that_is_created_and_not_awaited_leaves_the_scope_destroyable) {
    {
        task_scope s{ex};
        s.spawn([] {});
        [[maybe_unused]] auto never = s.join();
        ex.run_ready();
    }
    EXPECT_TRUE(ex.idle());
}

// cases: T020, T025, T351
TEST_F(scopes, any_number_of_tasks_may_join_before_and_after_the_end) {
    task_scope s{ex};
    async_event release;
    s.spawn(wait_for, std::ref(release));
    task_scope joiners{ex};
    int joined = 0;
    const auto join = [&]() -> task<> {
        co_await s.join();
        ++joined;
    };
    for (int i = 0; i < 3; ++i) joiners.spawn(join);
    ex.run_ready();
    EXPECT_EQ(joined, 0);
    release.set();
    ex.run_ready();
    EXPECT_EQ(joined, 3);
    joiners.spawn(join);
    ex.run_ready();
    EXPECT_EQ(joined, 4);
    s.blocking_join();
    s.blocking_join();
    joiners.blocking_join();
}

// cases: T026
TEST_F(scopes, join_is_not_interrupted_by_a_stop_of_the_joining_task) {
    task_scope s{ex};
    async_event release;
    s.spawn(wait_shielded, std::ref(release));
    task_scope joiners{ex};
    bool joined = false;
    joiners.spawn([&]() -> task<> {
        co_await s.join();
        joined = true;
    });
    ex.run_ready();
    joiners.request_stop();
    ex.run_ready();
    EXPECT_FALSE(joined);
    EXPECT_EQ(joiners.counts().live, 1U);
    release.set();
    ex.run_ready();
    EXPECT_TRUE(joined);
    joiners.blocking_join();
}

// cases: T043, T075
TEST_F(scopes, a_join_waits_for_all_generations_that_children_spawn_meanwhile) {
    task_scope s{ex};
    int ran = 0;
    std::function<task<>(int)> family = [&](int depth) -> task<> {
        co_await yield();
        ++ran;
        if (depth > 0) {
            s.spawn(std::ref(family), depth - 1);
            s.spawn(std::ref(family), depth - 1);
        }
    };
    s.spawn(std::ref(family), 6);
    s.blocking_join();
    EXPECT_EQ(ran, 127);
}

// cases: T075, T399
TEST_F(scopes, children_may_be_spawned_from_outside_while_a_join_waits) {
    task_scope s{ex};
    async_event release;
    s.spawn(wait_for, std::ref(release));
    [[maybe_unused]] auto waiting = s.join();
    bool ran = false;
    s.spawn([&] { ran = true; });
    ex.run_ready();
    EXPECT_TRUE(ran);
    EXPECT_FALSE(s.has_ended());
    release.set();
    s.blocking_join();
}

// cases: T034
TEST_F(scopes, a_child_that_completes_without_suspending_is_counted) {
    task_scope s{ex};
    for (int i = 0; i < 10; ++i) s.spawn([]() -> task<> { co_return; });
    EXPECT_EQ(s.counts().live, 10U);
    ex.run_ready();
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().spawned, 10U);
    EXPECT_EQ(s.counts().failed, 0U);
}

TEST_F(scopes, a_child_starts_on_the_executor_and_not_inside_spawn) {
    task_scope s{ex};
    bool ran = false;
    s.spawn([&]() -> task<> {
        ran = true;
        co_return;
    });
    EXPECT_FALSE(ran);
    s.blocking_join();
    EXPECT_TRUE(ran);
}

// cases: T282, T403
TEST_F(scopes, a_join_by_a_member_is_refused_since_it_would_wait_for_itself) {
    task_scope above{ex, {.name = "above"}};
    task_scope s{above, {.name = "s"}};
    std::vector<std::string> said;
    const auto join = [&](task_scope& which) -> task<> {
        try {
            co_await which.join();
        } catch (const misuse_error& e) {
            said.emplace_back(e.what());
        }
    };
    s.spawn(join, std::ref(s));
    s.spawn(join, std::ref(above));
    s.spawn([&]() -> task<> {
        co_await with_scope([&](task_scope& block) -> task<> { co_await join(block); });
    });
    ex.run_ready();
    ASSERT_EQ(said.size(), 3U);
    EXPECT_THAT(said[0], AllOf(HasSubstr("a member of scope /above/s called its join()"),
                               HasSubstr("Join it from outside; with_scope() joins by itself")));
    EXPECT_THAT(said[1], HasSubstr("a member of scope /above called its join()"));
    EXPECT_FALSE(s.has_ended());
    above.spawn([&]() -> task<> { co_await s.join(); });  // from outside
    above.blocking_join();
    EXPECT_TRUE(s.has_ended());
}

// cases: T407
TEST_F(scopes, a_blocking_join_of_what_can_not_happen_shows_the_tree) {
    async_event never;
    task_scope s{ex, {.name = "stuck"}};
    s.spawn({.name = "waiter"}, wait_for, std::ref(never));
    EXPECT_DEATH(s.blocking_join(),
                 AllOf(HasSubstr("waits for what can not happen"), HasSubstr("stuck  1 live"),
                       HasSubstr("- waiter (task_scope_test.cpp:")));
    never.set();
    s.blocking_join();
}

// A worker has nobody to run what it waits for.

// cases: S40
TEST_F(scopes, a_task_given_to_run_may_join_the_root) {
    bool spawned_ran = false;
    ex.run([&]() -> task<> {
        ex.root().spawn([&] { spawned_ran = true; });
        co_await ex.root().join();
        EXPECT_TRUE(spawned_ran);
    }());
    EXPECT_TRUE(ex.root().has_ended());
}

TEST_F(scopes, a_member_that_joins_its_own_scope_is_told_so) {
    std::string said;
    task_scope s{ex, {.name = "s"}};
    s.spawn([&]() -> task<> {
        try {
            co_await s.join();
        } catch (const misuse_error& e) {
            said = e.what();
        }
    });
    s.blocking_join();
    EXPECT_THAT(said, HasSubstr("a member of scope /s called its join()"));
}

// cases: T402
TEST_F(scopes, a_blocking_join_inside_a_task_is_refused) {
    task_scope s{ex};
    std::string said;
    run(ex, [&]() -> task<> {
        try {
            s.blocking_join();
        } catch (const misuse_error& e) {
            said = e.what();
        }
        co_return;
    });
    EXPECT_THAT(said, HasSubstr("blocking wait was called on a worker. co_await instead"));
}

// cases: T402, T407
TEST_F(scopes, a_blocking_join_on_a_worker_is_refused) {
    executor threads{{.workers = 1}};
    task_scope s{threads};
    const auto join = [&]() -> task<> {
        s.blocking_join();
        co_return;
    };
    EXPECT_THROW(run(threads, join), misuse_error);
    EXPECT_THROW(run(threads,
                     [&]() -> task<> {
                         s.blocking_shutdown();
                         co_return;
                     }),
                 misuse_error);
    s.blocking_join();
}

// Destroyed too early.

constexpr std::uint32_t opened_here = __LINE__ + 3;
void destroy_with_a_child(manual_executor& ex, async_event& never) {
    task_scope pool{ex, {.name = "pool"}};
    task_scope s{pool, {.name = "connections"}};
    s.spawn({.name = "session"}, wait_for, std::ref(never));
}

// cases: T027, T336
TEST_F(scopes, one_with_a_running_child_dies_with_path_spawn_site_and_remedy) {
    async_event never;
    const auto line = [](std::uint32_t n) { return "task_scope_test.cpp:" + std::to_string(n); };
    EXPECT_DEATH(
        destroy_with_a_child(ex, never),
        AllOf(HasSubstr("taskscope: scope /pool/connections was destroyed with 1 children "
                        "and 0 scopes still running"),
              HasSubstr("opened at "), HasSubstr(line(opened_here)),
              HasSubstr("running      session, spawned at "), HasSubstr(line(opened_here + 1)),
              HasSubstr("what to do   co_await join() before the scope goes, or open it "
                        "with with_scope()")));
}

// cases: T239
TEST_F(scopes, one_with_a_scope_below_it_dies) {
    const auto destroy = [this] {
        std::optional<task_scope> above(std::in_place, ex, scope_options{.name = "above"});
        task_scope below{*above, {.name = "below"}};
        above.reset();
    };
    EXPECT_DEATH(destroy(), HasSubstr("scope /above was destroyed with 0 children and 1 scopes"));
}

// cases: T336
TEST_F(scopes, an_executor_destroyed_before_a_scope_was_joined_says_which) {
    const auto destroy = [] {
        std::optional<manual_executor> short_lived(std::in_place);
        task_scope s{*short_lived, {.name = "left-over"}};
        short_lived.reset();
    };
    EXPECT_DEATH(destroy(), AllOf(HasSubstr("was destroyed before scope /left-over was joined"),
                                  HasSubstr("Join or destroy every scope before its executor")));
}

TEST_F(scopes, a_threaded_executor_destroyed_before_a_scope_was_joined_says_which) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto destroy = [] {
        std::optional<executor> short_lived(std::in_place,
                                            executor_options{.workers = 2, .name = "api"});
        task_scope s{*short_lived, {.name = "left-over"}};
        short_lived.reset();
    };
    EXPECT_DEATH(destroy(), HasSubstr("executor \"api\" was destroyed before scope /left-over"));
}

// Closed.

// cases: T046, T062, T065, T066, T073, T351
TEST_F(scopes, a_closed_one_refuses_children_and_still_waits_for_those_it_has) {
    task_scope s{ex, {.name = "shop"}};
    async_event release;
    bool finished = false;
    s.spawn([&]() -> task<> {
        co_await release.wait();
        finished = true;
    });
    s.close();
    s.close();
    bool ran = false;
    EXPECT_FALSE(s.try_spawn([&] { ran = true; }));
    EXPECT_FALSE(s.try_spawn([&](int) { ran = true; }, 1));
    EXPECT_FALSE(s.try_spawn({.name = "third"}, [&](int, int) { ran = true; }, 1, 2));
    EXPECT_FALSE(s.try_spawn(throw_boom()));
    try {
        s.spawn([&] { ran = true; });
        ADD_FAILURE() << "spawn into a closed scope";
    } catch (const scope_closed& e) {
        EXPECT_STREQ(e.what(), "taskscope: scope /shop is closed: nothing can be spawned into it");
    }
    EXPECT_THROW(s.spawn(throw_boom()), scope_closed);
    EXPECT_THROW(static_cast<void>(s.spawn_future([] { return 1; })), scope_closed);
    EXPECT_THROW(static_cast<void>(s.spawn_future(throw_boom())), scope_closed);
    EXPECT_THROW(task_scope(s, {.name = "below"}), scope_closed);
    EXPECT_EQ(s.counts().refused, 8U);
    EXPECT_EQ(s.counts().live, 1U);
    ex.run_ready();
    EXPECT_FALSE(finished);
    release.set();
    s.blocking_join();
    EXPECT_TRUE(finished);
    EXPECT_FALSE(ran);
    EXPECT_FALSE(s.has_errors());
}

// cases: T030, T046, T053, T126
TEST_F(scopes, one_that_has_ended_refuses_children) {
    task_scope t{ex};
    t.spawn([] {});
    t.blocking_join();  // ends with its last child, not in join()
    EXPECT_TRUE(t.is_closed());
    EXPECT_FALSE(t.try_spawn([] {}));
    task_scope s{ex};
    s.blocking_join();
    EXPECT_FALSE(s.try_spawn([] {}));
    EXPECT_THROW(s.spawn([] {}), scope_closed);
    EXPECT_THROW(task_scope(s, {}), scope_closed);
}

// cases: T048, T070
TEST_F(scopes, what_is_refused_is_destroyed_unrun_and_at_once) {
    task_scope s{ex};
    s.close();
    auto held = std::make_shared<int>();
    EXPECT_FALSE(s.try_spawn([held] {}));
    EXPECT_FALSE(s.try_spawn([](const std::shared_ptr<int>&) -> task<> { co_return; }, held));
    EXPECT_THROW(s.spawn({}, [](const std::shared_ptr<int>&, int) {}, held, 1), scope_closed);
    EXPECT_EQ(held.use_count(), 1);
}

// cases: T021, T349
TEST_F(scopes, closing_asks_children_that_wait_for_new_work_through_the_closing_token) {
    task_scope s{ex};
    EXPECT_FALSE(s.closing_token().stop_requested());
    int called = 0;
    const auto count = [&] { ++called; };
    const stop_callback<decltype(count)> on_close(s.closing_token(), count);
    s.close();
    EXPECT_EQ(called, 1);
    EXPECT_TRUE(s.closing_token().stop_requested());
    EXPECT_FALSE(s.stop_requested());
}

// cases: T239
TEST_F(scopes, closing_one_is_a_sign_for_those_below_too_which_stay_open) {
    task_scope above{ex};
    task_scope below{above};
    bool ran = false;
    above.close();
    EXPECT_TRUE(below.closing_token().stop_requested());
    EXPECT_FALSE(below.is_closed());
    below.spawn([&] { ran = true; });
    below.blocking_join();
    EXPECT_TRUE(ran);
    above.blocking_join();
}

// What can be spawned.

task<> add_later(int& sum, int a, int b) {
    co_await yield();
    sum += a + b;
}
void add_now(int& sum, int a) { sum += a; }

struct account {
    int balance = 0;
    void deposit(int n) { balance += n; }
    task<> deposit_later(int n) {
        co_await yield();
        balance += n;
    }
};

// cases: T036
TEST_F(scopes, run_functions_coroutines_members_and_tasks) {
    task_scope s{ex};
    int sum = 0;
    account a;
    s.spawn(add_later, std::ref(sum), 1, 2);
    s.spawn(add_now, std::ref(sum), 4);
    s.spawn(add_later(sum, 8, 16));
    s.spawn(
        {.name = "five arguments"},
        [&](int v, int w, int x, int y, int z) { sum += v + w + x + y + z; }, 32, 64, 0, 0, 0);
    s.spawn(&account::deposit, &a, 10);
    s.spawn(&account::deposit_later, std::ref(a), 20);
    EXPECT_TRUE(s.try_spawn({}, add_now, std::ref(sum), 128));
    s.blocking_join();
    EXPECT_EQ(a.balance, 30);
    EXPECT_EQ(sum, 255);
}

// cases: T036, T370
TEST_F(scopes, captures_and_arguments_live_as_long_as_the_child_and_are_gone_before_the_join) {
    task_scope s{ex};
    async_event release;
    auto capture = std::make_shared<std::string>("a capture that is long enough for the heap");
    auto argument = std::make_shared<std::string>("an argument that is long enough for the heap");
    std::string seen;
    {
        const auto body = [capture, &release, &seen](std::shared_ptr<std::string> arg) -> task<> {
            co_await release.wait();
            seen = *capture + *arg;
        };
        s.spawn(body, argument);
    }
    EXPECT_EQ(capture.use_count(), 2);
    ex.run_ready();
    EXPECT_GE(argument.use_count(), 2);
    long capture_at_join = 0;
    long argument_at_join = 0;
    task_scope watch{ex};
    watch.spawn([&]() -> task<> {
        co_await s.join();
        capture_at_join = capture.use_count();
        argument_at_join = argument.use_count();
    });
    release.set();
    watch.blocking_join();
    EXPECT_EQ(seen, *capture + *argument);
    EXPECT_EQ(capture_at_join, 1);
    EXPECT_EQ(argument_at_join, 1);
}

// cases: T038
TEST_F(scopes, move_only_callables_and_arguments_are_moved_in) {
    task_scope s{ex};
    int sum = 0;
    auto owned = std::make_unique<int>(1);
    s.spawn([&sum, p = std::move(owned)](std::unique_ptr<int> q) { sum += *p + *q; },
            std::make_unique<int>(2));
    s.spawn(
        [&sum](std::unique_ptr<int> p) -> task<> {
            co_await yield();
            sum += *p;
        },
        std::make_unique<int>(4));
    s.blocking_join();
    EXPECT_EQ(sum, 7);
}

// cases: T038
TEST_F(scopes, an_lvalue_callable_is_copied_and_an_rvalue_moved_once) {
    struct counted {
        int* copies;
        int* moves;
        counted(int& c, int& m) : copies(&c), moves(&m) {}
        counted(const counted& o) : copies(o.copies), moves(o.moves) { ++*copies; }
        counted(counted&& o) noexcept : copies(o.copies), moves(o.moves) { ++*moves; }
        counted& operator=(const counted&) = delete;
        counted& operator=(counted&&) = delete;
        ~counted() = default;
        void operator()() const {}
    };
    task_scope s{ex};
    int copies = 0;
    int moves = 0;
    const counted named(copies, moves);
    s.spawn(named);
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(moves, 0);
    s.spawn(counted(copies, moves));
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(moves, 1);
    s.blocking_join();
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(moves, 1);
}

// What can go wrong while spawning.

struct throws_when_copied {
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw boom("copy"); }
    throws_when_copied& operator=(const throws_when_copied&) = delete;
    ~throws_when_copied() = default;
    void operator()() const {}
};

task<> factory_that_throws(const std::shared_ptr<int>&) {  // no coroutine: throws inside spawn()
    throw boom("factory");
}

// cases: T067, T068, T149
TEST_F(scopes, a_spawn_that_throws_leaves_nothing_behind) {
    task_scope s{ex};
    const throws_when_copied bad;
    auto held = std::make_shared<int>();
    EXPECT_THROW(s.spawn(bad), boom);
    EXPECT_THROW(s.spawn(
                     {.name = "named"},
                     [](const std::shared_ptr<int>&, const throws_when_copied&) {}, held, bad),
                 boom);
    EXPECT_THROW(s.spawn(factory_that_throws, held), boom);
    EXPECT_THROW(static_cast<void>(s.try_spawn(factory_that_throws, held)), boom);
    EXPECT_THROW(static_cast<void>(s.spawn_future(factory_that_throws, held)), boom);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().spawned, 0U);
    EXPECT_TRUE(snapshot(s).scopes.front().children.empty());
    EXPECT_TRUE(ex.idle());
    s.blocking_join();
    EXPECT_FALSE(s.has_errors());
}

// cases: T067
TEST_F(scopes, a_spawn_that_throws_as_the_last_member_completes_the_join) {
    task_scope s{ex};
    async_event release;
    s.spawn(wait_for, std::ref(release));
    task_scope watch{ex};
    bool joined = false;
    watch.spawn([&]() -> task<> {
        co_await s.join();
        joined = true;
    });
    ex.run_ready();
    const auto factory = [&](const int&) -> task<> {
        release.set();
        ex.run_ready();  // the only child ends; this one has entered
        EXPECT_FALSE(joined);
        throw boom();
    };
    EXPECT_THROW(s.spawn(factory, 1), boom);
    ex.run_ready();
    EXPECT_TRUE(joined);
    EXPECT_TRUE(s.has_ended());
    watch.blocking_join();
}

TEST_F(scopes, a_task_of_a_lambda_with_captures_is_refused_with_the_remedy) {
    task_scope s{ex};
    int x = 1;
    const auto lambda = [x]() -> task<> {
        EXPECT_EQ(x, 1);
        co_return;
    };
    const auto message = [&](auto spawn) -> std::string {
        try {
            spawn();
        } catch (const misuse_error& e) {
            return e.what();
        }
        return "nothing was thrown";
    };
    const auto tells_what_to_write =
        AllOf(HasSubstr("a task made by calling a lambda with captures"),
              HasSubstr("Spawn the lambda itself: scope.spawn([x]() -> task<> {...})"));
    EXPECT_THAT(message([&] { s.spawn(lambda()); }), tells_what_to_write);
    EXPECT_THAT(message([&] { s.spawn({.name = "named"}, lambda()); }), tells_what_to_write);
    EXPECT_THAT(message([&] { static_cast<void>(s.try_spawn(lambda())); }), tells_what_to_write);
    EXPECT_THAT(message([&] { static_cast<void>(s.spawn_future(lambda())); }), tells_what_to_write);
    EXPECT_EQ(s.counts().spawned, 0U);
    s.spawn(lambda);
    s.spawn([]() -> task<> { co_return; }());
    EXPECT_EQ(s.counts().spawned, 2U);
    s.blocking_join();
}

// cases: T080
TEST_F(scopes, a_task_that_was_moved_from_is_refused) {
    task_scope s{ex};
    task<> t = throw_boom();
    const task<> moved = std::move(t);
    EXPECT_THROW(s.spawn(std::move(t)), misuse_error);  // NOLINT(bugprone-use-after-move)
    s.blocking_join();
}

// Stopping.

// cases: T194, T201, T202, T210, T344
TEST_F(scopes, a_stop_reaches_children_and_scopes_below_and_is_requested_once) {
    task_scope above{ex};
    task_scope below{above};
    async_event never;
    above.spawn(wait_for, std::ref(never));
    below.spawn(wait_for, std::ref(never));
    ex.run_ready();
    EXPECT_FALSE(below.stop_requested());
    EXPECT_TRUE(above.request_stop());
    EXPECT_FALSE(above.request_stop());
    EXPECT_TRUE(below.stop_requested());
    EXPECT_TRUE(below.get_token().stop_requested());
    ex.run_ready();
    EXPECT_EQ(above.counts().stopped, 1U);
    EXPECT_EQ(below.counts().stopped, 1U);
    EXPECT_FALSE(above.has_errors());
    below.blocking_join();
    above.blocking_join();
}

// cases: T142
TEST_F(scopes, a_stop_of_a_scope_below_does_not_reach_upwards) {
    task_scope above{ex};
    task_scope below{above};
    async_event release;
    above.spawn(wait_for, std::ref(release));
    below.request_stop();
    EXPECT_FALSE(above.stop_requested());
    ex.run_ready();
    EXPECT_EQ(above.counts().live, 1U);
    release.set();
    below.blocking_join();
    above.blocking_join();
    EXPECT_EQ(above.counts().stopped, 0U);
}

// cases: T193
TEST_F(scopes, one_opened_below_a_stopped_one_is_stopped) {
    task_scope above{ex};
    above.request_stop();
    task_scope below{above};
    EXPECT_TRUE(below.stop_requested());
    EXPECT_FALSE(below.is_closed());
}

// cases: T069, T072, T076, T193, T201, T211, T348
TEST_F(scopes, a_child_spawned_after_a_stop_is_admitted_and_completes_stopped_without_running) {
    task_scope s{ex};
    s.request_stop();
    bool ran = false;
    auto held = std::make_shared<int>();
    s.spawn([&ran, held]() -> task<> {
        ran = true;
        co_return;
    });
    s.spawn([&ran](const std::shared_ptr<int>&) { ran = true; }, held);
    EXPECT_TRUE(s.try_spawn([&ran, held] { ran = true; }));
    s.spawn(throw_boom());
    EXPECT_EQ(held.use_count(), 4);
    EXPECT_EQ(s.counts().live, 4U);
    s.blocking_join();
    EXPECT_FALSE(ran);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(s.counts().spawned, 4U);
    EXPECT_EQ(s.counts().stopped, 4U);
    EXPECT_FALSE(s.has_errors());
}

// cases: T072, T079, T170
TEST_F(scopes, a_child_that_has_been_spawned_and_not_started_still_runs_to_its_first_await) {
    task_scope s{ex};
    bool began = false;
    bool went_on = false;
    s.spawn([&]() -> task<> {
        began = true;
        co_await yield();
        went_on = true;
    });
    s.request_stop();
    s.blocking_join();
    EXPECT_TRUE(began);
    EXPECT_FALSE(went_on);
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: T210
TEST_F(scopes, a_sleeping_child_is_stopped_without_waiting_for_its_time) {
    task_scope s{ex};
    s.spawn([]() -> task<> { co_await sleep_for(1h); });
    ex.run_ready();
    const auto before = ex.now();
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(ex.now(), before);
    EXPECT_TRUE(ex.idle());
}

// Names and the tree.

// cases: T373, T382
TEST_F(scopes, have_a_path_of_names_from_below_the_root) {
    task_scope app{ex, {.name = "app-a"}};
    task_scope handlers{app, {.name = "handlers"}};
    EXPECT_EQ(ex.root().path(), "/");
    EXPECT_EQ(app.path(), "/app-a");
    EXPECT_EQ(handlers.path(), "/app-a/handlers");
    EXPECT_EQ(handlers.name(), "handlers");
    EXPECT_EQ(handlers.parent(), &app);
    EXPECT_EQ(app.parent(), &ex.root());
    EXPECT_EQ(ex.root().parent(), nullptr);
    EXPECT_EQ(&handlers.get_executor(), &ex);
}

// cases: T373
TEST_F(scopes, are_called_by_the_place_where_they_were_opened_if_they_have_no_name) {
    const task_scope s{ex};
    EXPECT_EQ(s.name(), "task_scope_test.cpp:" + std::to_string(__LINE__ - 1));
}

TEST_F(scopes, keep_their_own_copy_of_a_name) {
    std::string name = "a name that is too long for the small string buffer";
    const std::string copy = name;
    const task_scope s{ex, {.name = name}};
    name.assign(name.size(), 'x');
    EXPECT_EQ(s.name(), copy);
}

// cases: T029, T041, T392, T393, S31
TEST_F(scopes, describe_themselves_in_every_state) {
    const std::source_location here = std::source_location::current();
    task_scope s{ex, {.name = "jobs", .policy = ignore_errors}};
    const std::string opened = ", opened at task_scope_test.cpp:" + std::to_string(here.line() + 1);
    EXPECT_EQ(s.describe(), "scope /jobs: 0 live" + opened);
    async_event release;
    s.spawn(wait_for, std::ref(release));
    s.spawn(throw_boom);
    ex.run_ready();
    EXPECT_EQ(s.describe(), "scope /jobs: 1 live, 2 spawned, 1 failed" + opened);
    s.close();
    static_cast<void>(s.try_spawn([] {}));
    EXPECT_EQ(s.describe(), "scope /jobs: 1 live, 2 spawned, 1 failed, 1 refused, closed" + opened);
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(
        s.describe(),
        "scope /jobs: 0 live, 2 spawned, 1 failed, 1 stopped, 1 refused, stop requested (request), "
        "ended" +
            opened);
}

// cases: T071
TEST_F(scopes, below_another_are_counted_and_waited_for) {
    task_scope above{ex};
    std::optional<task_scope> below(std::in_place, above);
    EXPECT_EQ(above.counts().scopes, 1U);
    EXPECT_EQ(above.counts().live, 0U);
    task_scope watch{ex};
    watch.spawn([&]() -> task<> { co_await above.join(); });
    ex.run_ready();
    EXPECT_FALSE(above.has_ended());
    below.reset();
    ex.run_ready();
    EXPECT_TRUE(above.has_ended());
    watch.blocking_join();
}

// cases: T047, T054
TEST_F(scopes, may_be_members_of_an_object_and_joined_elsewhere) {
    struct service {
        explicit service(executor& home) : scope(home, {.name = "service"}) {}
        void start() { scope.spawn(&service::work, this); }
        task<> work() {
            co_await sleep_for(1ms);
            ++done;
        }
        int done = 0;
        task_scope scope;
    };
    service x(ex);
    x.start();
    x.start();
    run(ex, [&]() -> task<> { co_await x.scope.join(); });
    EXPECT_EQ(x.done, 2);
}

}  // namespace
}  // namespace taskscope::test
