// tests/scope/start_test.cpp - every order of a child's signal, its end, and stops of starter and scope.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/start.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <support/sequence.hpp>
#include <support/until.hpp>
#include <thread>
#include <type_traits>
#include <utility>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;
using support::sequence;
using support::witness;
using testing::AllOf;
using testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<start_signal<int>>);
static_assert(std::is_default_constructible_v<start_signal<>>);

class starting : public ledger_test {
protected:
    manual_executor ex;
    sequence seen;

    /// How `t` ends when the task that awaits it is asked to stop after `d`.
    template <class T>
    settled<T> stop_after(std::chrono::milliseconds d, task<T> t) {
        return run(ex, [&]() -> task<settled<T>> {
            deadline limit(ex.now() + d);
            co_return co_await settle_by(limit, std::move(t));
        });
    }
};

task<> serve(int n, start_signal<int> ready) {
    co_await sleep_for(1ms);
    ready(2 * n);
    co_await sleep_for(1h);
}

// cases: T291
TEST_F(starting, gives_the_value_that_the_child_signals_and_the_child_goes_on) {
    task_scope s{ex};
    const auto began = ex.now();
    run(ex, [&]() -> task<> {
        const int doubled = co_await s.start(serve, 21);
        EXPECT_EQ(doubled, 42);
        EXPECT_EQ(ex.now() - began, 1ms);
    });
    EXPECT_EQ(s.counts().live, 1U);
    s.blocking_join();
    EXPECT_EQ(ex.now() - began, 1ms + 1h);
}

TEST_F(starting, takes_callables_of_every_form_and_values_that_can_only_be_moved) {
    task_scope s{ex};
    run(ex, [&]() -> task<> {
        const auto plain = [](start_signal<> ready) -> task<> {
            ready();
            co_return;
        };
        co_await s.start(plain);
        const auto unique = [](int n, start_signal<std::unique_ptr<int>> ready) -> task<> {
            ready(std::make_unique<int>(n));
            co_return;
        };
        const std::unique_ptr<int> p = co_await s.start(unique, 7);
        EXPECT_EQ(*p, 7);
        const spawn_options named{.name = "three"};
        const auto sum = [](int a, int b, int c, start_signal<int> ready) -> task<int> {
            ready(a + b + c);
            co_return 0;  // of no interest
        };
        const int six = co_await s.start(named, sum, 1, 2, 3);
        EXPECT_EQ(six, 6);
        // No one signature: the type has to be said.
        const auto any = [](auto ready) -> task<> {
            ready("text");
            co_return;
        };
        const std::string text = co_await s.start<std::string>(any);
        EXPECT_EQ(text, "text");
    });
    s.blocking_join();
    EXPECT_EQ(s.counts().spawned, 4U);
}

task<> optional_signal(sequence& seen, start_signal<> ready = {}) {
    const bool heard = ready();
    seen(heard ? "heard" : "refused");
    co_await yield();
    seen("goes on");
}

// cases: T291
TEST_F(starting, is_an_option_a_function_with_a_default_signal_can_be_spawned) {
    task_scope s{ex};
    s.spawn(optional_signal(seen));
    s.blocking_join();
    EXPECT_EQ(seen, (sequence{"heard", "goes on"}));
}

TEST_F(starting, works_in_a_group_whose_errors_are_those_from_after_the_signal) {
    const auto fails_later = [](start_signal<> ready) -> task<> {
        ready();
        co_await sleep_for(1ms);
        throw boom();
    };
    const auto body = [&](task_group& g) -> task<> {
        co_await g.start(fails_later);
        seen("started");
        co_await sleep_for(1h);
        seen("never");
    };
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await with_group(body); }), exception_group);
    EXPECT_EQ(seen, (sequence{"started"}));
}

TEST_F(starting, spawns_nothing_until_it_is_awaited) {
    task_scope s{ex};
    {
        auto t = s.start(serve, 1);
        ex.run_ready();
    }
    EXPECT_EQ(s.counts().spawned, 0U);
}

// cases: T292
TEST_F(starting, is_a_task_like_any_other_for_combinators) {
    task_scope s{ex};
    const auto in = [](std::chrono::milliseconds d, int n, start_signal<int> ready) -> task<> {
        co_await sleep_for(d);
        ready(n);
    };
    run(ex, [&]() -> task<> {
        const auto [a, b] = co_await gather(s.start(in, 2ms, 1), s.start(in, 1ms, 2));
        EXPECT_EQ(a + b, 3);
        const auto first = co_await race(first_success, s.start(in, 1h, 1), s.start(in, 1ms, 2));
        EXPECT_EQ(first.value, 2);
    });
    EXPECT_EQ(s.counts().stopped, 1U);  // who lost the race was asked to stop
    s.blocking_join();
}

