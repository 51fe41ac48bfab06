// tests/net/io_test.cpp - the I/O context: who runs it while workers sleep, work, or come and go.
// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <taskscope/manual_executor.hpp>

#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace taskscope::test {
namespace {

using io = support::ledger;

TEST_F(io, an_executor_has_one_context) {
    executor a{{.workers = 1}};
    executor b{{.workers = 1}};
    EXPECT_EQ(&net::context(a), &net::context(a));
    EXPECT_NE(&net::context(a), &net::context(b));
}

TEST_F(io, a_manual_executor_has_no_context) {
    manual_executor ex;
    try {
        net::context(ex);
        FAIL() << "no exception";
    } catch (const misuse_error& e) {
        EXPECT_THAT(e.what(), testing::HasSubstr("Test I/O with an executor of one worker."));
    }
}

TEST_F(io, an_executor_with_another_reactor_has_no_context) {
    struct nothing_happens : reactor {
        bool poll() noexcept override { return false; }
        void wait(clock::duration) noexcept override { std::this_thread::yield(); }
        void interrupt() noexcept override {}
    } other;
    executor ex{{.workers = 1}};
    ex.attach(other);
    EXPECT_THROW(net::context(ex), misuse_error);
    EXPECT_THROW(net::context(ex), misuse_error);
}

TEST_F(io, an_executor_that_never_does_io_can_have_a_context) {
    executor ex{{.workers = 2}};
    net::context(ex);
}

class io_on : public on_workers {};

TEST_P(io_on, a_context_made_while_all_workers_sleep_is_served) {
    for (int round = 0; round < 20; ++round) {
        executor ex{{.workers = GetParam()}};
        ASSERT_TRUE(support::until([&] { return ex.statistics().sleeping == ex.workers(); }));
        net::context(ex);
        EXPECT_EQ(ex.run(wait_for(ex, 1us)), error_code());
    }
}

TEST_P(io_on, handlers_posted_from_outside_run_on_a_worker) {
    executor ex{{.workers = GetParam()}};
    for (int i = 0; i < 200; ++i) {
        std::promise<std::thread::id> where;
        asio::post(net::context(ex), [&] { where.set_value(std::this_thread::get_id()); });
        EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
    }
}

TEST_P(io_on, jobs_from_outside_wake_a_worker_that_waits_for_io) {
    executor ex{{.workers = GetParam()}};
    net::context(ex);
    const auto nothing = []() -> task<> { co_return; };
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 5'000; ++i) run(ex, nothing);
    // Each wake-up that was lost would cost half a second.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST_P(io_on, timers_of_the_executor_fire_while_workers_wait_for_io) {
    executor ex{{.workers = GetParam()}};
    net::context(ex);
    const auto body = []() -> task<> { co_await sleep_for(1us); };
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) run(ex, body);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST_P(io_on, tasks_that_yield_all_the_time_do_not_keep_io_waiting) {
    executor ex{{.workers = GetParam()}};
    net::context(ex);
    std::atomic<bool> done{false};
    task_scope busy{ex};
    const auto spin = [&]() -> task<> {
        while (!done.load(std::memory_order_relaxed)) co_await yield();
    };
    for (unsigned i = 0; i < 2 * ex.workers(); ++i) busy.spawn(spin);
    EXPECT_EQ(ex.run(wait_for(ex, 1ms)), error_code());
    done = true;
    busy.blocking_join();
}

TEST_P(io_on, a_context_that_somebody_stopped_goes_on) {
    executor ex{{.workers = GetParam()}};
    net::context(ex).stop();
    EXPECT_EQ(ex.run(wait_for(ex, 1ms)), error_code());
    ASSERT_TRUE(support::until([&] { return ex.statistics().sleeping == ex.workers(); }));
    net::context(ex).stop();
    ASSERT_TRUE(support::until([&] { return !net::context(ex).stopped(); }));
    EXPECT_EQ(ex.run(wait_for(ex, 1ms)), error_code());
}

TEST_P(io_on, many_connections_get_back_what_they_send) {
    constexpr int clients = 40;
    constexpr int rounds = 50;
    executor ex{{.workers = GetParam()}};
    support::tally answers(clients * rounds);
    {
        tcp::acceptor acceptor = listen(ex);
        task_scope server{ex};
        const auto serve = [&]() -> task<> {
            for (;;) {
                auto [error, socket] = co_await acceptor.async_accept(use_task);
                if (!error) server.spawn(echo, std::move(socket));
            }
        };
        server.spawn(serve);

        task_scope all{ex};
        const auto client = [&](int number) -> task<> {
            tcp::socket socket(net::context(ex));
            const error_code connected =
                co_await socket.async_connect(acceptor.local_endpoint(), use_task);
            EXPECT_FALSE(connected) << connected.message();
            for (int i = 0; i < rounds; ++i) {
                const int sent = number * rounds + i;
                int received = -1;
                co_await asio::async_write(socket, asio::buffer(&sent, sizeof sent), use_task);
                co_await asio::async_read(socket, asio::buffer(&received, sizeof received),
                                          use_task);
                if (received == sent) answers.count(static_cast<std::size_t>(sent));
            }
        };
        for (int i = 0; i < clients; ++i) all.spawn(client, i);
        all.blocking_join();
        EXPECT_FALSE(all.has_errors());

        server.request_stop();
        server.blocking_join();
    }
    EXPECT_TRUE(answers.exactly_once());
}

// cases: T352
TEST_P(io_on, an_executor_can_be_destroyed_while_its_tasks_wait_for_io) {
    std::atomic<int> ended{0};
    {
        executor ex{{.workers = GetParam()}};
        struct farewell {
            std::atomic<int>& count;
            ~farewell() { ++count; }
        };
        const auto reads = [&]() -> task<> {
            farewell bye{ended};
            connection c(ex);
            char data;
            co_await c.near.async_read_some(asio::buffer(&data, 1), use_task);
            ADD_FAILURE() << "read something";
        };
        const auto waits = [&]() -> task<> {
            farewell bye{ended};
            co_await wait_for(ex, forever);
            ADD_FAILURE() << "an hour has passed";
        };
        // In one the context is older than the root scope, in the other it is younger.
        if (GetParam() == 1) net::context(ex);
        for (int i = 0; i < 10; ++i) {
            ex.root().spawn(reads);
            ex.root().spawn(waits);
        }
    }
    EXPECT_EQ(ended, 20);
}

INSTANTIATE_TEST_SUITE_P(workers, io_on, testing::Values(1U, 2U, 8U));

TEST_F(io, one_worker_serves_io_while_the_other_computes) {
    executor ex{{.workers = 2}};
    std::atomic<bool> done{false};
    task_scope busy{ex};
    // It gives way to nobody, and ends only when I/O was served.
    const auto compute = [&] {
        while (!done.load(std::memory_order_relaxed)) {
        }
    };
    busy.spawn(compute);
    const auto ping_pong = [&]() -> task<> {
        connection c(ex);
        spawn(echo(std::move(c.far)));
        for (char i = 0; i < 100; ++i) {
            char back = -1;
            co_await asio::async_write(c.near, asio::buffer(&i, 1), use_task);
            co_await asio::async_read(c.near, asio::buffer(&back, 1), use_task);
            EXPECT_EQ(back, i);
        }
    };
    run(ex, ping_pong);
    done = true;
    busy.blocking_join();
}

TEST_F(io, many_executors_come_and_go_with_their_contexts) {
    for (int i = 0; i < 50; ++i) {
        executor ex{{.workers = 2}};
        task_scope s{ex};
        for (int k = 0; k < 4; ++k) s.spawn(wait_for(ex, std::chrono::microseconds(k * 50)));
        if (i % 2 == 0) s.request_stop();
        s.blocking_join();
    }
}

}  // namespace
}  // namespace taskscope::test
