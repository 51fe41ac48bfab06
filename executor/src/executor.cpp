// executor/src/executor.cpp - starting workers, handing jobs in, and the end of it all.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/detail/watcher.hpp>
#include <taskscope/manual_executor.hpp>
#include <taskscope/yield.hpp>

#include <pthread.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace taskscope {
namespace detail {

constinit thread_local task_context* outside_context = nullptr;

executor_core::executor_core(executor& home, const executor_options& options, bool by_hand)
    : self(home),
      name(options.name),
      spins(options.spins),
      manual(by_hand),
      trace_awaits(options.trace_awaits),
      base{&home, {}, nullptr},
      blocking(options.blocking_threads) {
    if (options.workers == 0) {
        throw std::invalid_argument("taskscope: an executor needs at least 1 worker");
    }
    if (options.workers > most_workers) {
        throw std::invalid_argument("taskscope: an executor has at most " +
                                    std::to_string(most_workers) + " workers");
    }
    if (options.blocking_threads == 0) {
        throw std::invalid_argument("taskscope: an executor needs at least 1 blocking thread");
    }
    // Jobs in a deque; beyond, some wait as one. From nowhere: the ring is 8 KiB then.
    constexpr std::int64_t most_waiting = shrinkable<std::int64_t>(1024, 4);
    static constinit atomic<std::uint32_t> always_some{1};
    enable_asymmetric_barriers();
    workers.reserve(options.workers);
    for (unsigned i = 0; i < options.workers; ++i) {
        workers.push_back(
            std::make_unique<worker>(*this, i, manual ? deque::max_capacity : most_waiting));
        workers.back()->sleepers = barriers_are_asymmetric.load(std::memory_order_relaxed)
                                       ? &idle.sleeping()
                                       : &always_some;
        workers.back()->traces_awaits = options.trace_awaits;
        workers.back()->notes = options.trace_awaits;
        workers.back()->random = 0x9e3779b9U * (i + 1);
    }
    const unsigned parallel = std::min(options.workers, default_worker_count());
    idle.set_limit(std::max(1U, parallel / 2));
}

void executor_core::close() {
    shutdown();
    injected.wait_for_pushers();  // they may still be in the reactor, which is an extension's
    extensions_.clear();
}

void executor_core::start_threads() {
    threads_.reserve(workers.size());
    try {
        for (auto& w : workers) {
            threads_.emplace_back([this, &w] { run_worker(*w); });
            const std::string thread_name = name + '/' + std::to_string(w->index);
            pthread_setname_np(threads_.back().native_handle(), thread_name.substr(0, 15).c_str());
        }
    } catch (...) {
        join_threads();
        throw;
    }
}

void executor_core::shutdown() {
    const worker* w = this_worker();
    const bool on_blocking_thread = outside_context != nullptr && outside_context->home == &self;
    if ((w != nullptr && w->core == this) || on_blocking_thread) {
        contract_violation(
            "executor \"" + name +
            "\" was shut down or destroyed by one of its own workers, which would wait for "
            "itself. Destroy it on the thread that made it, after run() has returned.");
    }
    const std::lock_guard lock{shutdown_mutex_};
    if (is_shut_down()) return;
    shut_down_.store(true, std::memory_order_relaxed);
    while (executor_extension* e = last_running_extension()) e->shut_down();
    blocking.stop();
    if (manual) {
        while (run_one_manually()) {
        }
        watched_thread_ends(*workers.front());
    }
    join_threads();
}

void executor_core::join_threads() noexcept {
    // edge executor.exit, release half (acquire half: the load in run_worker()): what was handed in before.
    exiting_.store(true, std::memory_order_release);
    full_fence();  // edge idle.push: as for a push
    idle.wake_all();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
}

void executor_core::schedule(job& j) noexcept {
    worker* w = this_worker();
    if (w != nullptr && w->core == this) {
        w->push(j);
    } else {
        inject(j);
    }
}

void executor_core::inject(job& j) noexcept {
    tsan_release(&j);
    injected.push(j);
    light_barrier();  // edge idle.push: the push comes before the look at the sleepers
    if (idle.sleeping().load(std::memory_order_relaxed) != 0) {
        full_fence();  // edge idle.search: and before the look at the searchers
        if (idle.should_wake()) idle.wake_one();
    }
    injected.leave();
}

void executor_core::arm(timer_entry& entry) {
    if (timers.arm(entry) && !manual) {
        full_fence();  // edge idle.push: the entry comes before the look at the sleepers
        if (idle.sleeping().load(std::memory_order_relaxed) != 0) idle.wake_driver();
    }
}

clock::time_point executor_core::now() const noexcept {
    if (!manual) return clock::now();
    return clock::time_point(clock::duration(manual_now_.load(std::memory_order_relaxed)));
}

executor_extension* executor_core::last_running_extension() noexcept {
    const std::lock_guard lock{extensions_mutex_};
    for (auto e = extensions_.rbegin(); e != extensions_.rend(); ++e) {
        if (!std::exchange(e->shut_down, true)) return e->extension.get();
    }
    return nullptr;
}

executor_extension& executor_core::extension(
    const void* key, std::unique_ptr<executor_extension> (*make)(executor&)) {
    const std::lock_guard lock{extensions_mutex_};
    for (extension_entry& e : extensions_) {
        if (e.key == key) return *e.extension;
    }
    // The entry first: an extension that has been made may be known to others already.
    std::list<extension_entry> fresh(1);
    fresh.front().key = key;
    fresh.front().extension = make(self);  // may want another extension
    extensions_.splice(extensions_.end(), fresh);
    return *extensions_.back().extension;
}

taskscope::statistics executor_core::statistics() const noexcept {
    const auto read = [](const worker_counters::counter& c) {
        return c.load(std::memory_order_relaxed);
    };
    taskscope::statistics s;
    s.workers = static_cast<std::uint32_t>(workers.size());
    s.sleeping = idle.sleeping().load(std::memory_order_relaxed);
    s.injected = injected.pushed();
    s.wakes = idle.wakes();
    s.timers = timers.size();
    s.blocking_threads = blocking.threads();
    for (const auto& w : workers) {
        s.jobs += read(w->counters.jobs);
        s.steals += read(w->counters.steals);
        s.bounces += read(w->counters.bounces);
        s.sleeps += read(w->counters.sleeps);
    }
    return s;
}

void schedule(executor& home, job& j) noexcept { executor_access::core(home).schedule(j); }
void inject(executor& home, job& j) noexcept { executor_access::core(home).inject(j); }
void arm_timer(executor& home, timer_entry& entry) { executor_access::core(home).arm(entry); }
void disarm_timer(executor& home, timer_entry& entry) noexcept {
    executor_access::core(home).timers.disarm(entry);
}
void start_blocking(executor& home, blocking_call& call) {
    executor_access::core(home).blocking.start(call);
}
void withdraw_blocking(executor& home, blocking_call& call) noexcept {
    executor_access::core(home).blocking.withdraw(call);
}
bool is_manual(const executor& home) noexcept { return executor_access::core(home).manual; }
bool traces_awaits(const executor& home) noexcept {
    return executor_access::core(home).trace_awaits;
}
void check_may_block() {
    if (this_worker() != nullptr) {
        throw misuse_error("taskscope: a blocking wait was called on a worker. co_await instead.");
    }
}
executor_extension& extension(executor& home, const void* key,
                              std::unique_ptr<executor_extension> (*make)(executor&)) {
    return executor_access::core(home).extension(key, make);
}

namespace {

// A thread that waits in run().
struct waiting_thread : receiver {
    waiting_thread() noexcept : receiver(&waiting_thread::wake) {}

