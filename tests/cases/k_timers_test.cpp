// tests/cases/k_timers_test.cpp - groups K and L: virtual time, and the beginning of an end.
// SPDX-License-Identifier: MIT
#include "support.hpp"

namespace taskscope::test {
namespace {

using testing::ElementsAre;

class timing : public scenario {};

// cases: T348, T349
TEST_F(timing, a_close_and_a_shutdown_from_before_the_first_step_are_seen_at_it) {
    task_scope s{ex, {.name = "service"}};
    s.spawn([&]() -> task<> {
        const auto note = [this] { seen.emplace_back("told at once"); };
        const stop_callback on_close(s.closing_token(), note);
        auto serves = stop_when(s.closing_token(), sleeps());
        co_await stopped_as_optional(std::move(serves));
        seen.emplace_back("ended by itself");
    });
    s.spawn(every(1s, missed_tick::skip, [] { ADD_FAILURE() << "ticked"; }));
    const shutdown_report r = s.blocking_shutdown({.drain = 1s, .stop = 1s});
    EXPECT_THAT(seen, ElementsAre("told at once", "ended by itself"));
    EXPECT_EQ(r.drained(), 2U);
    EXPECT_EQ(elapsed(), 0ms);
}

}  // namespace
}  // namespace taskscope::test
