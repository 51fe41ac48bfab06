// examples/server/server.hpp - the tree of the server: who accepts, who is connected, which applications.
// SPDX-License-Identifier: MIT
//
//     /                      the executor's root
//       /app-a, /app-b       application.hpp
//       /listener            accepts
//       /connections         one child per connection, each with a scope of its own: session.hpp
//
// The end comes in this order: nobody is accepted any more; the connections finish the requests they have
// begun, for which the applications are still there; then everything else.
#pragma once

#include "application.hpp"
#include "error_log.hpp"
#include "http.hpp"
#include "options.hpp"

#include <taskscope/net/signals.hpp>
#include <taskscope/taskscope.hpp>

#include <cstdint>
#include <string_view>

namespace web {

class server {
public:
    /// Listens, but accepts nobody yet. Throws std::runtime_error.
    server(taskscope::executor& home, const options& o);

    std::uint16_t port() const noexcept { return port_; }

    /// Serves until SIGINT or SIGTERM, then shuts everything down. A second signal stops at once.
    taskscope::task<taskscope::shutdown_report> run();

    // For sessions.
    const options& settings() const noexcept { return options_; }
    taskscope::task_scope& root() noexcept { return root_; }
    taskscope::task_scope& connections() noexcept { return connections_; }
    /// Whose routes `path` is one of; null if nobody's.
    application* application_of(std::string_view path) noexcept;

private:
    taskscope::task<> accept();
    error_code accept_waiting();
    taskscope::task<> serve(tcp::socket socket, std::uint64_t number);
    taskscope::task<taskscope::shutdown_report> shut_down(taskscope::stop_source& over);
    taskscope::task<> stop_on_signal();

    options options_;
    taskscope::task_scope& root_;
    taskscope::net::signal_set signals_;
    tcp::acceptor acceptor_;
    std::uint16_t port_;
    error_log errors_{"connections"};
    application a_;
    application b_;
    taskscope::task_scope listener_;
    taskscope::task_scope connections_;
    std::uint64_t accepted_ = 0;
};

}  // namespace web
