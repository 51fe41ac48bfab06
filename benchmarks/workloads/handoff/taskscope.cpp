// benchmarks/workloads/handoff/taskscope.cpp - two tasks and a pair of events per turn.
// SPDX-License-Identifier: MIT
#include "handoff.hpp"

#include <taskscope/taskscope.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace {

namespace ts = taskscope;

/// An event happens once, so each turn has one of its own. When turn i begins nobody has to do with turn i - 4 any
/// more, so its place is made new for turn i + 4.
class turns {
public:
    turns() {
        for (auto& e : events_) e.emplace();
    }
    auto wait(long turn) { return at(turn).wait(); }
    void begin(long turn) {
        events_[place(turn + 4)].emplace();
        at(turn).set();
    }

private:
    static std::size_t place(long turn) { return static_cast<std::size_t>(turn) % 8; }
    ts::async_event& at(long turn) { return *events_[place(turn)]; }

    std::array<std::optional<ts::async_event>, 8> events_;
};

ts::task<> player(turns& t, long first, long rounds, long& number) {
    for (long i = first; i < 2 * rounds; i += 2) {
        co_await t.wait(i);
        ++number;
        t.begin(i + 1);
    }
}

ts::task<long> play(long rounds) {
    turns t;
    long number = 0;
    t.begin(0);
    co_await ts::fork_join(player(t, 0, rounds, number), player(t, 1, rounds, number));
    co_return number;
}

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    return handoff_workload::run(o, [&](long rounds) { return ex.run(play(rounds)); });
}
