// examples/server/server.cpp - accepting connections, and the end of the server.
// SPDX-License-Identifier: MIT
#include "server.hpp"

#include "session.hpp"

#include <taskscope/net/io.hpp>
#include <taskscope/net/use_task.hpp>

#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace web {

namespace ts = taskscope;
namespace net = taskscope::net;
using namespace std::chrono_literals;

namespace {

constexpr auto accept_pause = 100ms;  // when there are no file descriptors left

tcp::acceptor listen_on(asio::io_context& io, std::uint16_t port) {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    try {
        return tcp::acceptor(io, here);
    } catch (const boost::system::system_error& e) {
        throw std::runtime_error("cannot listen on 127.0.0.1:" + std::to_string(port) + ": " +
                                 e.code().message());
    }
}

/// The limits for what comes after the connections. Jobs that were accepted get time to be done also when slow
/// requests have used up the drain: half of what is left then.
ts::shutdown_limits remaining(const ts::shutdown_limits& all, ts::executor::clock::duration used) {
    const auto left = std::max(all.drain + all.stop - used, ts::executor::clock::duration::zero());
    ts::shutdown_limits limits;
    limits.drain = std::max(all.drain - used, left / 2);
    limits.stop = left - limits.drain;
    return limits;
}

/// One report of two, with the scopes of single connections summed up in one line.
ts::shutdown_report merge(ts::shutdown_report connections, ts::shutdown_report rest) {
    ts::scope_shutdown sum;
    sum.path = "/connections";
    for (const ts::scope_shutdown& s : connections.scopes) {
        sum.drained += s.drained;
        sum.stopped += s.stopped;
        sum.abandoned += s.abandoned;
        sum.took = std::max(sum.took, s.took);
    }
    for (ts::scope_shutdown& s : rest.scopes) s.took += connections.took;
    rest.scopes.insert(rest.scopes.begin(), sum);
    std::ranges::move(connections.stragglers, std::back_inserter(rest.stragglers));
    rest.took += connections.took;
    return rest;
}

}  // namespace

server::server(ts::executor& home, const options& o)
    : options_(o),
      root_(home.root()),
      signals_(home, SIGINT, SIGTERM),
      acceptor_(listen_on(net::context(home), o.port)),
      port_(acceptor_.local_endpoint().port()),
      a_(root_, "app-a"),
      b_(root_, "app-b"),
      listener_(root_, {.name = "listener", .policy = {}}),
      connections_(root_, {.name = "connections", .policy = errors_.policy()}) {
    acceptor_.non_blocking(true);
}

application* server::application_of(std::string_view path) noexcept {
    for (application* app : {&a_, &b_}) {
        if (path.starts_with(app->prefix() + '/')) return app;
    }
    return nullptr;
}

ts::task<ts::shutdown_report> server::run() {
    a_.start();
    b_.start();
    listener_.spawn({"accept"}, &server::accept, this);

    const int signo = co_await signals_.wait();
    std::cout << (signo == SIGTERM ? "SIGTERM" : "SIGINT") << ": draining for up to "
              << options_.drain.count() << " ms, then stopping for up to " << options_.stop.count()
              << " ms" << std::endl;

    ts::stop_source over;
    auto end = shut_down(over);
    auto hurry = ts::stopped_as_optional(ts::stop_when(over.token(), stop_on_signal()));
    auto [report, hurried] = co_await ts::fork_join(std::move(end), std::move(hurry));
    co_return std::move(report);
}

ts::task<> server::accept() {
    for (;;) {
        const error_code failed =
            co_await acceptor_.async_wait(tcp::acceptor::wait_read, net::use_task);
        const error_code why = failed ? failed : accept_waiting();
        // No file descriptors or no memory: who is not accepted waits in the kernel's queue. To try again at
        // once would only burn the time in which connections could end.
        if (why != asio::error::would_block) co_await ts::sleep_for(accept_pause);
    }
}

/// Accepts all who wait. Returns what ended it, which is `would_block` if there is nobody left.
error_code server::accept_waiting() {
    for (;;) {
        error_code failure;
        tcp::socket socket = acceptor_.accept(failure);
        if (failure == asio::error::connection_aborted) continue;
        if (failure) return failure;
        connections_.spawn({"connection"}, &server::serve, this, std::move(socket), ++accepted_);
    }
}

ts::task<> server::serve(tcp::socket socket, std::uint64_t number) {
    const std::string name = std::to_string(number);
    session s(*this, std::move(socket));
    co_await ts::with_scope(name, [&s](ts::task_scope& own) { return s.run(own); });
}

ts::task<ts::shutdown_report> server::shut_down(ts::stop_source& over) {
    const auto began = root_.get_executor().now();
    ts::shutdown_limits limits;
    limits.drain = options_.drain;
    limits.stop = options_.stop;

    listener_.request_stop();
    co_await listener_.join();
    accept_waiting();  // those who have connected before us
    acceptor_.close();
    auto connections = co_await connections_.shutdown(limits);
    auto rest = co_await root_.shutdown(remaining(limits, root_.get_executor().now() - began));
    over.request_stop();
    co_return merge(std::move(connections), std::move(rest));
}

ts::task<> server::stop_on_signal() {
    co_await signals_.wait();
    std::cout << "a second signal: stopping at once" << std::endl;
    root_.request_stop();
}

}  // namespace web