// cases: T293
TEST_F(starting, rethrows_an_error_from_before_the_signal_and_no_handler_is_told) {
    int told = 0;
    task_scope s{ex, {.policy = [&](const error_context&) { ++told; }}};
    const auto fails = [](start_signal<> ready) -> task<> {
        co_await sleep_for(1ms);
        throw boom("no port");
        ready();
    };
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await s.start(fails); }), boom);
    const auto cannot_be_called = [](start_signal<>) -> task<> { throw boom("no coroutine"); };
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await s.start(cannot_be_called); }), boom);
    EXPECT_EQ(told, 0);
    EXPECT_FALSE(s.has_errors());
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(starting, leaves_an_error_from_after_the_signal_to_the_scope) {
    std::string told;
    task_scope s{ex, {.policy = [&](const error_context& e) { told = describe(e.error); }}};
    const auto fails = [](start_signal<int> ready) -> task<> {
        ready(1);
        throw boom("too late for the starter");
        co_return;
    };
    EXPECT_EQ(run(ex, [&]() -> task<int> { co_return co_await s.start(fails); }), 1);
    s.blocking_join();
    EXPECT_EQ(told, "too late for the starter");
}

TEST_F(starting, of_a_child_that_just_ends_is_an_error_that_says_where) {
    task_scope s{ex};
    const auto forgets = [](start_signal<>) -> task<> { co_return; };
    std::uint32_t line = 0;
    run(ex, [&]() -> task<> {
        try {
            line = __LINE__ + 1;
            co_await s.start(forgets);
            ADD_FAILURE() << "it never signalled";
        } catch (const start_error& e) {
            EXPECT_EQ(e.where().line(), line);
            EXPECT_THAT(e.what(), AllOf(HasSubstr("started at start_test.cpp:"),
                                        HasSubstr("never called its start_signal")));
        }
    });
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(starting, ends_when_the_child_and_all_it_held_are_gone) {
    auto s = std::make_unique<task_scope>(ex);
    auto shared = std::make_shared<int>(0);
    const auto fails = [shared](start_signal<>) -> task<> {
        co_await yield();
        throw boom();
    };
    run(ex, [&]() -> task<> {
        EXPECT_THROW(co_await s->start(fails), boom);
        EXPECT_EQ(shared.use_count(), 2);  // ours, and that of `fails`
        s.reset();                         // nobody is in it
    });
}

// cases: T294
TEST_F(starting, asks_the_child_to_stop_when_the_starter_is_stopped) {
    task_scope s{ex};
    const auto waits = [&](start_signal<> ready) -> task<> {
        const witness w(seen, "child");
        co_await sleep_for(1h);
        ready();
    };
    const settled<void> end = stop_after(1ms, s.start(waits));
    EXPECT_TRUE(end.is_stopped());
    EXPECT_EQ(seen, (sequence{"~child"}));
    EXPECT_EQ(s.counts().live, 0U);
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_FALSE(s.stop_requested());
}

// cases: T294
TEST_F(starting, waits_for_a_child_that_refuses_to_stop_and_reports_not_done) {
    task_scope s{ex};
    async_event never;
    const auto refuses = [&](start_signal<int> ready) -> task<> {
        co_await never.wait_until_shielded(ex.now() + 5ms);
        seen(ready(1) ? "handed over" : "refused");
        co_await sleep_for(1h);
        seen("never");
    };
    const auto began = ex.now();
    const settled<int> end = stop_after(1ms, s.start(refuses));
    EXPECT_TRUE(end.is_stopped());
    EXPECT_EQ(ex.now() - began, 5ms);
    EXPECT_EQ(seen, (sequence{"refused"}));
    EXPECT_EQ(s.counts().live, 0U);
}

TEST_F(starting, prefers_the_error_of_a_child_that_was_asked_to_stop) {
    task_scope s{ex};
    async_event never;
    const auto fails = [&](start_signal<>) -> task<> {
        co_await never.wait_until_shielded(ex.now() + 5ms);
        throw boom();
    };
    EXPECT_TRUE(stop_after(1ms, s.start(fails)).has_error());
    const auto ends = [&](start_signal<>) -> task<> {
        co_await never.wait_until_shielded(ex.now() + 5ms);
    };
    EXPECT_TRUE(stop_after(1ms, s.start(ends)).is_stopped());  // and no start_error
    EXPECT_FALSE(s.has_errors());
}

// cases: T295
TEST_F(starting, hands_over_a_child_that_signals_before_the_starter_is_stopped) {
    task_scope s{ex};
    stop_source stop;
    const auto signals = [&](start_signal<int> ready) -> task<> {
        ready(7);
        stop.request_stop();  // the starter has not gone on yet
        co_await sleep_for(1ms);
        seen("child goes on");
    };
    run(ex, [&]() -> task<> {
        const auto starter = [&]() -> task<> {
            const int value = co_await s.start(signals);
            seen("value " + std::to_string(value));
            co_await checkpoint();
            seen("never");
        };
        const bool done = co_await stopped_as_optional(stop_when(stop.token(), starter()));
        EXPECT_FALSE(done);
    });
    s.blocking_join();
    EXPECT_EQ(seen, (sequence{"value 7", "child goes on"}));
}

// cases: T295
TEST_F(starting, does_not_hand_over_a_child_that_signals_after_the_starter_is_stopped) {
    task_scope s{ex};
    stop_source stop;
    const auto signals = [&](start_signal<int> ready) -> task<> {
        stop.request_stop();
        seen(ready(7) ? "handed over" : "refused");
        co_await checkpoint();
        seen("never");
    };
    run(ex, [&]() -> task<> {
        const auto starter = [&]() -> task<> {
            co_await s.start(signals);
            seen("never");
        };
        const bool done = co_await stopped_as_optional(stop_when(stop.token(), starter()));
        EXPECT_FALSE(done);
    });
    EXPECT_EQ(seen, (sequence{"refused"}));
    EXPECT_EQ(s.counts().live, 0U);
}

// An await of ours is a checkpoint: what has not begun does not begin.
// cases: T296
TEST_F(starting, spawns_nothing_for_a_starter_that_was_stopped_before) {
    task_scope s{ex};
    EXPECT_TRUE(stop_after(0ms, s.start(serve, 1)).is_stopped());
    EXPECT_EQ(s.counts().spawned, 0U);
}

TEST_F(starting, is_stopped_with_a_child_that_was_stopped_with_its_scope) {
    task_scope s{ex};
    const auto stops_all = [&](start_signal<> ready) -> task<> {
        s.request_stop();
        co_await sleep_for(1h);
        ready();
    };
    run(ex, [&]() -> task<> {
        const bool done = co_await stopped_as_optional(s.start(stops_all));
        EXPECT_FALSE(done);
        co_await checkpoint();  // nobody has asked us to stop
        seen("starter goes on");
    });
    EXPECT_EQ(seen, (sequence{"starter goes on"}));
}

TEST_F(starting, gives_the_value_although_the_scope_is_stopped_after_the_signal) {
    task_scope s{ex};
    const auto signals = [&](start_signal<int> ready) -> task<> {
        ready(7);
        s.request_stop();
        co_await sleep_for(1h);
    };
    EXPECT_EQ(run(ex, [&]() -> task<int> { co_return co_await s.start(signals); }), 7);
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
}

// cases: T077
TEST_F(starting, in_a_scope_that_was_stopped_runs_nothing_and_is_stopped) {
    task_scope s{ex};
    s.request_stop();
    auto shared = std::make_shared<int>(0);
    const auto child = [&, shared](start_signal<> ready) -> task<> {
        seen("never");
        ready();
        co_return;
    };
    run(ex, [&]() -> task<> {
        const bool done = co_await stopped_as_optional(s.start(child));
        EXPECT_FALSE(done);
    });
    EXPECT_EQ(shared.use_count(), 2);
    EXPECT_EQ(s.counts().stopped, 1U);
    EXPECT_EQ(s.counts().starting, 0U);
    EXPECT_EQ(seen, sequence{});
}

TEST_F(starting, in_a_closed_scope_is_refused) {
    task_scope s{ex};
    s.close();
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await s.start(serve, 1); }), scope_closed);
    EXPECT_EQ(s.counts().refused, 1U);
    EXPECT_EQ(s.counts().starting, 0U);
}

