// examples/server/application.cpp - what runs as long as an application does, and how a handler is started.
// SPDX-License-Identifier: MIT
#include "application.hpp"

#include <iostream>
#include <optional>
#include <utility>

namespace web {

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

constexpr unsigned connections = 16;
constexpr auto refresh_period = 500ms;

ts::task<> sleep(std::chrono::milliseconds time) { co_await ts::sleep_for(time); }

ts::task<> forever() {
    ts::async_event never;
    co_await never.wait();
}

}  // namespace

application::application(ts::task_scope& root, const std::string& name)
    : name_(name),
      prefix_("/myapp" + name.substr(name.find('-'))),
      errors_(name),
      cache_(std::make_shared<const std::string>("nothing yet\n")),
      scope_(root, {.name = name_, .policy = errors_.policy()}),
      handlers_(scope_, {.name = "handlers", .policy = {}}),  // errors go to the scope above
      timers_(scope_, {.name = "timers", .policy = {}}),
      background_(scope_, {.name = "background", .policy = {}}) {}

void application::start() {
    auto pool = std::make_unique<connection_pool>(connections);
    pool_ = pool.get();
    scope_.spawn({"pool"}, &application::keep_pool, this, std::move(pool));
    timers_.spawn({"refresh cache"}, &application::refresh_cache, this);
    background_.spawn({"worker"}, &application::work_off_queue, this);
}

ts::child_handle<reply> application::handle(request r, std::shared_ptr<ts::stop_source> gone) {
    const std::string name = std::string(r.method_string()) + ' ' + std::string(path_of(r));
    return handlers_.spawn_future({name}, &application::answer, this, std::move(r),
                                  std::move(gone));
}

ts::task<reply> application::answer(request r, std::shared_ptr<ts::stop_source> gone) {
    co_return co_await ts::stop_when(gone->token(), dispatch(r));
}

// Owns the pool until the scopes that use it have ended. join() is not interrupted by a stop, so this also
// holds when everything is asked to stop at once.
ts::task<> application::keep_pool(std::unique_ptr<connection_pool> pool) {
    co_await ts::stopped_as_optional(ts::stop_when(scope_.closing_token(), forever()));
    co_await handlers_.join();
    co_await timers_.join();
    co_await background_.join();
    std::cout << name_ + ": pool released after " + std::to_string(pool->leases()) + " leases\n";
}

// A timer: it waits for the next tick only until the scope is closed, but finishes a refresh it has begun.
ts::task<> application::refresh_cache() {
    bool open = true;
    for (unsigned round = 1; open; ++round) {
        co_await refresh(round);
        open = co_await ts::stopped_as_optional(
            ts::stop_when(timers_.closing_token(), sleep(refresh_period)));
    }
}

ts::task<> application::refresh(unsigned round) {
    auto connection = co_await pool_->acquire();
    const unsigned answer = co_await connection.ask(round);
    auto fresh = std::make_shared<const std::string>(name_ + ": refresh " + std::to_string(round) +
                                                     " got " + std::to_string(answer) + '\n');
    const std::lock_guard lock{cache_mutex_};
    cache_.swap(fresh);
}

// The background worker: the queue is closed with its scope, and what has been accepted is still done.
ts::task<> application::work_off_queue() {
    unsigned done = 0;
    const ts::stop_callback close(background_.closing_token(), [this] { queue_.close(); });
    while (std::optional<std::string> job = co_await queue_.receive()) {
        co_await ts::sleep_for(5ms);  // the work
        ++done;
    }
    std::cout << name_ + ": " + std::to_string(done) + " jobs done\n";
}

}  // namespace web
