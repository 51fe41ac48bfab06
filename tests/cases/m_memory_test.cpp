// tests/cases/m_memory_test.cpp - group M: what is given back, and what happens when there is no more memory.
// SPDX-License-Identifier: MIT
//
// A program of its own: it replaces operator new. With TASKSCOPE_RECYCLE_FRAMES=0 every frame is a call of it.
#include "support.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <support/failing_memory.hpp>
#include <support/ledger.hpp>
#include <thread>

namespace taskscope::test {
namespace {

using support::failing_memory;

/// An operation is tried with the first allocation failing, then the second, and so on, until it needs no more.
class memory_failure : public ledger_test {
protected:
    /// `prepare` and `look` have the memory they want.
    template <class Operation, class Look, class Prepare>
    void at_every_allocation(Operation operation, Look look, Prepare prepare) {
        std::int64_t k = 1;
        for (bool failed = true; failed; ++k) {
            ASSERT_LT(k, 1'000);
            const std::int64_t frames_before = frames().live;
            {
                manual_executor ex;
                ex.root().set_policy([](const error_context&) {});
                std::optional<task_scope> s(std::in_place, ex);
                prepare(*s);
                failed = false;
                try {
                    const failing_memory fault(k);
                    operation(ex, *s);
                } catch (const std::bad_alloc&) {
                    failed = true;
                } catch (const exception_group&) {
                    failed = true;
                }
                look(*s, failed);
                s->blocking_join();
            }
            EXPECT_EQ(frames().live, frames_before) << "allocation " << k;
        }
        EXPECT_GT(k, 2) << "nothing has failed";
    }
    template <class Operation, class Look>
    void at_every_allocation(Operation operation, Look look) {
        at_every_allocation(operation, look, [](task_scope&) {});
    }
    template <class Operation>
    void at_every_allocation(Operation operation) {
        at_every_allocation(operation, [](task_scope&, bool) {});
    }
};

task<int> one() {
    co_await yield();
    co_return 1;
}

// cases: T067, T068
TEST_F(memory_failure, of_a_spawn_is_thrown_to_the_spawner_and_leaves_nothing_behind) {
    using spawn = std::function<void(task_scope&, std::shared_ptr<int>)>;
    const spawn ways[] = {
        [](task_scope& s, std::shared_ptr<int> p) { s.spawn([p] {}); },
        [](task_scope& s, std::shared_ptr<int> p) {
            s.spawn(
                {.name = "a name that is too long to be kept in place"},
                [](const std::shared_ptr<int>&) -> task<> { co_await yield(); }, p);
        },
        [](task_scope& s, std::shared_ptr<int> p) { static_cast<void>(s.try_spawn([p] {})); },
        [](task_scope& s, std::shared_ptr<int> p) { static_cast<void>(s.spawn_future([p] {})); },
        [](task_scope& s, std::shared_ptr<int>) { s.spawn(one()); },
    };
    for (const spawn& way : ways) {
        auto held = std::make_shared<int>();
        at_every_allocation([&](manual_executor&, task_scope& s) { way(s, held); },
                            [&](task_scope& s, bool failed) {
                                EXPECT_EQ(s.counts().spawned, failed ? 0U : 1U);
                                EXPECT_EQ(s.counts().live, failed ? 0U : 1U);
                                if (failed) {
                                    EXPECT_EQ(held.use_count(), 1);
                                }
                            });
        EXPECT_EQ(held.use_count(), 1);
    }
}

TEST_F(memory_failure, of_a_scope_below_leaves_the_one_above_as_it_was) {
    at_every_allocation(
        [](manual_executor&, task_scope& s) {
            task_scope below{s, {.name = "a name that is too long to be kept in place"}};
        },
        [](task_scope& s, bool) { EXPECT_EQ(s.counts().scopes, 0U); });
}

TEST_F(memory_failure, in_a_block_is_its_error) {
    at_every_allocation([](manual_executor& ex, task_scope&) {
        ex.run([]() -> task<> {
            co_await with_scope([](task_scope& s) -> task<> {
                s.spawn(one());
                co_await one();
            });
        }());
    });
    at_every_allocation([](manual_executor& ex, task_scope&) {
        ex.run([]() -> task<> {
            co_await with_group([](task_group& g) -> task<> {
                g.spawn(one());
                co_await one();
            });
        }());
    });
}

TEST_F(memory_failure, in_a_combinator_is_its_error) {
    at_every_allocation([](manual_executor& ex, task_scope&) { ex.run(gather(one(), one())); });
    at_every_allocation(
        [](manual_executor& ex, task_scope&) { ex.run(race(first_completion, one(), one())); });
    at_every_allocation([](manual_executor& ex, task_scope&) {
        ex.run(windowed_map(2, std::views::iota(0, 3), [](int) { return one(); }));
    });
    at_every_allocation([](manual_executor& ex, task_scope&) {
        ex.run(with_completions<int>([](completions<int>& done) -> task<> {
            done.spawn(one());
            co_await done.next();
        }));
    });
    at_every_allocation([](manual_executor& ex, task_scope&) { ex.run(with_timeout(1s, one())); });
}

TEST_F(memory_failure, of_room_for_a_completion_keeps_nobody_waiting) {
    using page = std::array<char, 1'000>;  // a block of the queue for each
    manual_executor ex;
    int read = 0;
    const auto body = [&read](completions<page>& done) -> task<> {
        for (int i = 0; i < 2; ++i) done.spawn([]() -> task<page> { co_return page{}; });
        co_await sleep_for(1ms);  // one is unread, and the other waits for room
        auto first = done.next();
        {
            const failing_memory fault(1);
            read += (co_await std::move(first)).has_value() ? 1 : 0;
        }
        while (co_await done.next()) ++read;
    };
    ex.run(with_completions<page>({.capacity = 1, .when_full = overflow::wait}, body));
    EXPECT_EQ(read, 2);
}

TEST_F(memory_failure, in_a_shutdown_is_told_by_its_report_and_the_scope_can_be_joined) {
    const auto sleep_in_blocks = [](task_scope& s) {
        for (int i = 0; i < 3; ++i) {
            s.spawn([]() -> task<> {
                co_await with_scope([](task_scope&) -> task<> { co_await sleep_for(1ms); });
            });
        }
    };
    const auto shut_down = [](manual_executor& ex, task_scope& s) {
        ex.run_ready();
        const shutdown_report r = s.blocking_shutdown({.drain = 0s, .stop = 0s});
        if (r.out_of_memory) throw std::bad_alloc();
    };
    at_every_allocation(shut_down, [](task_scope&, bool) {}, sleep_in_blocks);
}

class memory_returned : public scenario {};

// cases: T365
TEST_F(memory_returned, by_a_child_when_it_ends_and_not_when_its_scope_does) {
    task_scope s{ex};
    support::census objects;
    const std::int64_t frames_before = frames().live;
    for (int i = 0; i < 100; ++i) {
        s.spawn([c = support::citizen(objects)]() -> task<> { co_await sleep_for(1ms); });
    }
    EXPECT_EQ(objects.alive, 100);
    ex.advance(1ms);
    EXPECT_EQ(objects.alive, 0);
    EXPECT_EQ(frames().live, frames_before);
    EXPECT_FALSE(s.has_ended());
    s.blocking_join();
}

// Of the place where a child could be found the next one makes use, whoever has spawned the two, and however many stay.
TEST_F(memory_returned, by_short_children_to_those_that_come_later) {
    executor here{{.workers = 2}};
    executor elsewhere{{.workers = 2}};
    task_scope s{here};
    async_event over;
    for (int i = 0; i < 100; ++i) s.spawn([&]() -> task<> { co_await over.wait(); });
    const auto short_ones = [&] {
        for (int i = 0; i < 20'000; ++i) {
            if (i % 500 == 0)
                while (s.counts().live != 100) std::this_thread::yield();
            s.spawn([] {});
        }
    };
    const auto by_workers = [&]() -> task<> {
        short_ones();
        co_return;
    };
    const auto all = [&] {
        short_ones();
        here.run(by_workers());
        elsewhere.run(by_workers());
    };
    all();
    const std::int64_t before = support::bytes_in_use();
    for (int i = 0; i < 5; ++i) all();
    EXPECT_LT(support::bytes_in_use() - before, 200'000) << "8 for each child would be 2 400 000";
    over.set();
    s.blocking_join();
}

// As connections that are served for the same time: so those that are gone always lie in one piece.
TEST_F(memory_returned, by_those_that_leave_in_the_order_they_came) {
    executor workers{{.workers = 2}};
    task_scope s{workers};
    std::array<std::optional<async_event>, 700> leave;
    std::int64_t before = 0;
    for (std::size_t i = 0; i < 40'000; ++i) {
        std::optional<async_event>& mine = leave[i % leave.size()];
        if (mine) mine->set();
        while (s.counts().live == leave.size()) std::this_thread::yield();
        async_event& event = mine.emplace();
        s.spawn([&event]() -> task<> { co_await event.wait(); });
        if (i == 2 * leave.size()) before = support::bytes_in_use();
    }
    EXPECT_LT(support::bytes_in_use() - before, 100'000) << "8 for each child would be 300 000";
    for (auto& e : leave) e->set();
    s.blocking_join();
}

}  // namespace
}  // namespace taskscope::test