TEST_F(starting, goes_on_while_the_scope_is_closed_and_joined) {
    task_scope s{ex};
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& others) -> task<> {
            others.spawn([&]() -> task<> {
                const int value = co_await s.start(serve, 1);
                seen("value " + std::to_string(value));
            });
            co_await yield();
            s.close();
            co_await s.join();
            seen("joined");
        });
    });
    EXPECT_EQ(seen, (sequence{"value 2", "joined"}));
}

TEST_F(starting, refuses_a_second_signal) {
    task_scope s{ex};
    const auto twice = [&](start_signal<> ready) -> task<> {
        ready();
        EXPECT_THROW(ready(), misuse_error);
        co_return;
    };
    run(ex, [&]() -> task<> { co_await s.start(twice); });
    s.blocking_join();
}

struct hesitant {
    explicit hesitant(int n) : tries(n) {}
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): that is what it is for
    hesitant(hesitant&& other) : tries(other.tries) {
        if (--other.tries == 0) throw boom("cannot be moved yet");
    }
    int tries;
};

TEST_F(starting, lets_a_child_try_again_whose_value_could_not_be_moved) {
    task_scope s{ex};
    const auto stubborn = [&](start_signal<hesitant> ready) -> task<> {
        hesitant value(1);
        EXPECT_THROW(ready(std::move(value)), boom);
        EXPECT_TRUE(ready(std::move(value)));  // NOLINT(bugprone-use-after-move)
        co_return;
    };
    run(ex, [&]() -> task<> {
        const hesitant value = co_await s.start(stubborn);
        EXPECT_LE(value.tries, 0);
    });
    s.blocking_join();
}

