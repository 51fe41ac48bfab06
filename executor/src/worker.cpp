// executor/src/worker.cpp - a worker's loop: run a job, find the next, search, sleep.
// SPDX-License-Identifier: MIT
#include "executor_core.hpp"
#include "job_batch.hpp"

#include <taskscope/detail/pause.hpp>
#include <taskscope/detail/watcher.hpp>

#include <algorithm>

namespace taskscope::detail {

constinit thread_local worker* current_worker [[gnu::tls_model("initial-exec")]] = nullptr;

namespace {

// Every so many jobs a worker looks where it would otherwise look last: at injected jobs, timers, I/O, and
// the oldest end of its own deque. 61 as in Go and tokio: prime, so that it meets no period of the program.
constexpr std::uint32_t fairness_interval = 61;

// Every so many rounds of a search a worker looks at timers and I/O: never in those that are usual. From nowhere.
constexpr unsigned poll_interval = 100;

// A thief that took fewer jobs than it may waits, 1.6 us on Zen 4, before it steals again. Whoever makes them would be slowed
// down by it more than it helps. And if the owner takes its one job back so often meanwhile that it is better off alone, the
// thief leaves it alone, and looks again and again: eight times after such a wait, eight after twice that, eight after four
// times that (docs/decisions/0017).
constexpr unsigned pauses_after_little = shrinkable(64U, 0U);
constexpr std::uint64_t takings_while_pausing = shrinkable<std::uint64_t>(8, 1);
constexpr unsigned looks_of_one_length = shrinkable(8U, 1U);
constexpr unsigned most_looks = shrinkable(24U, 1U);
constexpr unsigned pauses_between_glances = shrinkable(8U, 0U);
constexpr unsigned most_glances = shrinkable(8U, 1U);

// The reactor never sleeps longer: kernels have lost the wake-up of an edge-triggered eventfd before.
constexpr auto longest_reactor_wait = hiding_limit(std::chrono::milliseconds(500));

// xorshift: who to steal from first.
std::uint32_t next_random(std::uint32_t& state) noexcept {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

bool is_pending(const job& j) noexcept {
    return j.kind != job_kind::coroutine ||
           static_cast<const promise_base&>(j).result == outcome::pending;
}

void pause_for(unsigned n) noexcept {
    for (unsigned i = 0; i < n; ++i) pause_processor();
}

}  // namespace

void worker::wake_for_push() noexcept {
    if (core->manual || polling) return;
    full_fence();  // edge idle.search: the push comes before the look at the searchers
    if (core->idle.should_wake()) core->idle.wake_one();
}

void worker::hand_over(job& j) noexcept { core->inject(j); }

void worker::overflow(job& j) noexcept {
    // Not where the oldest must come first.
    job_batch* const batch = core->manual ? nullptr : job_batch::take_from(queue);
    // There is room now; and if this worker takes it back, for what is in it.
    if (batch != nullptr) push(*batch);
    if (!push_to(queue, j)) hand_over(j);
}

job* worker::take_next() noexcept {
    if (core->manual || (tick + 1) % fairness_interval == 0 || !forks.looks_empty()) return nullptr;
    job* const j = queue.pop();
    if (j == nullptr) return nullptr;
    tsan_acquire(j);
    ++tick;
    return j;
}

void worker::put_back(job& j) noexcept {
    --tick;
    push(j);
}

std::uint64_t called_of(executor& home, const void* group) noexcept {
    std::uint64_t n = 0;
    for (const auto& w : executor_access::core(home).workers) {
        if (w->called.group.load(std::memory_order_relaxed) == group)
            n += w->called.count.load(std::memory_order_relaxed);
    }
    return n;
}

void executor_core::run_worker(worker& w) noexcept {
    current_worker = &w;
    for (;;) {
        job* j = find(w);
        if (j == nullptr) j = search(w);
        // edge executor.exit, acquire half (release half: the store in join_threads()). What was handed in
        // before may have come after our search.
        const bool exiting = j == nullptr && exiting_.load(std::memory_order_acquire);
        if (exiting) j = find(w);
        if (j != nullptr) {
            leave_idling(w);
            run(w, j);
        } else if (exiting) {
            break;  // nothing anywhere: whoever pushes from now on runs it before it ends
        } else {
            sleep(w);
        }
    }
    watched_thread_ends(w);
    current_worker = nullptr;
}

void executor_core::run(worker& w, job* j) noexcept {
    tsan_acquire(j);
    worker_counters::add(w.counters.jobs, j->kind != job_kind::batch ? 1 : 0);
    for (std::uint32_t chained = 1;; ++chained) {
        j = step(w, *j);
        if (j == nullptr) break;
        worker_counters::add(w.counters.bounces);
        // A chain of transfers without end must not keep the others waiting. What has completed is delivered
        // now: in a queue it would hold on to its memory.
        if (chained % fairness_interval == 0 && !manual && is_pending(*j)) {
            let_go(w, {});
            w.context = nullptr;  // what timers and completions call is not on behalf of this task
            poll(w);
            if (!others_wait(w)) continue;
            w.tick +=
                fairness_interval - 1 - w.tick % fairness_interval;  // find() looks around next
            inject(*j);
            break;
        }
    }
    w.context = nullptr;
}

job* executor_core::step(worker& w, job& j) noexcept {
    w.budget = transfer_budget;
    w.stack_floor = static_cast<char*>(stack_pointer()) - transfer_stack;
    w.next = nullptr;
    if (j.kind != job_kind::coroutine) [[unlikely]] {
        if (j.kind == job_kind::child) {
            auto& r = static_cast<traced_receiver&>(j);
            return r.done(r, nullptr);
        }
        auto& f = static_cast<function_job&>(j);
        f.call(f);
        return w.next;
    }
    auto& p = static_cast<promise_base&>(j);
    w.context = p.context;
    if (is_watched(w)) [[unlikely]]
        take_up(w, p);
    switch (p.result) {
        case outcome::pending:
            p.handle().resume();
            return w.next;
        case outcome::stopped:
            return unwind(p);
        case outcome::value:
        case outcome::error:
            break;
    }
    return p.recv->done(*p.recv, &p);
}

job* executor_core::find(worker& w) noexcept {
    if (++w.tick % fairness_interval == 0) {
        if (job* j = find_fairly(w)) return j;
    }
    if (job* j = w.pop()) return j;
    if (job* j = take_injected(w)) return j;
    return steal(w);
}

bool executor_core::others_wait(const worker& w) const noexcept {
    return !w.queue.looks_empty() || !injected.looks_empty();
}

job* executor_core::find_fairly(worker& w) noexcept {
    poll(w);
    // The oldest job of our own, but no branch: these come back to be run, and each that is begun out of turn is one
    // more half-done tree in memory.
    if (w.tick % (2 * fairness_interval) == 0) {
        job* oldest = nullptr;
        if (w.queue.steal({&oldest, 1}) != 0) return oldest;
    }
    // As many as if there were nothing else to do: what comes in must not wait for ever longer.
    several_jobs found;
    return keep(w, found, injected.try_pop(found, workers.size()));
}

job* executor_core::take_injected(worker& w) noexcept {
    several_jobs found;
    return keep(w, found, injected.pop(found, workers.size()));
}

job* executor_core::keep(worker& w, several_jobs& found, std::size_t n) noexcept {
    if (n == 0) return nullptr;
    // The rest goes into the deque, last one first, so that pop() finds them in order.
    while (--n != 0) {
        tsan_acquire(found[n]);
        w.push(*found[n]);
    }
    return found.front();
}

job* executor_core::steal(worker& w) noexcept {
    const std::size_t n = workers.size();
    if (n < 2) return nullptr;
    const worker* const alone = left_alone(w);
    several_jobs found;
    std::size_t victim = next_random(w.random) % n;
    for (std::size_t i = 0; i < n; ++i, victim = victim + 1 == n ? 0 : victim + 1) {
        worker& v = *workers[victim];
        if (&v == &w || &v == alone) continue;
        const theft stolen = v.steal(found);
        if (stolen.jobs == 0) continue;
        const bool little = !stolen.of_branch && stolen.jobs < deque::most_stolen;
        w.took_little_from = little ? &v : nullptr;
        worker_counters::add(w.counters.steals, stolen.jobs);
        return keep(w, found, stolen.jobs);
    }
    return nullptr;
}

// The worker that `w` must not steal from now, or nullptr. Waits first, if the last theft gave little.
const worker* executor_core::left_alone(worker& w) noexcept {
    const worker* const v = std::exchange(w.took_little_from, nullptr);
    if (v == nullptr) return nullptr;
    std::uint64_t before = v->queue.contested_takings();
    for (unsigned look = 0; look < most_looks; ++look) {
        const unsigned longer = 1U << (look / looks_of_one_length);
        pause_for(longer * pauses_after_little);
        std::size_t size = v->queue.approximate_size();
        if (v->queue.contested_takings() - before < longer * takings_while_pausing) return nullptr;
        if (!v->forks.looks_empty()) return nullptr;
        // A job that comes and goes leaves the deque empty now and then. Not so one below it, or one that waits for longer.
        for (unsigned glance = 0; size == 1 && glance < most_glances; ++glance) {
            pause_for(pauses_between_glances);
            size = v->queue.approximate_size();
        }
        if (size != 0) return nullptr;
        if (work_visible(v)) break;
        before = v->queue.contested_takings();
    }
    w.took_little_from = v;
    return v;
}

job* executor_core::search(worker& w) noexcept {
    poll(w);
    if (job* j = w.pop()) return j;
    if (!idle.try_start_search(w)) return nullptr;
    for (unsigned round = 0; round < spins; ++round) {
        pause_for(8);
        if (job* j = take_injected(w)) return j;
        if (job* j = steal(w)) return j;
        // A search may take as long as its user likes: nobody else need be there for timers and I/O.
        if ((round + 1) % poll_interval != 0) continue;
        if (exiting_.load(std::memory_order_relaxed)) break;  // is looked at again, in order
        poll(w);
        if (job* j = w.pop()) return j;
    }
    idle.stop_search(w);
    return nullptr;
}

// `w` has found a job.
void executor_core::leave_idling(worker& w) noexcept {
    if (!w.searching && !w.drove) return;
    // Pushes that saw a searcher woke nobody.
    const bool last = idle.stop_search(w);
    if ((last || w.drove) && work_visible() && idle.should_wake()) idle.wake_one();
    // If `w` used to drive its role is free, and somebody who is asleep must take it.
    if (idle.sleeping().load(std::memory_order_relaxed) != 0 &&
        (timers.size() != 0 || idle.io.load(std::memory_order_relaxed) != nullptr)) {
        idle.appoint_driver();
    }
    w.drove = false;
}

bool executor_core::work_visible(const worker* elsewhere_than) const noexcept {
    if (!injected.looks_empty()) return true;
    return std::any_of(workers.begin(), workers.end(), [elsewhere_than](const auto& w) {
        return w.get() != elsewhere_than && !w->looks_empty();
    });
}

void executor_core::sleep(worker& w) noexcept {
    const bool drives = idle.announce(w);
    w.drove = w.drove || drives;
    // edge idle.push: the announcement comes before the last look into the queues, against a push that then
    // looks at the sleepers. edge idle.search: and against one that looks at the searchers.
    heavy_barrier();
    const bool work = work_visible();
    if (!work && !exiting_.load(std::memory_order_relaxed)) {
        worker_counters::add(w.counters.sleeps);
        w.took_little_from = nullptr;  // when it wakes that is long ago
        if (drives) {
            drive(w);
        } else {
            while (w.wake_word.load(std::memory_order_relaxed) == 0) futex_wait(w.wake_word, 0);
        }
    }
    idle.retract(w);
    // Pushes may have counted on the search that came before, and woken nobody. Who has seen one and goes to
    // take it searches again, so that it looks for more when it leaves.
    if (work) idle.try_start_search(w);
}

// Waits for timers and I/O, until there is something to do or somebody wakes us.
void executor_core::drive(worker& w) noexcept {
    while (w.wake_word.load(std::memory_order_relaxed) == 0 && w.looks_empty()) {
        const clock::time_point earliest = timers.earliest();
        clock::duration left = clock::duration::max();
        if (earliest != clock::time_point::max()) {
            const clock::time_point present = now();
            if (earliest <= present) {
                w.polling = true;
                timers.fire(present);
                w.polling = false;
                continue;
            }
            left = earliest - present;
        }
        reactor* r =
            idle.io.load(std::memory_order_acquire);  // edge executor.reactor, acquire half
        if (r == nullptr) {
            futex_wait(w.wake_word, 0, left);
            // edge executor.poll, acquire half (release half: the store in poll()).
        } else if (!reactor_busy_.exchange(true, std::memory_order_acquire)) {
            // Once more: a poll() that came to its end just now may have eaten our interrupt().
            if (w.wake_word.load(std::memory_order_relaxed) == 0) {
                w.polling = true;
                r->wait(std::min<clock::duration>(left, longest_reactor_wait));
                w.polling = false;
            }
            // edge executor.poll, release half (acquire half: the exchanges).
            reactor_busy_.store(false, std::memory_order_release);
        } else {
            // A busy worker is just polling; it will be through in a moment.
            futex_wait(w.wake_word, 0, std::chrono::microseconds(50));
        }
    }
}

// Looks at timers and I/O without blocking.
void executor_core::poll(worker& w) noexcept {
    if (manual) return;
    w.polling = true;
    if (timers.size() != 0) timers.fire(now());
    reactor* r = idle.io.load(std::memory_order_acquire);  // edge executor.reactor, acquire half
    if (r != nullptr) {
        // edge executor.poll, acquire half (release half: the stores of false).
        if (!reactor_busy_.exchange(true, std::memory_order_acquire)) {
            r->poll();
            reactor_busy_.store(false,
                                std::memory_order_release);  // edge executor.poll, release half
        }
    }
    w.polling = false;
    if (w.queue.approximate_size() > 1) w.wake_for_push();
}

bool executor_core::run_one_manually() {
    worker& w = *workers.front();
    worker* const outer = current_worker;
    current_worker = &w;
    timers.fire(now());
    job* j = nullptr;
    std::size_t found = w.steal({&j, 1}).jobs;  // oldest first
    if (found == 0) found = injected.pop({&j, 1}, 1);
    if (found != 0) run(w, j);
    current_worker = outer;
    return found != 0;
}

bool executor_core::drive_manually(clock::time_point limit) {
    const bool calls = blocking.calls() != 0;  // read before looking for jobs
    if (run_one_manually()) return true;
    if (calls) {
        wait_manually();
        return true;
    }
    // Without a limit and without a timer there is no time to move to.
    const bool ends = std::min(limit, timers.earliest()) != clock::time_point::max();
    return ends && advance_manually(limit);
}

void executor_core::wait_manually() noexcept {
    worker& w = *workers.front();
    idle.announce(w);
    heavy_barrier();
    if (!work_visible()) futex_wait(w.wake_word, 0, std::chrono::milliseconds(10));
    idle.retract(w);
    idle.stop_search(w);
}

bool executor_core::advance_manually(clock::time_point t) noexcept {
    const clock::time_point next = timers.earliest();
    const clock::time_point to = std::min(t, next);
    if (to > now()) manual_now_.store(to.time_since_epoch().count(), std::memory_order_relaxed);
    return next <= t && next != clock::time_point::max();
}

}  // namespace taskscope::detail
