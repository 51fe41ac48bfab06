// benchmarks/workloads/channel/taskscope.cpp - taskscope::channel.
// SPDX-License-Identifier: MIT
#include "channel.hpp"

#include <taskscope/channel.hpp>
#include <taskscope/taskscope.hpp>

#include <optional>

namespace {

namespace ts = taskscope;
using numbers = ts::channel<long>;

ts::task<> send(numbers& c, long first, long count) {
    for (long i = first; i < first + count; ++i) co_await c.send(i);
}

ts::task<long> receive(numbers& c) {
    long sum = 0;
    for (;;) {
        const std::optional<long> n = co_await c.receive();
        if (!n) co_return sum;
        sum += *n;
    }
}

ts::task<> send_all(numbers& c, long each) {
    co_await ts::fork_join(send(c, 0, each), send(c, each, each));
    c.close();
}

ts::task<long> pass(long each) {
    numbers c(channel_workload::room);
    auto [sent, a, b] = co_await ts::fork_join(send_all(c, each), receive(c), receive(c));
    co_return a + b;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return channel_workload::run(o, [&](long each) { return ex.run(pass(each)); });
}
