// scope/src/shutdown.cpp - a tree comes to its end: closed top-down, drained and stopped innermost first.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"
#include "suspensions.hpp"

#include <taskscope/deadline.hpp>
#include <taskscope/fork_join.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace taskscope {

namespace detail {

/// A scope as a shutdown has found it. It may end, and leave the tree, before its turn comes.
struct ending_scope {
    ending_scope(scope_reference s, std::string p)
        : scope(std::move(s)), path(std::move(p)), live(scope->counts().live) {}

    scope_reference scope;
    std::string path;
    std::uint64_t live;  ///< children at the beginning
    std::vector<ending_scope*> below;
    std::vector<ending_scope*> first;  ///< siblings that have to be over before
    std::size_t turn = 0;              ///< how many of them come one after the other
    bool placed = false;               ///< `turn` is known
    async_event over;

    /// Levels of scopes, this one's included.
    std::size_t height() const {
        std::size_t highest = 0;
        for (const ending_scope* c : below) highest = std::max(highest, c->height());
        return highest + 1;
    }
    /// Turns among those below.
    std::size_t turns() const {
        std::size_t last = 0;
        for (const ending_scope* c : below) last = std::max(last, c->turn);
        return last + 1;
    }
};

struct ending_wait;

/// One shutdown of one tree, shared by everyone who waits for it.
struct shutdown_operation {
    clock::time_point began;
    shutdown_order order = shutdown_order::concurrent;
    async_event done;

    std::mutex mutex;  // guards what follows; the report until done is set
    clock::time_point drain_until;
    clock::time_point stop_until;     // for all scopes together
    std::deque<ending_scope> scopes;  // top-down; entries stay where they are
    std::unordered_set<const scope_state*> known;
    std::unordered_set<ending_wait*> waits;
    shutdown_report report;

    ending_scope& add(scope_reference s, ending_scope* parent);
    void add_children(ending_scope& parent);
    void put_in_order(ending_scope& parent);
    /// Ends it sooner, if that is what the times mean.
    void hurry(clock::time_point drain, clock::time_point stop);
    /// Lets go of the scopes, whose top refers to this, and wakes those who wait.
    void finish();
};

namespace {

using operation = std::shared_ptr<shutdown_operation>;

/// The time a scope and those below it have: a part of the whole time to stop, from 0 to 1; and, if a scope on the way
/// has limits of its own, no more than these.
struct share {
    double from = 0;
    double to = 1;
    clock::time_point drain_until = clock::time_point::max();
    clock::time_point stop_until = clock::time_point::max();
};

clock::time_point between(clock::time_point from, clock::time_point to, double part) {
    if (part >= 1 || to == clock::time_point::max()) return to;
    using real = std::chrono::duration<double, clock::period>;
    return from + std::chrono::duration_cast<clock::duration>(real(to - from) * part);
}

}  // namespace

/// Until when one scope is waited for. Both times come sooner when the shutdown is hurried.
struct ending_wait {
    /// `part` of the time to stop; 0: the time to drain.
    ending_wait(operation o, double p, clock::time_point own)
        : op(std::move(o)), part(p), latest(own) {
        const std::lock_guard lock{op->mutex};
        op->waits.insert(this);
        limit.move_to(time());
    }
    ending_wait(const ending_wait&) = delete;
    ending_wait& operator=(const ending_wait&) = delete;
    ~ending_wait() {
        const std::lock_guard lock{op->mutex};
        op->waits.erase(this);
    }

    /// With the operation's mutex.
    clock::time_point time() const {
        return std::min(latest, between(op->drain_until, op->stop_until, part));
    }