TEST_F(starting, may_be_signalled_from_elsewhere_and_in_vain_when_the_child_has_ended) {
    task_scope s{ex};
    start_signal<int> kept;
    const auto gives_away = [&](start_signal<int> ready) -> task<> {
        kept = std::move(ready);
        co_await sleep_for(1ms);
    };
    run(ex, [&]() -> task<> {
        EXPECT_THROW(co_await s.start(gives_away), start_error);
        EXPECT_FALSE(kept(1));
        s.spawn([&]() -> task<> {
            co_await yield();
            EXPECT_TRUE(kept(2));
        });
        const int value = co_await s.start(gives_away);
        EXPECT_EQ(value, 2);
    });
    s.blocking_join();
}

class starting_on : public on_workers {
protected:
    executor ex{{.workers = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(workers, starting_on, testing::Values(1, 2, 8));

// A signal and a stop of the starter at the same time. Exactly one counts, for both sides.
// cases: T295
TEST_P(starting_on, a_signal_against_a_stop_of_the_starter_hands_over_or_stops_and_never_both) {
    int handed_over = 0;
    for (int round = 0; round < 300; ++round) {
        task_scope s{ex};
        stop_source stop;
        async_event begun;
        std::atomic<int> told{-1};
        std::atomic<bool> survived{false};
        std::optional<int> value;
        const auto child = [&](start_signal<int> ready) -> task<> {
            begun.set();
            co_await yield();
            told = ready(round) ? 1 : 0;
            co_await checkpoint();
            survived = true;
        };
        std::thread stopper([&] {
            static_cast<void>(begun.blocking_wait(ex));
            stop.request_stop();
        });
        run(ex, [&]() -> task<> {
            value = co_await stopped_as_optional(stop_when(stop.token(), s.start(child)));
        });
        stopper.join();
        if (value) {
            s.blocking_join();
            ++handed_over;
            ASSERT_EQ(*value, round);
            ASSERT_EQ(told.load(), 1);
            ASSERT_TRUE(survived.load());
        } else {
            ASSERT_EQ(s.counts().live, 0U);  // not joined: it has left already
            // It may have gone on for a while: a signal can be refused just before the stop comes.
            ASSERT_NE(told.load(), 1);
        }
    }
    RecordProperty("handed_over", handed_over);
}

// The scope goes as soon as a failed start has returned: the child has touched it for the last time.
TEST_P(starting_on, a_failed_start_has_left_the_scope) {
    const auto fails = [](start_signal<>) -> task<> {
        co_await yield();
        throw boom();
    };
    for (int round = 0; round < 300; ++round) {
        run(ex, [&]() -> task<> {
            auto s = std::make_unique<task_scope>(ex);
            bool failed = false;
            try {
                co_await s->start(fails);
            } catch (const boom&) {
                failed = true;
            }
            EXPECT_TRUE(failed);
            s.reset();
        });
    }
}

TEST_P(starting_on, many_at_once_each_get_their_own_value) {
    task_scope s{ex};
    const auto child = [](int n, start_signal<int> ready) -> task<> {
        co_await yield();
        ready(n);
        co_await yield();
    };
    run(ex, [&]() -> task<> {
        co_await with_group([&](task_group& g) -> task<> {
            for (int i = 0; i < 500; ++i) {
                g.spawn([&s, &child, i]() -> task<> {
                    const int value = co_await s.start(child, i);
                    EXPECT_EQ(value, i);
                });
            }
            co_return;
        });
    });
    s.blocking_join();
    EXPECT_EQ(s.counts().starting, 0U);
}

}  // namespace
}  // namespace taskscope::test
