// tests/model/checker/runtime.cpp - threads as fibers, and who goes on.
// SPDX-License-Identifier: MIT
#include "runtime.hpp"

#include <cxxabi.h>
#include <sys/single_threaded.h>
#include <ucontext.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace model {
namespace {

runtime* the_runtime = nullptr;  // while it explores
bool in_program = false;         // the program runs, and not the checker

// Mapped once, and used by one runtime after the other. Never destroyed: `delete` asks it.
shadow* mapped = nullptr;

shadow& the_shadow() {
    if (mapped == nullptr) mapped = new shadow;
    return *mapped;
}

ucontext_t builder_context;
runtime* builder_runtime = nullptr;

}  // namespace

not_modelled::not_modelled() noexcept : before_(in_program) { in_program = false; }
not_modelled::~not_modelled() { in_program = before_; }

runtime* runtime::running() noexcept { return in_program ? the_runtime : nullptr; }

bool runtime::owns(const void* block) noexcept { return mapped != nullptr && mapped->owns(block); }

std::vector<void**>& runtime::thread_locals() {
    static std::vector<void**> all;
    return all;
}

runtime::runtime(const options& o, const std::function<void()>& body)
    : options_(o),
      body_(body),
      search_(options_),
      memory_([this](unsigned n) { return search_.choose(n); }, o.stale_reads, o.outdated),
      shadow_(the_shadow()) {}

// Runs.

result runtime::explore() {
    the_runtime = this;
    __libc_single_threaded = 0;  // the library takes shortcuts otherwise
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
        run_once();
        if (ending_ == ending::failed) break;
        ending_ == ending::pruned ? ++result_.pruned : ++result_.runs;
        if (more_shared_ && options_.how == mode::exhaustive) {
            more_shared_ = false;
            search_.restart();
            continue;
        }
        if (!search_.next_run()) {
            result_.complete = true;
            break;
        }
        const std::uint64_t seen = result_.runs + result_.pruned;
        if (seen >= options_.runs) break;
        if (options_.limit.count() != 0 && seen % 256 == 0 &&
            std::chrono::steady_clock::now() - start >= options_.limit) {
            result_.cut_off = true;
            break;
        }
    }
    the_runtime = nullptr;
    if (ending_ == ending::failed) {
        result_.failed = true;
        result_.what = what_;
        std::vector<std::string> names;
        for (unsigned i = 0; i < count_; ++i) names.push_back(threads_[i].name);
        result_.report = what_ + "\n\n" + table(steps_, names);
        if (options_.how != mode::exhaustive) {
            result_.report += "\nseed " + std::to_string(search_.seed());
        }
        result_.report += "\nto see this run again: TASKSCOPE_MODEL_PATH=" + search_.path() + "\n";
    }
    return result_;
}

void runtime::run_once() {
    begin_run();
    if (setjmp(host_) == 0) {
        start(0);
        current_ = 0;
        for (std::size_t i = 0; i < thread_locals().size(); ++i) *thread_locals()[i] = nullptr;
        std::longjmp(threads_[0].place, 1);
    }
    in_program = false;
}

void runtime::begin_run() {
    search_.begin_run();
    memory_.begin_run();
    shadow_.begin_run();
    mutexes_.clear();
    steps_.clear();
    for (fiber& f : threads_) f.at = state::unused;
    count_ = 1;
    current_ = 0;
    preemptions_ = spurious_ = 0;
    clock_ = 1'000'000'000;
    ending_ = ending::none;
    what_.clear();
    std::fill_n(reinterpret_cast<void**>(abi::__cxa_get_globals()), 2, nullptr);
    if (options_.how == mode::pct) {
        change_points_.clear();
        for (unsigned i = 0; i < options_.preemptions; ++i)
            change_points_.push_back(search_.random(400));
    }
}

void runtime::leave(ending e) {
    ending_ = e;
    std::longjmp(host_, 1);
}

void runtime::fail(const std::string& what) {
    in_program = false;
    what_ = what;
    leave(ending::failed);
}

// Fibers. Each is built once; where its first function begins is remembered, and every run starts there.

void runtime::trampoline() {
    runtime& r = *builder_runtime;
    // The fiber may belong to a later runtime by the time it is started.
    fiber& f = r.threads_[r.current_];
    if (setjmp(f.start) == 0) ::setcontext(&builder_context);
    the_runtime->main_of_thread();
}

void runtime::build(unsigned thread) {
    fiber& f = threads_[thread];
    if (f.built) return;
    f.built = true;
    volatile bool back = false;
    ucontext_t context;
    ::getcontext(&context);
    context.uc_stack.ss_sp = shadow_.stack(thread);
    context.uc_stack.ss_size = shadow::stack_bytes;
    context.uc_link = nullptr;
    ::makecontext(&context, &runtime::trampoline, 0);
    builder_runtime = this;
    const unsigned before = current_;
    current_ = thread;
    ::getcontext(&builder_context);
    if (!back) {
        back = true;
        ::setcontext(&context);
    }
    current_ = before;
}

