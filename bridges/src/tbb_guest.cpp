// bridges/src/tbb_guest.cpp - workers enter arenas of oneTBB and leave them again.
// SPDX-License-Identifier: MIT
//
// A tbb_run is shared by the frame of the task that waits, the job that calls the function, and jobs that ask other
// workers to help. The latter may come late, when the call is over and the frame is gone; then they find `over`.
//
//   waiting --> admitted --> calling --> returned --> over
//      |        has a place, its job is queued or runs
//      +--> over, by a stop
//
// The host's mutex guards this word, the places and the line. Only in `calling` a stop cancels, with the mutex held:
// the context is not reset, and `f` does not return, in the meantime. Who is `inside` holds a place; the last one
// to leave after `returned` ends the wait.
#include <taskscope/bridges/tbb_guest.hpp>
#include <taskscope/task_bridge.hpp>

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <new>
#include <stdexcept>
#include <vector>

namespace taskscope::detail {

class tbb_host {
public:
    tbb_host(executor& h, unsigned places) : home(h), size(places), free_places(places) {}

    executor& home;
    const unsigned size;

    std::mutex mutex;  // guards what follows, and the state of all runs
    unsigned free_places;
    std::list<std::shared_ptr<tbb_run>> line;  // those that wait for a place
};

class tbb_run : public std::enable_shared_from_this<tbb_run> {
public:
    tbb_run(std::shared_ptr<tbb_host> host, tbb_call& call, task_context& context)
        : host_(std::move(host)),
          call_(call),
          context_(context),
          arena_(static_cast<int>(host_->size), host_->size),  // no place for threads of oneTBB's
          work_(&tbb_run::work) {
        arena_.initialize();  // what this throws the awaiting task gets
        for (unsigned i = 1; i < host_->size; ++i) helpers_.emplace_back(&tbb_run::help);
    }

    void submit();
    void stop() noexcept;

private:
    enum class state : std::uint8_t { waiting, admitted, calling, returned, over };

    /// A run's request to a worker. Keeps it alive while queued.
    struct request : function_job {
        using function_job::function_job;
        std::shared_ptr<tbb_run> run;
    };

    static void work(function_job& j) noexcept;
    static void help(function_job& j) noexcept;

    void send(request& r) noexcept {
        r.run = shared_from_this();
        schedule(host_->home, r);
    }
    /// Calls `f()` in the arena, on behalf of the task.
    template <class F>
    void enter(const F& f) {
        const on_behalf of_the_task(&context_);
        arena_.execute(f);
    }
    void admit() noexcept;
    void call() noexcept;
    void call_in_group();
    bool try_join() noexcept;
    void wait_inside();
    void leave() noexcept;

    const std::shared_ptr<tbb_host> host_;
    tbb_call& call_;         // until it was told that it ends
    task_context& context_;  // the same
    oneapi::tbb::task_arena arena_;
    oneapi::tbb::task_group_context cancellation_{oneapi::tbb::task_group_context::isolated};

    state state_ = state::waiting;
    bool stopped_ = false;
    unsigned inside_ = 0;
    std::vector<oneapi::tbb::task_handle> tickets_;          // of helpers: each holds one of them
    std::list<std::shared_ptr<tbb_run>>::iterator in_line_;  // while waiting

