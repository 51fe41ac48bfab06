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
constexpr auto longest_answer = 30s;
constexpr ts::admission_limits at_once{.max_live = 1000, .max_waiting = 4000, .max_wait = 2s};

}  // namespace

application::application(ts::task_scope& root, const std::string& name)
    : name_(name),
      prefix_("/myapp" + name.substr(name.find('-'))),
      errors_(name),
      cache_(std::make_shared<const std::string>("nothing yet\n")),
      scope_(root, {.name = name_, .policy = errors_.policy()}),
      handlers_(scope_, {.name = "handlers", .policy = {}}),  // errors go to the scope above
      door_(handlers_, at_once),
      timers_(scope_, {.name = "timers", .policy = {}}),
      background_(scope_, {.name = "background", .policy = {}}) {}

void application::start() {
    pool_.emplace(connections);
    // Called when the three scopes that use it have ended, and before this one does.
    scope_.defer({"pool"}, &application::release_pool, this);
    // The cache is refreshed at regular times. A refresh that has begun is finished, also when the scope is closed.
    const auto tick = [this] { return refresh(++round_); };
    timers_.spawn({"refresh cache"}, ts::every(refresh_period, ts::missed_tick::skip, tick));
    // A worker that fails is begun again: the queue, and what is in it, are not its own.
    const auto worker = [this] { return work_off_queue(); };
    background_.spawn({"worker"}, ts::restart({.most = 5, .window = 1min}, worker));
}

ts::child_handle<reply> application::handle(ts::admission_place place, request r,
                                            std::shared_ptr<ts::stop_source> gone) {
    const std::string name = std::string(r.method_string()) + ' ' + std::string(path_of(r));
    return handlers_.spawn_future({name}, &application::answer, this, std::move(place),
                                  std::move(r), std::move(gone));
}

// The place belongs to the child, and is given back when the child's arguments go.
ts::task<reply> application::answer(const ts::admission_place&, request r,
                                    std::shared_ptr<ts::stop_source> gone) {
    co_return co_await ts::with_timeout(longest_answer, ts::stop_when(gone->token(), dispatch(r)));
}

void application::release_pool() {
    std::cout << name_ + ": pool released after " + std::to_string(pool_->leases()) + " leases\n";
    pool_.reset();
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
    const ts::stop_callback close(background_.closing_token(), [this] { queue_.close(); });
    while (std::optional<std::string> job = co_await queue_.receive()) {
        co_await ts::sleep_for(5ms);  // the work
        ++jobs_done_;
    }
    std::cout << name_ + ": " + std::to_string(jobs_done_) + " jobs done\n";
}

}  // namespace web