    const operation op;
    const double part;
    const clock::time_point latest;
    deadline limit;
};

ending_scope& shutdown_operation::add(scope_reference s, ending_scope* parent) {
    std::string path =
        parent != nullptr ? (parent->path == "/" ? "" : parent->path) + '/' + s->name : s->path();
    known.insert(s.get());
    ending_scope& added = scopes.emplace_back(std::move(s), std::move(path));
    if (parent != nullptr) parent->below.push_back(&added);
    return added;
}

void shutdown_operation::add_children(ending_scope& parent) {
    for (scope_reference& c : parent.scope->children()) {
        if (!known.contains(c.get())) add(std::move(c), &parent);
    }
}

// Who has to be over before whom among the scopes below one.
void shutdown_operation::put_in_order(ending_scope& parent) {
    std::unordered_map<const scope_state*, ending_scope*> here;
    for (ending_scope* c : parent.below) here.emplace(c->scope.get(), c);
    for (ending_scope* c : parent.below) {
        for (const scope_reference& n : c->scope->needs()) {
            if (const auto found = here.find(n.get()); found != here.end())
                found->second->first.push_back(c);
        }
    }
    ending_scope* last = nullptr;
    std::vector<ending_scope*> left = parent.below;  // the newest at the end
    while (!left.empty()) {
        // There is one: dependencies have no cycles.
        const auto next = std::find_if(left.rbegin(), left.rend(), [](const ending_scope* c) {
            return std::all_of(c->first.begin(), c->first.end(),
                               [](const ending_scope* f) { return f->placed; });
        });
        ending_scope& c = **next;
        left.erase(std::next(next).base());
        if (order == shutdown_order::newest_first && last != nullptr) c.first.push_back(last);
        for (const ending_scope* f : c.first) c.turn = std::max(c.turn, f->turn + 1);
        c.placed = true;
        last = &c;
    }
}

void shutdown_operation::hurry(clock::time_point drain, clock::time_point stop) {
    const std::lock_guard lock{mutex};
    drain_until = std::min(drain_until, drain);
    stop_until = std::min(stop_until, stop);
    for (ending_wait* w : waits) w->limit.move_to(w->time());
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
        straggler& info = found.emplace_back();
        info.scope_path = path;
        info.name = c.name();
        info.spawned_at = c.spawned_at();
        describe_suspension(c, info);
    });
    const std::lock_guard lock{op.mutex};
    for (straggler& f : found) {
        if (op.report.stragglers.size() < most_stragglers)
            op.report.stragglers.push_back(std::move(f));
    }
    return abandoned;
}

task<> wait(async_event& e) { co_await e.wait(); }

// Whether `s` ends within a part of the time to stop, or, with 0, of the time to drain.
task<bool> ends_within(const scope_state& s, async_event& ended, operation op, double part,
                       clock::time_point own) {
    ending_wait until(std::move(op), part, own);
    auto waiting = settle_by(until.limit, wait(ended));
    (void)co_await std::move(waiting);
    co_return s.has_ended();
}

struct set_at_end {
    explicit set_at_end(async_event& e) noexcept : event(e) {}
    set_at_end(const set_at_end&) = delete;
    set_at_end& operator=(const set_at_end&) = delete;
    ~set_at_end() { event.set(); }
    async_event& event;
};

task<> end_scope(ending_scope& e, operation op, share time) {
    const set_at_end over(e.over);
    for (ending_scope* f : e.first) co_await f->over.wait_shielded();

    const scope_reference& s = e.scope;
    if (const std::optional<shutdown_limits> own = s->limits) {
        time.drain_until =
            std::min(time.drain_until, saturating_add(s->context.home->now(), own->drain));
        time.stop_until = std::min(time.stop_until, saturating_add(time.drain_until, own->stop));
    }
    std::vector<task<>> below;
    {
        const std::lock_guard lock{op->mutex};
        op->add_children(e);  // blocks opened since
        op->put_in_order(e);
        const double whole = time.to - time.from;
        const double ours = whole / static_cast<double>(e.height());
        const double turn = (whole - ours) / static_cast<double>(e.turns());
        for (ending_scope* c : e.below) {
            share part = time;
            part.from += turn * static_cast<double>(c->turn);
            part.to = part.from + turn;
            part.stop_until =
                between(time.drain_until, time.stop_until, (part.to - time.from) / whole);
            below.push_back(end_scope(*c, op, part));
        }
    }
    const std::uint64_t before = std::max(e.live, s->counts().live);
    auto all = fork_join(std::move(below));
    co_await std::move(all);

    s->want_join();
    scope_shutdown result;
    bool ended = co_await ends_within(*s, s->ended, op, 0, time.drain_until);
    const std::uint64_t after_drain = ended ? 0 : s->counts().live;
    result.drained = before - std::min(before, after_drain);
    if (!ended) {
        s->request_stop(stop_kind::shutdown, {});
        ended = co_await ends_within(*s, s->ended, op, time.to, time.stop_until);
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
        co_await end_scope(op->scopes.front(), op, {});
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

operation scope_state::begin_shutdown(const shutdown_limits& whole) {
    auto op = std::make_shared<shutdown_operation>();
    op->began = context.home->now();
    op->order = whole.order;
    op->drain_until = saturating_add(op->began, std::max(whole.drain, clock::duration::zero()));
    op->stop_until = saturating_add(op->drain_until, std::max(whole.stop, clock::duration::zero()));
    operation running;
    {
        const std::lock_guard lock{mutex_};
        running = shutdown_;
        if (running == nullptr) shutdown_ = op;
    }
    if (running != nullptr) {
        running->hurry(op->drain_until, op->stop_until);
        return running;
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
        scope_state& system = runtime.system();
        const bool begun = launch(system, prepare_task(system, {"shutdown", {}}, end_tree(op)));
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
               std::to_string(s.spawned_at.line()) + detail::suspension_text(s) + '\n';
    }
    return out;
}

}  // namespace taskscope
