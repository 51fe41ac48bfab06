// examples/server/application.hpp - one application: three scopes, a pool, a cache, a queue, and its routes.
// SPDX-License-Identifier: MIT
//
//     /app-a                 its scope, which owns the connection pool
//       /handlers            one child per request
//       /timers              refreshes the cache
//       /background          works off the queue
//
// A shutdown ends the three inner scopes first, side by side. Then the pool has no user any more and is released, as
// was deferred, and with that the scope of the application ends.
#pragma once

#include "connection_pool.hpp"
#include "error_log.hpp"
#include "http.hpp"

#include <taskscope/taskscope.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace web {

class application {
public:
    /// `name` is "app-a", say; its routes are below /myapp-a then.
    application(taskscope::task_scope& root, const std::string& name);

    /// Spawns what runs as long as the application does.
    void start();

    const std::string& prefix() const noexcept { return prefix_; }

    /// A place for one request. Waits in line when as many as may are being answered.
    /// Throws: admission_refused if the line is too long, or moves too slowly; scope_closed during a shutdown.
    taskscope::task<taskscope::admission_place> admit() { return door_.enter(); }

    /// Answers one request, in the scope "handlers". The handler is asked to stop when `gone` is requested:
    /// then nobody waits for the answer.
    /// Errors: of the handler are told the scope's error handler, and are rethrown here.
    /// Throws: scope_closed during a shutdown.
    taskscope::child_handle<reply> handle(taskscope::admission_place place, request r,
                                          std::shared_ptr<taskscope::stop_source> gone);

private:
    using handler = taskscope::task<reply> (application::*)(const request&);
    struct route;

    taskscope::task<reply> answer(const taskscope::admission_place& place, request r,
                                  std::shared_ptr<taskscope::stop_source> gone);
    taskscope::task<reply> dispatch(const request& r);

    // The routes: routes.cpp.
    taskscope::task<reply> hello(const request& r);
    taskscope::task<reply> fan_out(const request& r);
    taskscope::task<reply> slow(const request& r);
    taskscope::task<reply> blocking(const request& r);
    taskscope::task<reply> fail(const request& r);
    taskscope::task<reply> work(const request& r);
    taskscope::task<reply> cached(const request& r);

    void release_pool();
    taskscope::task<> refresh(unsigned round);
    taskscope::task<> work_off_queue();

    std::string name_;
    std::string prefix_;
    error_log errors_;

    std::optional<connection_pool> pool_;  // there as long as a handler, timer or worker is
    unsigned round_ = 0;                   // of the timer
    unsigned jobs_done_ = 0;               // by the worker, all attempts together
    taskscope::channel<std::string> queue_{64};
    std::mutex cache_mutex_;
    std::shared_ptr<const std::string> cache_;  // guarded by cache_mutex_

    taskscope::task_scope scope_;
    taskscope::task_scope handlers_;
    taskscope::admission door_;  // to the handlers
    taskscope::task_scope timers_;
    taskscope::task_scope background_;
};

}  // namespace web
