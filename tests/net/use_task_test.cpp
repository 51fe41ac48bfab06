// tests/net/use_task_test.cpp - awaiting Asio's operations: results, unusual initiations, contexts of others.
// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>

#include <atomic>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

namespace taskscope::test {
namespace {

using use_task_results = support::ledger;
using use_task_initiations = support::ledger;
using use_task_contexts = support::ledger;

// Results.

TEST_F(use_task_results, none_one_and_several_values) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<> {
        static_assert(std::is_void_v<decltype(asio::post(use_task).await_resume())>);
        co_await asio::post(use_task);
        co_await asio::post(net::context(ex), use_task);

        asio::steady_timer timer(net::context(ex), 1us);
        std::same_as<error_code> auto waited = co_await timer.async_wait(use_task);
        EXPECT_FALSE(waited);

        connection c(ex);
        std::same_as<std::tuple<error_code, std::size_t>> auto written =
            co_await asio::async_write(c.near, asio::buffer("hello", 5), use_task);
        EXPECT_EQ(std::get<1>(written), 5U);
        std::string word(5, ' ');
        const auto [error, n] = co_await asio::async_read(c.far, asio::buffer(word), use_task);
        EXPECT_FALSE(error);
        EXPECT_EQ(n, 5U);
        EXPECT_EQ(word, "hello");
    };
    run(ex, body);
}

TEST_F(use_task_results, come_back_to_the_scope_and_the_locals_of_the_task) {
    executor ex{{.workers = 2}};
    const task_local<int> number;
    const auto child = [&](task_scope& s, int mine) -> task<> {
        connection c(ex);
        for (int i = 0; i < 20; ++i) {
            asio::steady_timer timer(net::context(ex), 1us);
            const error_code waited = co_await timer.async_wait(use_task);
            EXPECT_FALSE(waited);
            const auto [error, n] =
                co_await asio::async_write(c.near, asio::buffer("hello", 5), use_task);
            EXPECT_FALSE(error);
            EXPECT_EQ(n, 5U);
            EXPECT_EQ(number.get_or(-1), mine);
            EXPECT_EQ(&current_scope(), &s);
        }
    };
    task_scope one(ex);
    task_scope two(ex);
    one.spawn(with_local(number, 1, child(one, 1)));
    two.spawn(with_local(number, 2, child(two, 2)));
    one.blocking_join();
    two.blocking_join();
}

TEST_F(use_task_results, values_that_can_only_be_moved) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<> {
        const auto give = [](auto handler) { std::move(handler)(std::make_unique<int>(7)); };
        std::unique_ptr<int> seven = co_await start<void(std::unique_ptr<int>)>(give);
        EXPECT_EQ(*seven, 7);

        tcp::acceptor acceptor = listen(ex);
        tcp::socket client(net::context(ex));
        client.connect(acceptor.local_endpoint());
        auto [error, socket] = co_await acceptor.async_accept(use_task);
        EXPECT_FALSE(error);
        EXPECT_EQ(socket.remote_endpoint(), client.local_endpoint());
    };
    run(ex, body);
}

TEST_F(use_task_results, errors_are_values) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<> {
        tcp::socket socket(net::context(ex));
        const tcp::endpoint nobody = listen(ex).local_endpoint();
        EXPECT_EQ(co_await socket.async_connect(nobody, use_task), asio::error::connection_refused);

        connection c(ex);
        c.far.close();
        char data;
        const auto [end, n] = co_await c.near.async_read_some(asio::buffer(&data, 1), use_task);
        EXPECT_EQ(end, asio::error::eof);
        EXPECT_EQ(n, 0U);
    };
    run(ex, body);
}

TEST_F(use_task_results, an_operation_cancelled_by_the_program_is_a_value_too) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<error_code> {
        asio::steady_timer timer(net::context(ex), forever);
        asio::post(net::context(ex), [&] { timer.cancel(); });
        co_return co_await timer.async_wait(use_task);
    };
    EXPECT_EQ(run(ex, body), asio::error::operation_aborted);
}

// Initiations that do what Asio's own never or seldom do.