void runtime::start(unsigned thread) {
    build(thread);
    fiber& f = threads_[thread];
    f.at = state::ready;
    f.asleep = f.yielded = f.woken = f.detached = false;
    f.next = op::none;
    f.address = 0;
    f.wakes_at = -1;
    f.at_end.clear();
    f.exceptions = {};
    f.locals.assign(thread_locals().size(), nullptr);
    f.name = thread == 0 ? "main" : "thread " + std::to_string(thread);
    f.priority = options_.how == mode::pct ? 1000 + search_.random(1000) : 0;
    std::copy_n(reinterpret_cast<const char*>(&f.start), sizeof(f.start),
                reinterpret_cast<char*>(&f.place));
}

void runtime::switch_to(unsigned thread) {
    if (thread == current_) return;
    fiber& from = threads_[current_];
    fiber& to = threads_[thread];
    auto* exceptions = reinterpret_cast<void**>(abi::__cxa_get_globals());
    std::copy_n(exceptions, 2, from.exceptions.begin());
    std::copy_n(to.exceptions.begin(), 2, exceptions);
    std::vector<void**>& locals = thread_locals();
    for (std::size_t i = 0; i < locals.size(); ++i) {
        from.locals[i] = *locals[i];
        *locals[i] = to.locals[i];
    }
    current_ = thread;
    if (setjmp(from.place) == 0) std::longjmp(to.place, 1);
}

void runtime::main_of_thread() {
    fiber& f = threads_[current_];
    if (current_ == 0) {
        in_program = true;
        body_();
        in_program = false;
        check_end();
        leave(ending::finished);
    }
    in_program = true;
    f.returned = f.function(f.argument);
    in_program = false;
    before(op::exit, current_, order::relaxed, false);
    note(op::exit, 0, order::relaxed, 0, 0, nullptr);
    memory_.release_to(current_, f.at_end);
    f.at = state::finished;
    schedule(false);
    std::abort();  // a finished thread does not go on
}

void runtime::check_end() {
    for (unsigned i = 1; i < count_; ++i) {
        if (threads_[i].at != state::finished) fail("the program ended before " + threads_[i].name);
    }
    if (shadow_.live_blocks() != 0) {
        fail(std::to_string(shadow_.live_blocks()) + " blocks leaked, one of " +
             std::to_string(shadow_.a_live_size()) + " bytes");
    }
}

// The scheduler.

bool runtime::enabled(const fiber& f) const {
    if (f.at != state::ready) return false;
    switch (f.next) {
        case op::lock: {
            const auto m = mutexes_.find(f.address);
            return m == mutexes_.end() || m->second.owner < 0 ||
                   m->second.owner == static_cast<int>(&f - threads_.data());
        }
        case op::join:
            return threads_[f.address].at == state::finished;
        case op::futex_sleep:
            return f.woken;
        default:
            return true;
    }
}

// Whether others can tell when it is done.
bool runtime::can_be_shared(op kind) {
    switch (kind) {
        case op::fence:
        case op::light_fence:
        case op::heavy_fence:
        case op::advance:
        case op::load:
        case op::store:
        case op::update:
        case op::compare:
        case op::lock:
        case op::futex_wait:
        case op::futex_wake:
            return true;
        default:
            return false;
    }
}

bool runtime::shared(op kind, std::uintptr_t address) {
    if (options_.how != mode::exhaustive || address == 0 || kind == op::advance) return true;
    if (shared_.contains(address)) return true;
    std::uint8_t& by = touched_by_[address];
    by |= static_cast<std::uint8_t>(1U << current_);
    if ((by & (by - 1)) == 0) return false;
    shared_.insert(address);
    more_shared_ = true;
    return true;
}

bool runtime::depends(const fiber& f, op kind, std::uintptr_t address, order how) const {
    const auto is_memory = [](op k) {
        return k == op::load || k == op::store || k == op::update || k == op::compare;
    };
    const auto is_futex = [](op k) { return k == op::futex_wait || k == op::futex_wake; };
    const auto is_full = [](op k, order o) {
        return k == op::heavy_fence || (k == op::fence && o == order::seq_cst);
    };
    const bool sc = how == order::seq_cst;
    const bool f_sc = f.how == order::seq_cst;
    if (kind == op::advance || f.next == op::advance) return true;
    if (is_memory(kind) && is_memory(f.next)) {
        return address == f.address && (kind != op::load || f.next != op::load || (sc && f_sc));
    }
    if (is_full(kind, how) && is_full(f.next, f.how)) return true;
    if (is_full(kind, how) && is_memory(f.next)) return f_sc;
    if (is_full(f.next, f.how) && is_memory(kind)) return sc;
    if (kind == op::heavy_fence) return f.next == op::light_fence;
    if (f.next == op::heavy_fence) return kind == op::light_fence;
    const bool same = address == f.address;
    if (is_futex(kind) && (is_futex(f.next) || is_memory(f.next))) return same;
    if (is_futex(f.next) && is_memory(kind)) return same;
    if (f.next == op::lock) return same && (kind == op::lock || kind == op::unlock);
    return false;
}

