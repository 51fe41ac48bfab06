// examples/start.cpp - services that say when they are ready, and a server that waits for them.
// SPDX-License-Identifier: MIT
//
// Shows   start and start_signal; an error before the signal; a limit for starting up; readiness.
// Run     start
// Prints  who is ready when; on a virtual clock, so it takes no time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <stdexcept>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

// Signals its port when it listens, and goes on as a child of the scope it was started in.
ts::task<> listen(bool port_is_free, ts::start_signal<int> ready) {
    co_await ts::sleep_for(20ms);
    if (!port_is_free) throw std::runtime_error("address in use");
    ready(8080);
    co_await ts::sleep_for(1h);
    std::cout << "listener: never printed\n";
}

// With a default argument it can be spawned, too.
ts::task<> connect(std::chrono::milliseconds takes, ts::start_signal<> ready = {}) {
    co_await ts::sleep_for(takes);
    ready();
}

// Is ready when what it starts is.
ts::task<> application(ts::task_scope& services, ts::start_signal<int> ready) {
    co_await services.start(connect, 50ms);
    const int port = co_await services.start(listen, true);
    ready(port);
}

ts::task<> watch(ts::task_scope& app) {
    for (int i = 0; i < 3; ++i) {
        std::cout << "/ready: " << ts::readiness(app).text() << '\n';
        co_await ts::sleep_for(40ms);
    }
}

ts::task<> serve(ts::task_scope& app, ts::task_scope& services) {
    app.spawn(watch(app));
    const int port = co_await app.start(application, std::ref(services));
    std::cout << "listening on " << port << '\n';

    try {
        co_await services.start(listen, false);
    } catch (const std::runtime_error& e) {
        std::cout << "second listener: " << e.what() << '\n';
    }
    const bool in_time = co_await ts::move_on_after(1s, services.start(connect, 1min));
    std::cout << "slow backend: " << (in_time ? "ready" : "given up") << '\n';
    services.request_stop();
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ts::task_scope app(ex, {.name = "app"});
    ts::task_scope services(app, {.name = "services"});
    ex.run(serve(app, services));
    services.blocking_join();
    app.blocking_join();
}
