// scope/src/shutdown.cpp - a tree comes to its end: closed top-down, drained and stopped innermost first.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/fork_join.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <unordered_set>

namespace taskscope {

namespace detail {

/// A scope as a shutdown has found it. It may end, and leave the tree, before its turn comes.
struct ending_scope {
    scope_reference scope;
    std::string path;
    std::size_t depth;
    std::uint64_t live;  ///< children at the beginning
    std::vector<ending_scope*> below;
};

/// One shutdown of one tree, shared by everyone who waits for it.
struct shutdown_operation {
    clock::time_point began;
    clock::time_point drain_until;
    clock::duration stop;  ///< for all levels together
    async_event done;

    std::mutex mutex;                 // guards what follows; the report until done is set
    std::deque<ending_scope> scopes;  // top-down; entries stay where they are
    std::unordered_set<const scope_state*> known;
    std::size_t levels = 1;
    shutdown_report report;

    ending_scope& add(scope_reference s, ending_scope* parent);
    void add_children(ending_scope& parent);
    /// Lets go of the scopes, whose top refers to this, and wakes those who wait.
    void finish();
};

ending_scope& shutdown_operation::add(scope_reference s, ending_scope* parent) {
    const std::size_t depth = parent != nullptr ? parent->depth + 1 : 0;
    std::string path =
        parent != nullptr ? (parent->path == "/" ? "" : parent->path) + '/' + s->name : s->path();
    const std::uint64_t live = s->counts().live;
    known.insert(s.get());
    scopes.push_back({std::move(s), std::move(path), depth, live, {}});
    ending_scope& added = scopes.back();
    if (parent != nullptr) parent->below.push_back(&added);
    levels = std::max(levels, depth + 1);
    return added;
}

void shutdown_operation::add_children(ending_scope& parent) {
    for (scope_reference& c : parent.scope->children()) {
        if (!known.contains(c.get())) add(std::move(c), &parent);
    }
}

void shutdown_operation::finish() {
    {
        const std::lock_guard lock{mutex};
        known.clear();
        scopes.clear();
    }
    done.set();
}

namespace {

constexpr std::size_t most_stragglers = 1000;

using operation = std::shared_ptr<shutdown_operation>;

// Until when the members of a scope have time to stop. Every level above one that has to give up gets its share:
// otherwise one straggler would leave no time for anybody further out.
clock::time_point stop_until(shutdown_operation& op, std::size_t depth) {
    const std::lock_guard lock{op.mutex};
    const auto levels = static_cast<clock::rep>(op.levels);
    const auto here = static_cast<clock::rep>(op.levels - depth);
    return saturating_add(op.drain_until, op.stop / levels * here + op.stop % levels);
}

std::chrono::milliseconds since(clock::time_point start, const scope_state& s) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(s.context.home->now() - start);
}

// Time is over: puts the children that are still there into the report. Returns how many.
std::uint64_t give_up(scope_state& s, const std::string& path, shutdown_operation& op) {
    s.abandon();
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

task<> end_scope(ending_scope& e, operation op) {
    const scope_reference& s = e.scope;
    std::vector<task<>> below;
    {
        const std::lock_guard lock{op->mutex};
        op->add_children(e);  // blocks opened since
        for (ending_scope* c : e.below) below.push_back(end_scope(*c, op));
    }
    const std::uint64_t before = std::max(e.live, s->counts().live);
    auto all = fork_join(std::move(below));
    co_await std::move(all);

    s->want_join();
    scope_shutdown result;
    bool ended = co_await s->ended.wait_until_shielded(op->drain_until);
    const std::uint64_t after_drain = ended ? 0 : s->counts().live;
    result.drained = before - std::min(before, after_drain);
    if (!ended) {
        s->stop.request_stop();
        ended = co_await s->ended.wait_until_shielded(stop_until(*op, e.depth));
        if (!ended) result.abandoned = give_up(*s, e.path, *op);
        result.stopped = after_drain - std::min(after_drain, result.abandoned);
    }
    result.ended = ended;
    result.took = since(op->began, *s);
    result.path = std::move(e.path);
    const std::lock_guard lock{op->mutex};
    op->report.scopes.push_back(std::move(result));
}

task<> end_tree(operation op) {
    try {
        co_await end_scope(op->scopes.front(), op);
    } catch (const std::bad_alloc&) {
        // The report says that the tree has not ended; whoever waits for it must not wait for ever.
        const std::lock_guard lock{op->mutex};
        op->report.out_of_memory = true;
    }
    {
        const std::lock_guard lock{op->mutex};
        op->report.took = since(op->began, *op->scopes.front().scope);
    }
    op->finish();
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
        // All of it is found before the first scope is closed: that may already end some.
        op->add(scope_reference::retain(*this), nullptr);
        for (std::size_t i = 0; i < op->scopes.size(); ++i) op->add_children(op->scopes[i]);
        for (std::size_t i = 0; i < op->scopes.size(); ++i) {
            ending_scope& e = op->scopes[i];
            if (i == 0 || !e.scope->is_block) e.scope->close();
            op->add_children(e);  // those opened since
        }
        const bool begun = launch(prepare_task(runtime.system(), {"shutdown", {}}, end_tree(op)));
        if (!begun) op->finish();  // the executor has been shut down, and the tree with it
    } catch (...) {
        {
            const std::lock_guard lock{mutex_};
            shutdown_ = nullptr;
        }
        op->report.out_of_memory = true;
        op->finish();
        throw;
    }
    return op;
}

void scope_state::abandon() noexcept {
    facade_.store(std::launder(reinterpret_cast<task_scope*>(&view_)), std::memory_order_relaxed);
    word_.fetch_or(abandoned,
                   std::memory_order_relaxed);  // read by the destructor of the task_scope alone
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
