// scope/src/shutdown.cpp - a tree comes to its end: closed top-down, drained and stopped innermost first.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/fork_join.hpp>

#include <algorithm>
#include <mutex>
#include <new>

namespace taskscope {

namespace detail {

/// One shutdown of one tree, shared by everyone who waits for it.
struct shutdown_operation {
    clock::time_point began;
    clock::time_point drain_until;
    clock::duration stop;  ///< for all levels together
    std::size_t levels = 1;
    async_event done;
    std::mutex mutex;  // guards the report until done is set
    shutdown_report report;
};

namespace {

constexpr std::size_t most_stragglers = 1000;

using operation = std::shared_ptr<shutdown_operation>;

// Until when the members of a scope have time to stop. Every level above one that has to give up gets its share:
// otherwise one straggler would leave no time for anybody further out.
clock::time_point stop_until(const shutdown_operation& op, std::size_t depth) {
    const auto levels = static_cast<clock::rep>(op.levels);
    const auto here = static_cast<clock::rep>(op.levels - std::min(depth, op.levels - 1));
    return saturating_add(op.drain_until, op.stop / levels * here + op.stop % levels);
}

std::chrono::milliseconds since(clock::time_point start, const scope_state& s) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(s.context.home->now() - start);
}

// Time is over: puts the children that are still there into the report. Returns how many.
std::uint64_t give_up(scope_state& s, shutdown_operation& op) {
    s.abandon();
    const std::string path = s.path();
    std::vector<straggler> found;
    std::uint64_t abandoned = 0;
    s.runtime.registry.for_each([&](const child& c) {
        if (c.scope != &s || ++abandoned > most_stragglers) return;
        found.push_back({path, std::string(c.name()), c.spawned_at()});
    });
    const std::lock_guard lock{op.mutex};
    for (straggler& f : found) {
        if (op.report.stragglers.size() < most_stragglers)
            op.report.stragglers.push_back(std::move(f));
    }
    return abandoned;
}

task<> end_scope(scope_reference s, operation op, std::size_t depth) {
    const std::string path = s->path();  // before it leaves the tree
    // A block may have been opened after the tree was closed.
    const std::uint64_t before = std::max(s->live_when_closed(), s->counts().live);
    {
        std::vector<task<>> below;
        for (scope_reference& c : s->children())
            below.push_back(end_scope(std::move(c), op, depth + 1));
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
        ended = co_await s->ended.wait_until_shielded(stop_until(*op, depth));
        if (!ended) result.abandoned = give_up(*s, *op);
        result.stopped = after_drain - std::min(after_drain, result.abandoned);
    }
    result.ended = ended;
    result.took = since(op->began, *s);
    result.path = path;
    const std::lock_guard lock{op->mutex};
    op->report.scopes.push_back(std::move(result));
}

task<> end_tree(scope_reference top, operation op) {
    try {
        co_await end_scope(scope_reference::retain(*top), op, 0);
    } catch (const std::bad_alloc&) {
        // The report says that the tree has not ended; whoever waits for it must not wait for ever.
        const std::lock_guard lock{op->mutex};
        op->report.out_of_memory = true;
    }
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
    op->stop = std::max(limits.stop, clock::duration::zero());
    {
        const std::lock_guard lock{mutex_};
        if (shutdown_ != nullptr) return shutdown_;
        shutdown_ = op;
    }
    try {
        struct pending {
            scope_reference scope;
            std::size_t depth;
        };
        std::vector<pending> todo;
        todo.push_back({scope_reference::retain(*this), 0});
        while (!todo.empty()) {
            const pending next = std::move(todo.back());
            todo.pop_back();
            op->levels = std::max(op->levels, next.depth + 1);
            next.scope->close_for_shutdown(next.depth == 0);
            for (scope_reference& c : next.scope->children()) {
                todo.push_back({std::move(c), next.depth + 1});
            }
        }
        const bool begun = spawn_task(runtime.system(), {"shutdown", {}},
                                      end_tree(scope_reference::retain(*this), op));
        if (!begun) op->done.set();  // the executor has been shut down, and the tree with it
    } catch (...) {
        {
            const std::lock_guard lock{mutex_};
            shutdown_ = nullptr;
        }
        op->report.out_of_memory = true;
        op->done.set();
        throw;
    }
    return op;
}

void scope_state::close_for_shutdown(bool is_top) noexcept {
    live_when_closed_.store(counts().live, std::memory_order_relaxed);
    if (is_top || !is_block) close();
}

void scope_state::abandon() noexcept {
    retain();  // released by end(), if that ever comes
    facade_.store(std::launder(reinterpret_cast<task_scope*>(&view_)), std::memory_order_relaxed);
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
    detail::check_may_block();
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

bool shutdown_report::complete() const noexcept {
    return !out_of_memory && std::all_of(scopes.begin(), scopes.end(),
                                         [](const scope_shutdown& s) { return s.ended; });
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
