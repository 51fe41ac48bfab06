// combinators/src/every.cpp - the schedule of a timer.
// SPDX-License-Identifier: MIT
#include <taskscope/errors.hpp>
#include <taskscope/every.hpp>

namespace taskscope::detail {

tick_schedule::tick_schedule(const timer_options& o, clock::time_point start)
    : options_(o), chance_(o.seed), due_(saturating_add(start, o.first)) {
    const auto none = duration::zero();
    if (o.period <= none || o.jitter < none || o.jitter >= o.period || o.first < none ||
        o.late_after < none) {
        throw misuse_error(
            "taskscope: a timer needs a period of more than 0, a jitter of less than that, and "
            "no negative times");
    }
    plan();
}

void tick_schedule::begins(clock::time_point now) noexcept {
    count(&timer_counts::ticks);
    const duration tolerated =
        options_.late_after > duration::zero() ? options_.late_after : options_.period / 10;
    if (now - planned_ <= tolerated) return;
    count(&timer_counts::late);
    if (options_.when_missed == missed_tick::delay) due_ = now;
}

void tick_schedule::ends(clock::time_point now) noexcept {
    due_ = saturating_add(due_, options_.period);
    if (due_ < now) {
        const std::int64_t later = (now - due_) / options_.period;  // ticks due since then
        const bool is_due = (now - due_) % options_.period == duration::zero();
        if (options_.when_missed == missed_tick::skip) miss(is_due ? later : later + 1);
        if (options_.when_missed == missed_tick::coalesce) miss(later);
    }
    plan();
}

void tick_schedule::stopped_previous(clock::time_point now) noexcept {
    count(&timer_counts::stopped);
    // The one that was due begins now; those that came due since then are missed.
    if (due_ < now) miss((now - due_) / options_.period);
}

void tick_schedule::misses() noexcept {
    miss(1);
    plan();
}

void tick_schedule::miss(std::int64_t n) noexcept {
    count(&timer_counts::missed, n);
    due_ = saturating_add(due_, n * options_.period);
}

void tick_schedule::plan() noexcept {
    planned_ = saturating_add(due_, chance_.below(options_.jitter));
}

void tick_schedule::count(atomic<std::uint64_t> timer_counts::* which, std::int64_t n) noexcept {
    if (options_.counts == nullptr) return;
    (options_.counts->*which).fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
}

}  // namespace taskscope::detail
