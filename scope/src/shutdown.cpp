// scope/src/shutdown.cpp - a tree comes to its end: closed top-down, drained and stopped innermost first.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/fork_join.hpp>

#include <algorithm>
#include <mutex>

namespace taskscope {

namespace detail {

/// One shutdown of one tree, shared by everyone who waits for it.
struct shutdown_operation {
    clock::time_point began;
    clock::time_point drain_until;
    clock::time_point stop_until;
    async_event done;
    std::mutex mutex;  // guards the report until done is set
    shutdown_report report;
};

namespace {

constexpr std::size_t most_stragglers = 1000;

using operation = std::shared_ptr<shutdown_operation>;

std::chrono::milliseconds since(clock::time_point start, const scope_state& s) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(s.context.home->now() - start);
}

// Where the scope stands after its time is over, for the report.
void give_up(scope_state& s, shutdown_operation& op, std::uint64_t left) {
    s.abandon();
    const std::string path = s.path();
    std::vector<straggler> found;
    std::uint64_t listed = 0;
    s.runtime.registry.for_each([&](const child& c) {
        if (c.scope != &s || listed == std::min<std::uint64_t>(left, most_stragglers)) return;
        found.push_back({path, std::string(c.name()), c.spawned_at()});
        ++listed;
    });
    const std::lock_guard lock{op.mutex};
    for (straggler& f : found) {
        if (op.report.stragglers.size() < most_stragglers)
            op.report.stragglers.push_back(std::move(f));
    }
}

task<> end_scope(scope_reference s, operation op) {
    const std::string path = s->path();  // before it leaves the tree
    const std::uint64_t before = s->counts().live;
    {
        std::vector<task<>> below;
        for (scope_reference& c : s->children()) below.push_back(end_scope(std::move(c), op));
        auto all = fork_join(std::move(below));
        co_await std::move(all);
    }
    s->want_join();
    scope_shutdown result;
    bool ended = co_await s->ended.wait_until_shielded(op->drain_until);
    const std::uint64_t after_drain = ended ? 0 : s->counts().live;
    result.drained = before - std::min(before, after_drain);
    if (!ended) {
        s->stop.request_stop();
        ended = co_await s->ended.wait_until_shielded(op->stop_until);
        result.abandoned = ended ? 0 : s->counts().live;
        result.stopped = after_drain - std::min(after_drain, result.abandoned);
        if (!ended) give_up(*s, *op, result.abandoned);
    }
    result.took = since(op->began, *s);
    result.path = path;
    const std::lock_guard lock{op->mutex};
    op->report.scopes.push_back(std::move(result));
}

task<> end_tree(scope_reference top, operation op) {
    co_await end_scope(scope_reference::retain(*top), op);
    {
        const std::lock_guard lock{op->mutex};
        op->report.took = since(op->began, *top);
    }
    op->done.set();
}

}  // namespace

operation scope_state::begin_shutdown(const shutdown_limits& limits) {
    auto op = std::make_shared<shutdown_operation>();
    op->began = context.home->now();
    op->drain_until = saturating_add(op->began, limits.drain);
    op->stop_until = saturating_add(op->drain_until, limits.stop);
    {
        const std::lock_guard lock{mutex_};
        if (shutdown_ != nullptr) return shutdown_;
        shutdown_ = op;
    }
    std::vector<scope_reference> todo;
    todo.push_back(scope_reference::retain(*this));
    while (!todo.empty()) {
        const scope_reference next = std::move(todo.back());
        todo.pop_back();
        next->close();
        for (scope_reference& c : next->children()) todo.push_back(std::move(c));
    }
    spawn_task(runtime.system(), {"shutdown", {}}, end_tree(scope_reference::retain(*this), op));
    return op;
}

void scope_state::abandon() noexcept {
    retain();  // released by end(), if that ever comes
    facade_.store(scope_access::make_view(*this, &view_), std::memory_order_relaxed);
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
        if ((word & ending) != 0 || (word & abandoned) != 0) {
            release();  // the last member has just left, or this was done before
            return;
        }
        // relaxed: end() reads the flag after the same word was changed by the last member.
    } while (!word_.compare_exchange_weak(word, word | abandoned, std::memory_order_relaxed));
}

}  // namespace detail

task<shutdown_report> task_scope::shutdown(shutdown_limits limits) {
    const auto op = state_->begin_shutdown(limits);
    co_await op->done.wait();
    co_return op->report;
}

shutdown_report task_scope::blocking_shutdown(shutdown_limits limits) {
    const auto op = state_->begin_shutdown(limits);
    op->done.blocking_wait(get_executor());
    return op->report;
}

namespace {

std::uint64_t sum(const shutdown_report& r, std::uint64_t scope_shutdown::* what) {
    std::uint64_t n = 0;
    for (const scope_shutdown& s : r.scopes) n += s.*what;
    return n;
}

}  // namespace

std::uint64_t shutdown_report::drained() const noexcept {
    return sum(*this, &scope_shutdown::drained);
}
std::uint64_t shutdown_report::stopped() const noexcept {
    return sum(*this, &scope_shutdown::stopped);
}
std::uint64_t shutdown_report::abandoned() const noexcept {
    return sum(*this, &scope_shutdown::abandoned);
}

std::string shutdown_report::text() const {
    const auto line = [](const std::string& what, std::uint64_t d, std::uint64_t s, std::uint64_t a,
                         std::chrono::milliseconds ms) {
        return what + ": " + std::to_string(d) + " drained, " + std::to_string(s) + " stopped, " +
               std::to_string(a) + " abandoned, " + std::to_string(ms.count()) + " ms\n";
    };
    std::string out = line("shutdown", drained(), stopped(), abandoned(), took);
    for (const scope_shutdown& s : scopes) {
        if (s.drained + s.stopped + s.abandoned == 0) continue;
        out += "  " + line(s.path, s.drained, s.stopped, s.abandoned, s.took);
    }
    for (const straggler& s : stragglers) {
        out += "  still running: " + (s.name.empty() ? "task" : s.name) + " in " + s.scope_path +
               ", spawned at " + s.spawned_at.file_name() + ':' +
               std::to_string(s.spawned_at.line()) + '\n';
    }
    return out;
}

}  // namespace taskscope
