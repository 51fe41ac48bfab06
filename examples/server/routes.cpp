// examples/server/routes.cpp - what the routes of an application do.
// SPDX-License-Identifier: MIT
#include "application.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace web {

namespace ts = taskscope;
using namespace std::chrono_literals;

struct application::route {
    std::string_view path;
    http::verb method;
    handler call;
};

unsigned query_number(const request& r, std::string_view name, unsigned otherwise, unsigned most) {
    const std::string_view target(r.target().data(), r.target().size());
    const std::string wanted = std::string(name) + '=';
    for (std::size_t at = target.find('?'); at != target.npos; at = target.find('&', at)) {
        const std::string_view pair = target.substr(++at);
        if (!pair.starts_with(wanted)) continue;
        unsigned number = 0;
        const char* const first = pair.data() + wanted.size();
        const auto [end, error] = std::from_chars(first, pair.data() + pair.size(), number);
        if (end == first || number > most) return error == std::errc{} ? most : otherwise;
        return number;
    }
    return otherwise;
}

ts::task<reply> application::dispatch(const request& r) {
    static constexpr std::array<route, 7> routes{{
        {"/hello", http::verb::get, &application::hello},
        {"/fan-out", http::verb::get, &application::fan_out},
        {"/slow", http::verb::get, &application::slow},
        {"/blocking", http::verb::get, &application::blocking},
        {"/fail", http::verb::get, &application::fail},
        {"/work", http::verb::post, &application::work},
        {"/cached", http::verb::get, &application::cached},
    }};
    const std::string_view path = path_of(r).substr(prefix_.size());
    const auto* const found = std::ranges::find(routes, path, &route::path);
    if (found == routes.end()) co_return reply(http::status::not_found, "there is nothing here\n");
    const bool reads = r.method() == http::verb::get || r.method() == http::verb::head;
    if (reads != (found->method == http::verb::get) || (!reads && r.method() != found->method)) {
        co_return reply(http::status::method_not_allowed, "not with this method\n");
    }
    co_return co_await (this->*found->call)(r);
}

ts::task<reply> application::hello(const request&) {
    co_return reply(http::status::ok, "hello from " + name_ + '\n');
}

// Several questions at once, each in a child of a group that borrows from here: the group does not end before
// its children have. If one failed, the others would be stopped, and the error would come out of with_group.
ts::task<reply> application::fan_out(const request&) {
    std::array<unsigned, 4> answers{};
    co_await ts::with_group("fan-out", [&](ts::task_group& group) -> ts::task<> {
        for (unsigned i = 0; i < answers.size(); ++i) {
            group.spawn([this, i, &answer = answers[i]]() -> ts::task<> {
                auto connection = co_await pool_->acquire();
                answer = co_await connection.ask(i + 1);
            });
        }
        co_return;
    });
    const unsigned sum = std::accumulate(answers.begin(), answers.end(), 0U);
    co_return reply(http::status::ok, "1 + 4 + 9 + 16 = " + std::to_string(sum) + '\n');
}

// GET /slow?ms=300
ts::task<reply> application::slow(const request& r) {
    const unsigned ms = query_number(r, "ms", 1000, 60'000);
    co_await ts::sleep_for(std::chrono::milliseconds(ms));
    co_return reply(http::status::ok, "slept " + std::to_string(ms) + " ms\n");
}

// A call into somebody's library that knows nothing of stop tokens. It does not hold up the workers, but a
// shutdown cannot end it either: when the time is over it is reported and abandoned.
ts::task<reply> application::blocking(const request& r) {
    const unsigned ms = query_number(r, "ms", 1000, 60'000);
    co_await ts::run_blocking([ms] { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); });
    co_return reply(http::status::ok, "blocked " + std::to_string(ms) + " ms\n");
}

ts::task<reply> application::fail(const request&) {
    throw std::runtime_error("this route always fails");
    co_return reply(http::status::ok, "");
}

// POST /work: the body is a job for the background worker.
ts::task<reply> application::work(const request& r) {
    if (!queue_.try_send(r.body())) {
        co_return reply(http::status::service_unavailable, "the queue is full, try later\n");
    }
    co_return reply(http::status::accepted, "will be done\n");
}

ts::task<reply> application::cached(const request&) {
    std::shared_ptr<const std::string> text;
    {
        const std::lock_guard lock{cache_mutex_};
        text = cache_;
    }
    co_return reply(http::status::ok, *text);
}

}  // namespace web
