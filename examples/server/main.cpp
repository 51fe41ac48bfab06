// examples/server/main.cpp - a web server whose tasks live in a tree of scopes, and whose end is one call.
// SPDX-License-Identifier: MIT
//
// Shows   scopes as members and as blocks; a group that fans out; handles; per-scope error handlers; a resource
//         released after its users; Boost.Asio and Beast awaited from tasks; drain, stop, report.
// Run     server --port 8080, then: curl localhost:8080/myapp-a/fan-out localhost:8080/tree
#include "options.hpp"
#include "server.hpp"

#include <taskscope/taskscope.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>

namespace {

namespace ts = taskscope;

int serve(const web::options& options) {
    ts::executor ex{{.workers = options.workers, .name = "server", .trace_awaits = true}};
    web::server server(ex, options);
    std::cout << "listening on http://127.0.0.1:" << server.port() << " with " << ex.workers()
              << " workers" << std::endl;

    const ts::shutdown_report report = ex.run(server.run());
    std::cout << report.text() << std::flush;
    // Someone ignores the stop request and still uses what would be destroyed now.
    if (!report.complete()) std::_Exit(1);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    web::options options;
    try {
        options = web::parse(argc, argv);
        if (options.help) {
            std::cout << web::usage;
            return 0;
        }
        return serve(options);
    } catch (const std::exception& e) {  // of the command line; no port, no threads
        std::cerr << "server: " << e.what() << '\n';
        return 2;
    }
}
