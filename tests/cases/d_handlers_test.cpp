// tests/cases/d_handlers_test.cpp - group D: where errors go that stop nobody.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <algorithm>
#include <optional>
#include <support/until.hpp>

namespace taskscope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class handling : public scenario {};

// cases: T130
TEST_F(handling, one_fails_the_others_results_come_and_nobody_is_stopped) {
    std::vector<int> results;
    const auto keep = [&](milliseconds d, int n) -> task<> {
        co_await sleep_for(d);
        results.push_back(n);
    };
    task_scope s{ex};
    s.spawn(std::ref(keep), 30ms, 1);
    s.spawn(fail_after(20ms, "two"));
    s.spawn(std::ref(keep), 40ms, 3);
    s.spawn(std::ref(keep), 10ms, 4);
    s.spawn(std::ref(keep), 15ms, 5);
    s.blocking_join();
    EXPECT_THAT(results, ElementsAre(4, 5, 1, 3));
    EXPECT_THAT(reported, ElementsAre("two"));
    EXPECT_EQ(s.counts().stopped, 0U);
}

// cases: T133, T145
TEST_F(handling, ten_failures_whose_handler_throws_are_told_to_the_last_resort_at_once) {
    task_scope s{ex, {.policy = [](const error_context&) { throw boom("handler"); }}};
    for (int i = 0; i < 10; ++i) s.spawn(throw_boom);
    ex.run_ready();  // no join is needed for it
    EXPECT_EQ(std::ranges::count(reported, "boom"), 10);
    EXPECT_EQ(std::ranges::count(reported, "handler"), 10);
    EXPECT_EQ(s.counts().handler_failures, 10U);
    EXPECT_EQ(s.counts().live, 0U);
    s.blocking_join();
}

// cases: T134
TEST_F(handling, a_handle_gives_the_error_that_the_handler_was_told_too) {
    task_scope s{ex};
    std::vector<child_handle<int>> all;
    for (int i = 0; i < 4; ++i) all.push_back(s.spawn_future(fail_after(1ms, std::to_string(i))));
    run(ex, [&]() -> task<> {
        for (child_handle<int>& h : all) {
            try {
                const int n = co_await std::move(h);
                ADD_FAILURE() << n;
            } catch (const boom& e) {
                seen.emplace_back(e.what());
            }
        }
    });
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("0", "1", "2", "3"));
    EXPECT_EQ(reported.size(), 4U);
}

// cases: T135, T148
TEST_F(handling, errors_from_before_a_stop_and_because_of_it_are_told) {
    task_scope s{ex};
    s.spawn(fail_after(1ms, "before"));
    s.spawn(fail_when_stopped("because"));
    s.spawn(sleeps());
    ex.advance(2ms);
    s.request_stop();
    s.blocking_join();
    EXPECT_THAT(reported, ElementsAre("before", "because"));
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: T136
TEST_F(handling, two_failures_are_told_and_the_scope_is_still_open) {
    task_scope s{ex};
    s.spawn(fail_after(1ms, "a"));
    s.spawn(fail_after(2ms, "b"));
    ex.advance(3ms);
    EXPECT_THAT(reported, ElementsAre("a", "b"));
    EXPECT_FALSE(s.is_closed() || s.stop_requested());
    s.spawn(say_after(0ms, "later"));
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("later"));
}

// cases: T137
TEST_F(handling, a_scope_does_not_notice_the_failures_of_another) {
    task_scope one{ex};
    task_scope other{ex};
    one.spawn(throw_boom);
    other.spawn(say_after(1s, "other"));
    one.blocking_join();
    other.blocking_join();
    EXPECT_TRUE(one.has_errors());
    EXPECT_FALSE(other.has_errors());
    EXPECT_THAT(seen, ElementsAre("other"));
}

// cases: T139
TEST_F(handling, a_childs_error_goes_to_the_handler_and_the_bodys_to_the_caller) {
    run(ex, [&]() -> task<> {
        const auto body = [](task_scope& s) -> task<> {
            s.spawn(fail_after(1ms, "child"));
            co_await sleep_for(2ms);
            throw boom("body");
        };
        try {
            co_await with_scope(body);
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
    });
    EXPECT_THAT(reported, ElementsAre("child"));
    EXPECT_THAT(seen, ElementsAre("body"));
}

// cases: T141
TEST_F(handling, a_bodys_error_goes_before_a_stop) {
    task_scope all{ex};
    all.spawn([&]() -> task<> {
        const auto body = [](task_scope&) -> task<> { co_await fail_when_stopped("cleanup"); };
        try {
            co_await with_scope(body);
        } catch (const boom& e) {
            seen.emplace_back(e.what());
        }
        co_await yield();
        seen.emplace_back("went on");
    });
    ex.run_ready();
    all.request_stop();
    all.blocking_join();
    EXPECT_THAT(seen, ElementsAre("cleanup"));
    EXPECT_EQ(all.counts().stopped, 1U);
}

// cases: T142
TEST_F(handling, a_scope_that_fails_fails_the_group_it_is_in_and_one_that_is_stopped_does_not) {
    const auto block = [](bool fail) -> task<> {
        co_await with_scope([fail](task_scope& s) -> task<> {
            s.spawn(sleeps());
            co_await yield();
            if (fail) throw boom("body");
            s.request_stop();
        });
    };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(std::cref(block), false);
                    co_await sleep_for(1ms);
                    EXPECT_FALSE(g.scope().stop_requested());
                    g.spawn(std::cref(block), true);
                    co_await sleeps();
                }),
                ElementsAre("body"));
    EXPECT_EQ(elapsed(), 1ms);
}