TEST_F(use_task_initiations, one_that_completes_at_once) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<int> {
        int sum = 0;
        for (int i = 0; i < 1'000; ++i) {
            const auto give = [i](auto handler) { std::move(handler)(i); };
            sum += co_await start<void(int)>(give);
        }
        co_return sum;
    };
    EXPECT_EQ(run(ex, body), 499'500);
}

TEST_F(use_task_initiations, one_that_completes_on_a_thread_of_its_own) {
    executor ex{{.workers = 2}};
    const auto body = [&]() -> task<> {
        std::thread own;
        for (int i = 0; i < 100; ++i) {
            const auto give = [&](auto handler) {
                own = std::thread([h = std::move(handler), i]() mutable { std::move(h)(i); });
            };
            const int got = co_await start<void(int)>(give);
            EXPECT_EQ(got, i);
            own.join();
            EXPECT_NO_THROW(current_scope()) << "not on a worker";
        }
    };
    run(ex, body);
}

TEST_F(use_task_initiations, one_that_throws) {
    executor ex{{.workers = 1}};
    const auto body = [&]() -> task<> {
        const auto fail = [](auto) { throw std::runtime_error("out of order"); };
        co_await start<void(int)>(fail);
    };
    EXPECT_THROW(run(ex, body), std::runtime_error);
}

TEST_F(use_task_initiations, one_that_drops_its_handler_completes_as_stopped) {
    executor ex{{.workers = 1}};
    task_scope s{ex};
    const auto at_once = []() -> task<> {
        const auto drop = [](auto) {};
        co_await start<void(int)>(drop);
        ADD_FAILURE() << "went on";
    };
    const auto later = []() -> task<> {
        const auto drop = [](auto handler) {
            asio::post(asio::system_executor(), [h = std::move(handler)] {});
        };
        co_await start<void(int)>(drop);
        ADD_FAILURE() << "went on";
    };
    s.spawn(at_once);
    s.spawn(later);
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 2U);
}

// Contexts of others.

TEST_F(use_task_contexts, an_operation_of_another_executor_resumes_and_stops_at_home) {
    executor ex{{.workers = 2}};
    executor other{{.workers = 1}};
    const auto body = [&]() -> task<> {
        EXPECT_EQ(co_await wait_for(other, 1us), error_code());
        EXPECT_EQ(&current_scope().get_executor(), &ex);
    };
    run(ex, body);
    task_scope s{ex};
    for (int i = 0; i < 10; ++i) s.spawn(wait_for(other, forever));
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 10U);
}

TEST_F(use_task_contexts, an_operation_of_somebody_elses_context_is_not_interrupted) {
    asio::io_context theirs;
    auto work = asio::make_work_guard(theirs);
    std::thread runner([&] { theirs.run(); });
    {
        executor ex{{.workers = 1}};
        task_scope s{ex};
        std::atomic<int> got{0};
        const auto body = [&]() -> task<> {
            asio::steady_timer timer(theirs, 1ms);
            EXPECT_EQ(co_await timer.async_wait(use_task), error_code());
            EXPECT_EQ(&current_scope().get_executor(), &ex);
            s.request_stop();
            ++got;
        };
        const auto waits = [&]() -> task<> {
            asio::steady_timer timer(theirs, 20ms);
            EXPECT_EQ(co_await timer.async_wait(use_task), error_code());
            ++got;
        };
        s.spawn(waits);
        s.spawn(body);
        s.blocking_join();
        EXPECT_EQ(got, 2);
    }
    work.reset();
    runner.join();
}

TEST_F(use_task_contexts, a_context_that_is_destroyed_stops_who_waits_for_it) {
    executor ex{{.workers = 1}};
    auto theirs = std::make_unique<asio::io_context>();
    std::atomic<bool> waiting{false};
    task_scope s{ex};
    const auto body = [&]() -> task<> {
        const auto keep = [&](auto handler) {
            asio::post(*theirs, std::move(handler));
            waiting = true;
        };
        co_await start<void()>(keep);
        ADD_FAILURE() << "went on";
    };
    s.spawn(body);
    ASSERT_TRUE(support::until([&] { return waiting.load(); }));
    theirs.reset();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 1U);
}

}  // namespace
}  // namespace taskscope::test