// When nobody can go on, the earliest limit of a timed wait is over.
bool runtime::time_passes() {
    fiber* first = nullptr;
    for (unsigned i = 0; i < count_; ++i) {
        fiber& f = threads_[i];
        if (f.at != state::ready || f.next != op::futex_sleep || f.wakes_at < 0) continue;
        if (first == nullptr || f.wakes_at < first->wakes_at) first = &f;
    }
    if (first == nullptr) return false;
    clock_ = std::max(clock_, first->wakes_at);
    first->woken = true;
    return true;
}

// Of candidates_, which are not empty.
unsigned runtime::pick() {
    if (options_.how != mode::pct) return search_.choose_thread(candidates_);
    const auto at = std::find(change_points_.begin(), change_points_.end(), steps_.size());
    if (at != change_points_.end()) {
        threads_[current_].priority = static_cast<std::uint32_t>(at - change_points_.begin());
    }
    const unsigned next = *std::max_element(
        candidates_.begin(), candidates_.end(),
        [this](unsigned a, unsigned b) { return threads_[a].priority < threads_[b].priority; });
    search_.goes_on(next);
    return next;
}

void runtime::schedule(bool may_preempt) {
    for (;;) {
        fiber& me = threads_[current_];
        const bool go_on = enabled(me) && !me.yielded;
        if (go_on && !may_preempt) return;
        // Who yields lets those go first that have not yielded themselves.
        const auto is_polite = [this](const fiber& f) { return f.yielded || !enabled(f); };
        if (std::all_of(threads_.begin(), threads_.begin() + count_, is_polite)) {
            for (fiber& f : threads_) f.yielded = &f == &me && me.yielded;
        }
        candidates_.clear();
        if (go_on) candidates_.push_back(current_);
        bool somebody_sleeps = false;
        const bool others =
            !go_on || preemptions_ < options_.preemptions || options_.how != mode::exhaustive;
        for (unsigned i = 0; i < count_ && others; ++i) {
            if (i == current_ || !enabled(threads_[i])) continue;
            if (me.yielded && threads_[i].yielded) continue;
            if (threads_[i].asleep) {
                somebody_sleeps = true;
            } else {
                candidates_.push_back(i);
            }
        }
        if (candidates_.empty()) {
            if (somebody_sleeps) leave(ending::pruned);
            if (me.yielded && enabled(me)) {
                me.yielded = false;
                return;
            }
            if (time_passes()) continue;
            std::string what = "deadlock:";
            for (unsigned i = 0; i < count_; ++i) {
                const fiber& f = threads_[i];
                if (f.at != state::ready) continue;
                what += ' ' + f.name +
                        (f.next == op::lock   ? " waits for a mutex;"
                         : f.next == op::join ? " joins a thread;"
                                              : " sleeps on a futex;");
            }
            fail(what);
        }
        const unsigned next = pick();
        if (next == current_) return;
        if (go_on) {
            ++preemptions_;
            if (options_.how == mode::exhaustive) me.asleep = true;
        }
        threads_[next].yielded = false;
        switch_to(next);
        return;
    }
}

void runtime::before(op kind, std::uintptr_t address, order how, bool free_choice) {
    if (steps_.size() >= options_.steps) fail("livelock: the program does not come to an end");
    fiber& me = threads_[current_];
    me.next = kind;
    me.how = how;
    me.address = address;
    if (free_choice && can_be_shared(kind) && !shared(kind, address) && enabled(me)) {
        search_.goes_on(current_);
    } else {
        schedule(free_choice && can_be_shared(kind));
    }
    me.next = op::none;
    for (unsigned i = 0; i < count_; ++i) {
        if (threads_[i].asleep && depends(threads_[i], kind, address, how))
            threads_[i].asleep = false;
    }
    me.asleep = false;
}

void runtime::note(op kind, std::uintptr_t address, order how, std::uint64_t value,
                   std::uint64_t result, const void* where, bool stale, bool failed) {
    steps_.push_back({static_cast<std::uint8_t>(current_), kind, how, stale, failed, value, result,
                      address, where});
}

}  // namespace model