    static job* wake(receiver& r, promise_base*) noexcept {
        atomic<std::uint32_t>* word = &static_cast<waiting_thread&>(r).word;
        tsan_release(word);
        // edge run.done, release half (acquire half: the loads in run_blocking_wait()): the result.
        word->store(1, std::memory_order_release);
        futex_wake_one(word);  // the thread, and with it the word, may be gone
        return nullptr;
    }

    atomic<std::uint32_t> word{0};
};

}  // namespace
}  // namespace detail

executor::executor(const executor_options& options)
    : core_(std::make_unique<detail::executor_core>(*this, options, false)) {
    core_->start_threads();
}

executor::executor(manual_tag how)
    : core_(std::make_unique<detail::executor_core>(
          *this, executor_options{.workers = 1, .name = "manual", .trace_awaits = how.trace_awaits},
          true)) {}

executor::~executor() { core_->close(); }

void executor::shutdown() { core_->shutdown(); }

void executor::run_blocking_wait(detail::promise_base*& owner) {
    const detail::worker* w = detail::this_worker();
    if (w != nullptr && w->core == core_.get()) {
        throw misuse_error("taskscope: executor::run() blocks, and was called on a worker of \"" +
                           core_->name + "\". co_await the task instead.");
    }
    if (owner == nullptr) {
        throw misuse_error("taskscope: executor::run() was given a task that was moved from");
    }
    if (core_->is_shut_down()) {
        throw misuse_error("taskscope: executor::run() was called on \"" + core_->name +
                           "\", which has been shut down");
    }
    detail::waiting_thread waiting;
    detail::promise_base& p = *owner;
    p.context = &core_->base;
    p.reports_to = detail::completion::receiver;
    p.recv = &waiting;
    p.owner = &owner;
    core_->inject(p);
    // edge run.done, acquire half (release half: the store in waiting_thread::wake()), here and below.
    while (waiting.word.load(std::memory_order_acquire) == 0) {
        if (!core_->manual) {
            detail::futex_wait_as_guest(waiting.word, 0);
        } else if (!core_->drive_manually(detail::clock::time_point::max())) {
            detail::contract_violation(
                "manual_executor::run(): the task waits, but no job is ready and no timer is "
                "armed. What it "
                "waits for can not happen.");
        }
    }
    detail::tsan_acquire(&waiting.word);
}

unsigned executor::workers() const noexcept { return static_cast<unsigned>(core_->workers.size()); }
std::string_view executor::name() const noexcept { return core_->name; }
executor::clock::time_point executor::now() const noexcept { return core_->now(); }
taskscope::statistics executor::statistics() const noexcept { return core_->statistics(); }

void executor::attach(reactor& r) {
    reactor* none = nullptr;
    // edge executor.reactor, release half (acquire half: the loads of io): the reactor is complete.
    if (!core_->idle.io.compare_exchange_strong(none, &r, std::memory_order_release,
                                                std::memory_order_relaxed)) {
        throw misuse_error("taskscope: executor \"" + core_->name + "\" has a reactor already");
    }
    detail::full_fence();
    core_->idle.wake_driver();
}

void executor::wake_reactor() noexcept {
    detail::
        full_fence();  // edge idle.push: what the caller did comes before the look at the sleepers
    core_->idle.wake_driver();
}

}  // namespace taskscope