    request work_;
    std::deque<request> helpers_;
};

void tbb_run::submit() {
    const std::lock_guard lock{host_->mutex};
    if (host_->free_places != 0) {
        --host_->free_places;
        admit();
    } else {
        in_line_ = host_->line.insert(host_->line.end(), shared_from_this());
    }
}

/// It was given a place. The mutex is held.
void tbb_run::admit() noexcept {
    state_ = state::admitted;
    inside_ = 1;
    send(work_);
}

void tbb_run::stop() noexcept {
    {
        const std::lock_guard lock{host_->mutex};
        if (state_ == state::returned || state_ == state::over) return;
        stopped_ = true;
        if (state_ == state::calling) cancellation_.cancel_group_execution();
        if (state_ != state::waiting) return;
        state_ = state::over;
        host_->line.erase(in_line_);
    }
    call_.end(true);
}

void tbb_run::work(function_job& j) noexcept {
    const std::shared_ptr<tbb_run> self = std::move(static_cast<request&>(j).run);
    self->call();
    self->leave();
}

void tbb_run::call() noexcept {
    enter([this] {
        oneapi::tbb::task_group group(cancellation_);
        group.run_and_wait([this] { call_in_group(); });
    });
}

void tbb_run::call_in_group() {
    unsigned spare = 0;
    bool wanted = false;
    {
        const std::lock_guard lock{host_->mutex};
        wanted = !stopped_;
        if (wanted) state_ = state::calling;
        spare = host_->free_places;
    }
    if (wanted) {
        for (unsigned i = 0; i < spare; ++i) send(helpers_[i]);
        call_.invoke();
    }
    std::vector<oneapi::tbb::task_handle> tickets;
    {
        const std::lock_guard lock{host_->mutex};
        state_ = state::returned;
        tickets.swap(tickets_);
    }
    // Here the helpers' tickets go, and with them what they wait for.
}

void tbb_run::help(function_job& j) noexcept {
    const std::shared_ptr<tbb_run> self = std::move(static_cast<request&>(j).run);
    if (!self->try_join()) return;
    try {
        self->enter([&self] { self->wait_inside(); });
        self->leave();
    } catch (const std::bad_alloc&) {
        self->leave();  // it goes on without this worker: nothing depends on a helper
    }
}

bool tbb_run::try_join() noexcept {
    const std::lock_guard lock{host_->mutex};
    if (state_ != state::calling || host_->free_places == 0) return false;
    --host_->free_places;
    ++inside_;
    return true;
}

/// Runs what there is to run in the arena until the function has returned.
void tbb_run::wait_inside() {
    oneapi::tbb::task_group group;
    oneapi::tbb::task_handle ticket = group.defer([] {});
    {
        const std::lock_guard lock{host_->mutex};
        if (state_ != state::calling) return;
        tickets_.push_back(std::move(ticket));
    }
    group.wait();
}

void tbb_run::leave() noexcept {
    std::shared_ptr<tbb_run> next;
    bool last = false;
    bool stopped = false;
    {
        const std::lock_guard lock{host_->mutex};
        if (host_->line.empty()) {
            ++host_->free_places;
        } else {
            next = std::move(host_->line.front());
            host_->line.pop_front();
            next->admit();
        }
        --inside_;
        last = inside_ == 0 && state_ == state::returned;
        if (last) state_ = state::over;
        stopped = stopped_;
    }
    if (last) call_.end(stopped);
}

tbb_call::tbb_call(std::shared_ptr<tbb_host> host, function f) noexcept
    : host_(std::move(host)), function_(f) {}

tbb_call::~tbb_call() = default;

std::coroutine_handle<> tbb_call::suspend(promise_base& p) {
    if (p.context->stop.stop_requested()) return stop_here(p);
    run_ = std::make_shared<tbb_run>(host_, *this, *p.context);
    wait_.begin(p);
    run_->submit();
    // It may be over by now; the task goes on after arm() at the earliest.
    stop_.emplace(p.context->stop, on_stop{this});
    return wait_.arm();  // *this may be gone.
}

void tbb_call::on_stop::operator()() const noexcept { self->run_->stop(); }

void tbb_call::end(bool stopped) noexcept {
    wait_.decide(stopped && !failed ? outcome::stopped : outcome::value);
}

namespace {

unsigned all_but_one(const executor& ex) { return ex.workers() > 1 ? ex.workers() - 1 : 1; }

}  // namespace
}  // namespace taskscope::detail

namespace taskscope {

tbb_guest::tbb_guest(executor& host) : tbb_guest(host, detail::all_but_one(host)) {}

tbb_guest::tbb_guest(executor& host, unsigned max_concurrency) {
    if (max_concurrency == 0 || max_concurrency > host.workers()) {
        throw std::invalid_argument(
            "taskscope: a tbb_guest lends at least one worker, and no more than there are");
    }
    host_ = std::make_shared<detail::tbb_host>(host, max_concurrency);
}

unsigned tbb_guest::max_concurrency() const noexcept { return host_->size; }

}  // namespace taskscope
