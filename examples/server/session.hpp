// examples/server/session.hpp - one connection: request, reply, request, reply, until somebody has enough.
// SPDX-License-Identifier: MIT
//
//     /connections/7         opened by the server for this connection
//       - body               run(): reads, has the request answered, writes
//       - watchdog           asks the scope to stop when the client takes too long, or has gone away
//
// Once the scope "connections" is closed, requests that have begun to arrive are completed and answered with
// "Connection: close"; the wait for a next request ends.
#pragma once

#include "http.hpp"

#include <taskscope/taskscope.hpp>

#include <atomic>
#include <chrono>

namespace web {

class server;

class session {
public:
    session(server& home, tcp::socket socket);

    /// The body of `own`, the connection's scope. Completes as stopped if the client is too slow.
    taskscope::task<> run(taskscope::task_scope& own);

private:
    using clock = std::chrono::steady_clock;
    using request_parser = http::request_parser<http::string_body>;

    taskscope::task<bool> exchange();
    taskscope::task<bool> wait_for_request();
    taskscope::task<error_code> read_request(request_parser& parser);
    taskscope::task<error_code> read_some();
    taskscope::task<reply> answer(request r);
    taskscope::task<reply> answer_in(class application& app, request r);
    taskscope::task<bool> write(reply r, unsigned version, bool head, bool keep_alive);
    taskscope::task<> say_goodbye();

    taskscope::task<> watch(taskscope::task_scope& own);
    void allow(std::chrono::milliseconds time) noexcept;
    bool client_has_gone() const noexcept;

    server& server_;
    tcp::socket socket_;
    const int descriptor_;
    beast::flat_buffer buffer_;           // what has arrived and is not parsed yet
    std::atomic<clock::rep> deadline_;    // for the client, not for us
    std::atomic<bool> answering_{false};  // the client has nothing to do but wait
    bool client_closed_ = false;
};

}  // namespace web
