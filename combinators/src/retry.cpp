// combinators/src/retry.cpp - delays that grow, and a budget for retries.
// SPDX-License-Identifier: MIT
#include <taskscope/errors.hpp>
#include <taskscope/retry.hpp>

#include <algorithm>

namespace taskscope {

retry_budget::retry_budget(double ratio, unsigned reserve) noexcept
    : deposit_(static_cast<std::int64_t>(ratio * static_cast<double>(one_retry))),
      most_(std::int64_t{reserve} * one_retry),
      balance_(most_) {}

void retry_budget::deposit() noexcept {
    std::int64_t balance = balance_.load(std::memory_order_relaxed);
    while (!balance_.compare_exchange_weak(balance, std::min(balance + deposit_, most_),
                                           std::memory_order_relaxed)) {
    }
}

bool retry_budget::try_withdraw() noexcept {
    std::int64_t balance = balance_.load(std::memory_order_relaxed);
    do {
        if (balance < one_retry) {
            refused_.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
    } while (
        !balance_.compare_exchange_weak(balance, balance - one_retry, std::memory_order_relaxed));
    return true;
}

namespace detail {

backoff::backoff(const retry_options& o)
    : delay_(std::min(o.first_delay, o.longest_delay)), options_(o), chance_(o.seed) {
    const bool sensible = o.attempts > 0 && o.first_delay >= o.first_delay.zero() &&
                          o.factor >= 1 && o.jitter >= 0 && o.jitter <= 1;
    if (!sensible) {
        throw misuse_error(
            "taskscope: retry() and restart() need at least 1 attempt, delays of at least 0, a "
            "factor of at "
            "least 1, and a jitter from 0 to 1");
    }
}

retry_options::duration backoff::next() noexcept {
    using real = std::chrono::duration<double, retry_options::duration::period>;
    const retry_options::duration full = delay_;
    const real grown = real(full) * options_.factor;
    delay_ = grown < real(options_.longest_delay)
                 ? std::chrono::duration_cast<retry_options::duration>(grown)
                 : options_.longest_delay;
    const auto part =
        options_.jitter < 1
            ? std::chrono::duration_cast<retry_options::duration>(real(full) * options_.jitter)
            : full;
    return full - part + chance_.below(part);
}

}  // namespace detail
}  // namespace taskscope
