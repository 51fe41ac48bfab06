// tests/net/beast_test.cpp - Boost.Beast's operations, which compose Asio's, awaited and stopped.
// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <string>
#include <utility>

namespace taskscope::test {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

class beast_on : public on_workers {};

/// Answers requests with their own bodies until the other side closes.
template <class Stream>
task<> serve(Stream stream) {
    beast::flat_buffer buffer;
    for (;;) {
        http::request<http::string_body> request;
        const auto [end, n] = co_await http::async_read(stream, buffer, request, use_task);
        if (end) co_return;
        http::response<http::string_body> response(http::status::ok, request.version());
        response.body() = std::move(request.body());
        response.prepare_payload();
        const auto [error, m] = co_await http::async_write(stream, response, use_task);
        if (error) co_return;
    }
}

TEST_P(beast_on, requests_are_answered) {
    executor ex{{.workers = GetParam()}};
    const auto client = [&](int number) -> task<> {
        connection c(ex);
        if (number % 2 == 0) {
            spawn(serve(std::move(c.far)));
        } else {
            spawn(serve(beast::tcp_stream(std::move(c.far))));
        }
        beast::flat_buffer buffer;
        for (int i = 0; i < 20; ++i) {
            http::request<http::string_body> request(http::verb::post, "/", 11);
            request.body() = std::string(static_cast<std::size_t>(i) * 1000, 'x');
            request.prepare_payload();
            const auto [error, n] = co_await http::async_write(c.near, request, use_task);
            EXPECT_FALSE(error) << error.message();
            http::response<http::string_body> response;
            const auto [e, m] = co_await http::async_read(c.near, buffer, response, use_task);
            EXPECT_FALSE(e) << e.message();
            EXPECT_EQ(response.body(), request.body());
        }
    };
    task_scope s{ex};
    for (int i = 0; i < 10; ++i) s.spawn(client, i);
    s.blocking_join();
    EXPECT_FALSE(s.has_errors());
}

TEST_P(beast_on, a_stop_ends_reads_in_the_middle_of_a_message) {
    executor ex{{.workers = GetParam()}};
    std::atomic<int> waiting{0};
    task_scope s{ex};
    const auto client = [&]() -> task<> {
        connection c(ex);
        co_await asio::async_write(c.far, asio::buffer("GET / HTTP/1.1\r\nX", 17), use_task);
        ++waiting;
        beast::flat_buffer buffer;
        http::request<http::string_body> request;
        co_await http::async_read(c.near, buffer, request, use_task);
        ADD_FAILURE() << "went on";
    };
    for (int i = 0; i < 20; ++i) s.spawn(client);
    ASSERT_TRUE(support::until([&] { return waiting == 20; }));
    s.request_stop();
    s.blocking_join();
    EXPECT_EQ(s.counts().stopped, 20U);
}

INSTANTIATE_TEST_SUITE_P(workers, beast_on, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace taskscope::test