// cases: T154
TEST_F(handling, errors_that_are_ignored_let_the_others_go_on_to_the_end) {
    task_scope s{ex, {.policy = ignore_errors}};
    s.spawn(throw_boom);
    s.spawn(say_after(1s, "long"));
    s.spawn(fail_after(2s, "last"));
    s.blocking_join();
    EXPECT_THAT(seen, ElementsAre("long"));
    EXPECT_THAT(reported, IsEmpty());
    EXPECT_EQ(s.counts().failed, 2U);
    EXPECT_EQ(elapsed(), 2000ms);
}

// cases: T155
TEST_F(handling, a_child_that_ends_is_no_error_unless_who_requires_it_says_so) {
    const auto required = [](task<int> t) -> task<> {
        co_await std::move(t);
        throw boom("a required child has ended");
    };
    EXPECT_THAT(errors_of([&](task_group& g) -> task<> {
                    g.spawn(after(1ms, 1));
                    co_await sleep_for(10ms);
                    EXPECT_FALSE(g.scope().stop_requested());
                    g.spawn(required(after(1ms, 2)));
                    co_await sleeps();
                }),
                ElementsAre("a required child has ended"));
    EXPECT_EQ(elapsed(), 11ms);
}

// A policy that a user writes: an error closes the scope, whose children finish what they have, and comes out then.
struct close_on_error {
    disposition child_completed(const child_completion& c) const {
        if (c.kind == completion_kind::error) {
            if (*first == nullptr) *first = c.failure->error;
            c.scope.close();
        }
        return disposition::handled;
    }
    void result() const {
        if (*first != nullptr) std::rethrow_exception(*first);
    }

    std::shared_ptr<std::exception_ptr> first = std::make_shared<std::exception_ptr>();
};

// cases: T156, T157
TEST_F(handling,
       an_error_may_close_the_scope_and_the_first_one_comes_out_when_the_rest_has_finished) {
    task_scope services{ex, {.policy = close_on_error{}}};
    const auto serves = [&](milliseconds farewells) -> task<> {
        auto waits = stop_when(services.closing_token(), sleeps());
        co_await stopped_as_optional(std::move(waits));
        co_await sleep_for(farewells);  // it was not stopped, it may take its time
        seen.push_back(std::to_string(farewells.count()) + " ms later");
    };
    services.spawn(std::cref(serves), 20ms);
    services.spawn(std::cref(serves), 10ms);
    services.spawn(fail_after(1ms, "first"));
    services.spawn(fail_after(5ms, "second"));
    try {
        services.blocking_join();
    } catch (const boom& e) {
        seen.emplace_back(e.what());
    }
    EXPECT_THAT(seen, ElementsAre("10 ms later", "20 ms later", "first"));
    EXPECT_EQ(services.counts().stopped, 0U);
    EXPECT_EQ(elapsed(), 21ms);
}

// cases: T158, T324, T352
TEST(background, tasks_of_an_executor_that_goes_are_stopped_and_awaited_and_their_errors_shown) {
    const std::int64_t frames_before = frames().live;
    std::vector<std::string> seen;
    std::optional<child_handle<int>> handle;
    testing::internal::CaptureStderr();
    {
        executor ex{{.workers = 2}};
        async_event begun;
        handle.emplace(ex.root().spawn_future([&]() -> task<int> {
            const farewell f(seen, "destroyed");
            begun.set();
            co_await sleep_for(1h);
            co_return 1;
        }));
        begun.blocking_wait(ex);
        ex.root().spawn({.name = "flusher"}, []() -> task<> {
            co_await stopped_as_optional([]() -> task<> { co_await sleep_for(1h); }());
            throw boom("could not flush");
        });
    }
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        testing::AllOf(testing::HasSubstr("could not flush"), testing::HasSubstr("flusher")));
    EXPECT_THAT(seen, ElementsAre("destroyed"));
    EXPECT_TRUE(handle->done());
    manual_executor other;
    const std::optional<int> value = run(other, [&]() -> task<std::optional<int>> {
        co_return co_await stopped_as_optional(std::move(*handle));
    });
    EXPECT_FALSE(value.has_value());
    handle.reset();
    EXPECT_EQ(frames().live, frames_before);
}

}  // namespace
}  // namespace taskscope::test
