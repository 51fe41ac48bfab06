// combinators/src/restart.cpp - how often and when a worker is begun again.
// SPDX-License-Identifier: MIT
#include <taskscope/restart.hpp>

namespace taskscope::detail {

restart_plan::restart_plan(const restart_options& o) : options_(o), delays_(fresh_delays()) {}

backoff restart_plan::fresh_delays() const {
    const restart_options& o = options_;
    return backoff({.attempts = 1,
                    .first_delay = o.first_delay,
                    .factor = o.factor,
                    .longest_delay = o.longest_delay,
                    .jitter = o.jitter,
                    .seed = o.seed});
}

std::optional<restart_options::duration> restart_plan::next(time_point now) {
    while (!recent_.empty() && now - recent_.front() >= options_.window) recent_.pop_front();
    if (recent_.size() >= options_.most) return std::nullopt;
    if (recent_.empty()) delays_ = fresh_delays();
    recent_.push_back(now);
    return delays_.next();
}

}  // namespace taskscope::detail
