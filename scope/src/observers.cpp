// scope/src/observers.cpp - who is told what, and what becomes of those who throw.
// SPDX-License-Identifier: MIT
#include "observers.hpp"

#include "scope_runtime.hpp"

#include <taskscope/error_context.hpp>
#include <taskscope/errors.hpp>

#include <new>
#include <utility>

namespace taskscope {

using detail::observed_extras;

child_id observed_child::id() const noexcept { return child_->observed().id; }
child_id observed_child::spawner() const noexcept { return child_->observed().spawner; }
std::string_view observed_child::name() const noexcept { return child_->name(); }
std::source_location observed_child::spawned_at() const noexcept { return child_->spawned_at(); }
task_scope& observed_child::scope() const noexcept { return child_->scope->facade(); }
executor& observed_child::get_executor() const noexcept { return *child_->scope->context.home; }

void observed_child::check_spawning() const {
    if (stop_ == nullptr) {
        throw misuse_error(
            "taskscope: emplace_slot() and own_stop() are for child_spawned(): later others may be "
            "looking at "
            "the child");
    }
}

std::shared_ptr<stop_source> observed_child::own_stop() {
    check_spawning();
    auto& stop = child_->observed().stop;
    if (stop == nullptr) stop = std::make_shared<stop_source>(*stop_);
    return stop;
}

observation::observation(observation&& other) noexcept
    : all_(std::move(other.all_)), number_(other.number_) {}

observation& observation::operator=(observation&& other) noexcept {
    std::swap(all_, other.all_);
    std::swap(number_, other.number_);
    return *this;
}

observation::~observation() { remove(); }

void observation::remove() noexcept {
    if (const auto all = std::move(all_)) all->remove(number_);
}

observation observe(executor& home, std::shared_ptr<observer> who, std::source_location where) {
    observation o;
    const auto& all = detail::extension_of<detail::scope_runtime>(home).all_observers;
    o.number_ = all->add(std::move(who), where);
    o.all_ = all;
    return o;
}

namespace detail {

observed_extras& child::observed() noexcept { return static_cast<observed_extras&>(*site_.extras); }

observed_extras* child::become_observed() noexcept {
    try {
        auto fresh = std::make_unique<observed_extras>(std::move(extras()));
        delete std::exchange(site_.extras, fresh.get());
        is_observed_ = true;
        return fresh.release();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void child::free_observed() noexcept { delete &observed(); }

observers::observers(scope_runtime& r)
    : runtime_(&r), list_(executor_access::core(r.home), r.home.workers()) {}

std::uint64_t observers::add(std::shared_ptr<observer> who, std::source_location where) {
    auto entry = std::make_unique<observer_entry>(std::move(who), where);
    const std::lock_guard lock{mutex_};
    // Workers look at us before it is in the list, and as long as it is: if it is told that a child was spawned it is told
    // of its beginning.
    if (runtime_ != nullptr) set_watcher(runtime_->home, this);
    const std::uint64_t number = list_.add(std::move(entry));
    // relaxed, also below: whoever sees it finds the list by an edge of its own.
    if (runtime_ != nullptr) runtime_->observed.store(true, std::memory_order_relaxed);
    return number;
}

void observers::remove(std::uint64_t number) noexcept {
    list_.remove(number);
    rest();
}

void observers::rest() noexcept {
    const std::lock_guard lock{mutex_};
    if (runtime_ == nullptr || !list_.is_empty()) return;
    runtime_->observed.store(false, std::memory_order_relaxed);
    set_watcher(runtime_->home, nullptr);
}

void observers::leave_runtime() noexcept {
    const std::lock_guard lock{mutex_};
    runtime_ = nullptr;
}

template <class F>
void observers::tell(F f) noexcept {
    list_.for_each([&](observer_entry& e, std::uint64_t* entered) {
        try {
            if (entered != nullptr && *entered < e.number) {
                *entered = e.number;
                e.who->worker_started(this_worker()->index);
            }
            f(e);
        } catch (...) {
            failed(e);
        }
    });
}

// Those who know of it: `f(observer&, observed_child&)`.
template <class F>
void observers::tell_of(child& c, F f) noexcept {
    auto& slots = c.observed().slots;
    auto next = slots.begin();
    tell([&](const observer_entry& e) {
        while (next != slots.end() && next->number < e.number) ++next;
        if (next == slots.end() || next->number != e.number) return;
        observed_child view(c, next->own);
        f(*e.who, view);
    });
}

void observers::failed(const observer_entry& e) noexcept {
    const std::exception_ptr thrown = std::current_exception();
    // One that has been removed, or has failed elsewhere, is not heard any more.
    if (!list_.remove(e.number)) return;
    rest();
    runtime_->root_state().tell_unhandled({thrown, runtime_->root(), "/", "observer", e.at});
}

task_context& observers::spawned(child& c, task_context& context) noexcept {
    static constinit atomic<child_id> ids{0};
    observed_extras* const x = c.become_observed();
    if (x == nullptr) return context;
    // The record may have had a context in extras that have moved.
    task_context& usual = x->context.home != nullptr ? x->context : context;
    x->id = ids.fetch_add(1, std::memory_order_relaxed) + 1;
    observed_extras* spawner = nullptr;
    if (const worker* w = this_worker(); w != nullptr && w->child != nullptr) {
        spawner = &static_cast<child*>(w->child)->observed();
        x->spawner = spawner->id;
    }
    tell([&](const observer_entry& e) {
        x->slots.push_back({e.number, {}});
        observed_child view(c, x->slots.back().own);
        view.stop_ = &usual.stop;
        if (spawner != nullptr) {
            for (const auto& s : spawner->slots) {
                if (s.number == e.number) view.spawners_ = &s.own;
            }
        }
        e.who->child_spawned(view);
    });
    if (x->stop == nullptr) return usual;
    if (&usual != &x->context) x->context = usual;
    x->context.stop = x->stop->token();
    return x->context;
}

void observers::completed(child& c, outcome how, const std::exception_ptr* error) noexcept {
    observed_extras& x = c.observed();
    worker& w = *this_worker();
    end_watch(w);
    if (x.stop != nullptr) x.stop->detach();
    child_end end{completion_kind::value, nullptr, w.index};
    if (how == outcome::stopped) end.how = completion_kind::stopped;
    if (how == outcome::error) {
        end.how = completion_kind::error;
        end.error = *error;
    }
    tell_of(c, [&](observer& o, observed_child& view) { o.child_completed(view, end); });
    x.slots.clear();
}

void observers::opened(scope_state& s) noexcept {
    tell([&](const observer_entry& e) { e.who->scope_opened(s.facade()); });
}

void observers::ended(scope_state& s) noexcept {
    tell([&](const observer_entry& e) { e.who->scope_ended(s.facade()); });
}

watched& observers::record(traced_receiver& r) noexcept { return static_cast<child_of_task&>(r); }

bool observers::takes_up(worker& w, watched& c, bool runs) noexcept {
    auto& taken_up = static_cast<child&>(c);
    if (!taken_up.is_observed()) return false;
    observed_extras& x = taken_up.observed();
    if (!x.started && !runs) return false;  // it never begins
    if (!x.started) {                       // which is written before there can be branches
        x.started = true;
        tell_of(taken_up,
                [&](observer& o, observed_child& view) { o.child_started(view, w.index); });
    } else {
        tell_of(taken_up,
                [&](observer& o, observed_child& view) { o.child_resumed(view, w.index); });
    }
    return true;
}

void observers::lets_go(worker& w, watched& c, std::source_location at) noexcept {
    tell_of(static_cast<child&>(c),
            [&](observer& o, observed_child& view) { o.child_suspended(view, w.index, at); });
}

void observers::thread_ends(worker& w) noexcept {
    list_.for_each([&](observer_entry& e, const std::uint64_t* entered) {
        if (*entered < e.number) return;
        try {
            e.who->worker_ended(w.index);
        } catch (...) {
            failed(e);
        }
    });
}

}  // namespace detail
}  // namespace taskscope
