// <taskscope/detail/watcher.hpp> - a room above is told when a worker takes up a child and when it lets go of it.
// SPDX-License-Identifier: MIT
//
// A child is taken up by the loop, and let go where it is suspended and not yet known to anybody who may resume it: so
// of two workers that run it one after the other the second is told of after the first. Branches of a fork_join that
// were stolen run on several workers at the same time, each of which has taken up the child.
#pragma once

#include <taskscope/detail/worker.hpp>

#include <source_location>

namespace taskscope {
class executor;
}

namespace taskscope::detail {

struct promise_base;
struct traced_receiver;

/// Base of what is watched. What it is only the room above knows.
struct watched {};

class watcher {
public:
    watcher(const watcher&) = delete;
    watcher& operator=(const watcher&) = delete;
    virtual ~watcher() = default;

    /// Of the task that tells `r` of its end.
    virtual watched& record(traced_receiver& r) noexcept = 0;
    /// `w` is about to go on with `c`; or with its destructors if not `runs`. Returns whether lets_go() is
    /// wanted; it comes unless the room above has said end_watch() before.
    virtual bool takes_up(worker& w, watched& c, bool runs) noexcept = 0;
    /// It waits at `at`, with line 0 if it only lets others go first. Nobody else can resume it yet.
    virtual void lets_go(worker& w, watched& c, std::source_location at) noexcept = 0;
    /// On the thread of `w`, which has nothing left to do.
    virtual void thread_ends(worker& w) noexcept = 0;

protected:
    watcher() = default;
};

/// From now on `who`, which outlives the workers, is told; or nobody. What was taken up may be let go untold.
void set_watcher(executor& home, watcher* who) noexcept;

/// relaxed: whoever calls it loads it again.
inline bool is_watched(const worker& w) noexcept {
    return w.told.load(std::memory_order_relaxed) != nullptr;
}

/// Before a step of the loop, if the worker is watched.
void take_up(worker& w, promise_base& p) noexcept;
/// The same for one that is no coroutine.
void take_up(worker& w, watched& c, bool runs) noexcept;

void tell_let_go(worker& w, std::source_location at) noexcept;

/// The child that is running, if there is one, is about to become somebody else's.
inline void let_go(worker& w, std::source_location at) noexcept {
    if (w.child != nullptr) [[unlikely]]
        tell_let_go(w, at);
}

/// The child that is running has ended: it is not let go.
inline void end_watch(worker& w) noexcept {
    w.child = nullptr;
    w.notes = w.traces_awaits;
}

void watched_thread_ends(worker& w) noexcept;

}  // namespace taskscope::detail
