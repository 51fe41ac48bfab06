// scope/src/task_lints.cpp - an observer with a watch for each worker.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/atomic.hpp>
#include <taskscope/task_lints.hpp>

#include <memory>
#include <source_location>
#include <utility>
#include <vector>

namespace taskscope {
namespace {

class lints final : public observer {
public:
    lints(unsigned workers, std::function<void(const lint&)> t, lint_options o)
        : tell_(std::move(t)), options_(std::move(o)), since_(workers) {}

    void child_spawned(observed_child& c) override { c.emplace_slot<has_suspended>(false); }
    void child_started(const observed_child&, unsigned worker) override { begin(worker); }
    void child_resumed(const observed_child&, unsigned worker) override { begin(worker); }
    void child_suspended(const observed_child& c, unsigned worker,
                         std::source_location at) override {
        // relaxed: of branches one is before the end, or none.
        c.slot<has_suspended>()->store(true, std::memory_order_relaxed);
        check(c, worker, lint_kind::held_worker, at);
    }
    void child_completed(const observed_child& c, const child_end& e) override {
        const bool ever = c.slot<has_suspended>()->load(std::memory_order_relaxed);
        // One that is stopped before it began has not been on a worker.
        check(c, e.worker, ever ? lint_kind::held_worker : lint_kind::never_suspended, {});
    }

private:
    using has_suspended = detail::atomic<bool>;

    void begin(unsigned worker) { since_[worker] = options_.now(); }
    void check(const observed_child& c, unsigned worker, lint_kind kind, std::source_location at) {
        const auto since = std::exchange(since_[worker], {});
        if (since == executor::clock::time_point{}) return;
        const auto ran = options_.now() - since;
        if (ran >= options_.limit) tell_({kind, c, ran, at});
    }

    const std::function<void(const lint&)> tell_;
    const lint_options options_;
    std::vector<executor::clock::time_point>
        since_;  // each by its worker; the epoch: runs no child
};

}  // namespace

observation observe_lints(executor& home, std::function<void(const lint&)> tell,
                          lint_options options) {
    return observe(home,
                   std::make_shared<lints>(home.workers(), std::move(tell), std::move(options)));
}

}  // namespace taskscope
