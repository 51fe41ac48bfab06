// benchmarks/workloads/channel/channel.hpp - two tasks send 10^7 numbers through one channel, two receive them.
// SPDX-License-Identifier: MIT
#pragma once

#include "harness/bench.hpp"
#include "harness/cache_line.hpp"

#include <cstddef>

namespace channel_workload {

inline constexpr std::size_t room = 1024;
inline constexpr long senders = 2;  ///< and as many receivers

/// `pass(each)` has sender s send s * each ... s * each + each - 1, and returns the sum of what was received.
template <class F>
int run(const bench::options& o, F pass) {
    const long each = (o.quick ? 1'000'000 : 10'000'000) / senders;
    const long items = senders * each;
    return bench::measure(
        items * (items - 1) / 2, static_cast<double>(items), [&] { return pass(each); },
        [&] { pass(1000); }, {{"line_ns", bench::cache_line_ns()}});
}

}  // namespace channel_workload
