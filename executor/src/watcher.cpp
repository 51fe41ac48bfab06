// executor/src/watcher.cpp - who is told which children run.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"

#include <taskscope/detail/await_trace.hpp>
#include <taskscope/detail/watcher.hpp>

#include <utility>

namespace taskscope::detail {
namespace {

watcher* watcher_of(const worker& w) noexcept {
    // edge watcher.begin, acquire half (release half: the store in set_watcher()): it is complete.
    return w.told.load(std::memory_order_acquire);
}

}  // namespace

void set_watcher(executor& home, watcher* who) noexcept {
    for (const auto& w : executor_access::core(home).workers) {
        // edge watcher.begin, release half (acquire half: the load in watcher_of()).
        w->told.store(who, std::memory_order_release);
    }
}

void take_up(worker& w, promise_base& p) noexcept {
    traced_receiver* const r = record_of(p);
    watcher* const who = watcher_of(w);
    if (r != nullptr && who != nullptr) take_up(w, who->record(*r), p.result != outcome::stopped);
}

void take_up(worker& w, watched& c, bool runs) noexcept {
    watcher* const who = watcher_of(w);
    // If it has been running it has only come by way of the loop.
    if (who == nullptr || &c == w.child || !who->takes_up(w, c, runs)) return;
    w.child = &c;
    w.notes = true;
}

void tell_let_go(worker& w, std::source_location at) noexcept {
    watched& c = *std::exchange(w.child, nullptr);
    w.notes = w.traces_awaits;
    if (watcher* const who = watcher_of(w)) who->lets_go(w, c, at);
}

void watched_thread_ends(worker& w) noexcept {
    if (watcher* const who = watcher_of(w)) {
        worker* const outer = std::exchange(current_worker, &w);
        who->thread_ends(w);
        current_worker = outer;
    }
}

}  // namespace taskscope::detail
