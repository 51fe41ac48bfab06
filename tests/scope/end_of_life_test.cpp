// tests/scope/end_of_life_test.cpp - every way in which a child can end, with every way to begin, hold and join it.
// SPDX-License-Identifier: MIT
//
// {value, error, stopped, ignores the stop} x {handle dropped early, late, awaited} x {inline, queued, stolen} x
// {plain, throwing copies, throwing moves} x {joined before, during, after, twice, never, by a thread}: 648
// combinations. Where copies or moves throw, each combination runs once for every copy or move that it makes.
//
// What spawn_here() returns stands for the handle of an inline child: dropped without being awaited, kept until the
// child is gone, or awaited where it stands.
#include "support.hpp"

#include <taskscope/current_scope.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <support/cargo.hpp>
#include <support/until.hpp>
#include <thread>
#include <tuple>
#include <utility>

namespace taskscope::test {
namespace {

using support::broken_cargo;
using support::cargo;
using support::fragility;
using support::until;

enum class ending : unsigned char { value, error, stopped, ignores_stop };
enum class handle : unsigned char { dropped_early, dropped_late, awaited };
enum class start : unsigned char { here, queued, stolen };
enum class joiner : unsigned char { before, during, after, twice, never, by_thread };

constexpr const char* name(ending e) {
    constexpr const char* names[] = {"value", "error", "stopped", "ignores_stop"};
    return names[static_cast<int>(e)];
}
constexpr const char* name(handle h) {
    constexpr const char* names[] = {"dropped_early", "dropped_late", "awaited"};
    return names[static_cast<int>(h)];
}
constexpr const char* name(start s) {
    constexpr const char* names[] = {"inline", "queued", "stolen"};
    return names[static_cast<int>(s)];
}
constexpr const char* name(fragility f) {
    constexpr const char* names[] = {"plain", "throwing_copies", "throwing_moves"};
    return names[static_cast<int>(f)];
}
constexpr const char* name(joiner j) {
    constexpr const char* names[] = {"before", "during", "after", "twice", "never", "by_thread"};
    return names[static_cast<int>(j)];
}

struct combination {
    start begins;
    joiner joined;
    ending ends;
    handle held;
    fragility fragile;
    int breaks_at;  // this copy or move, from 1

    bool asked_to_stop() const { return ends == ending::stopped || ends == ending::ignores_stop; }
    /// Nothing happens during its life: it need not suspend.
    bool runs_through() const {
        return !asked_to_stop() && (joined == joiner::after || joined == joiner::never);
    }
    std::string text() const {
        return std::string(name(begins)) + ", joined " + name(joined) + ", " + name(ends) +
               ", handle " + name(held) + ", " + name(fragile) + " at " + std::to_string(breaks_at);
    }
};

struct failure : boom {
    explicit failure(support::manifest& m) : held(m) {}
    cargo held;
};

/// One child from before its beginning until nothing is left of it. Steps of several threads, ordered by flags.
struct life {
    explicit life(const combination& how) : c(how), cargoes(how.fragile, how.breaks_at) {}

    const combination c;
    support::manifest cargoes;
    std::unique_ptr<task_scope> scope;
    std::optional<child_handle<cargo>> held;

    async_event gate;                  // the child may go on
    async_event never;                 // where it waits to be stopped
    async_event let_go;                // whoever keeps the scope open need not any more
    async_event over;                  // what spawn_here() returned may go
    std::atomic<bool> spawned{false};  // or refused
    std::atomic<bool> spawner_may_go{false};
    std::atomic<bool> begun{false};
    std::atomic<int> joining{0};
    std::atomic<int> reported{0};

    // Each is written before a flag or a join, and read after it.
    bool refused = false;
    bool broke_in_body = false;
    enum { nothing, a_value, a_stop, the_error, a_broken_cargo } from_handle = nothing;
    std::thread::id spawner;
    std::thread::id child;
};

/// Notes, when the body ends, whether what it returns has arrived.
struct body_end {
    explicit body_end(life& l) : of(&l) {}
    body_end(const body_end&) = delete;
    body_end& operator=(const body_end&) = delete;
    ~body_end() { of->broke_in_body = of->cargoes.broke(); }
    life* of;
};

/// What is spawned: it has a cargo, is given one, and returns or throws one.
struct body {
    explicit body(life& l) : of(&l), held(l.cargoes) {}

    task<cargo> operator()([[maybe_unused]] cargo given) {
        life& l = *of;
        const body_end note(l);
        l.child = std::this_thread::get_id();
        l.begun = true;
        co_await l.gate.wait_shielded();
        if (l.c.ends == ending::stopped) co_await l.never.wait();
        if (l.c.ends == ending::error) throw failure(l.cargoes);
        if (l.c.fragile == fragility::copies) {
            const cargo result(l.cargoes);
            co_return result;
        }
        cargo result(l.cargoes);
        co_return std::move(result);
    }

    life* of;
    cargo held;
};

// Copies where copies may break, and moves where moves may.

auto spawn_here(life& l, body& f, cargo& given) {
    if (l.c.fragile == fragility::copies) return l.scope->spawn_here(f, given);
    return l.scope->spawn_here(std::move(f), std::move(given));
}
auto spawn_future(life& l, body& f, cargo& given) {
    if (l.c.fragile == fragility::copies) return l.scope->spawn_future(f, given);
    return l.scope->spawn_future(std::move(f), std::move(given));
}

task<> begin_here(life& l) {
    body f(l);
    cargo given(l.cargoes);
    l.spawner = std::this_thread::get_id();
    try {
        if (l.c.held == handle::dropped_early) {
            [[maybe_unused]] const auto dropped = spawn_here(l, f, given);
        } else if (l.c.held == handle::dropped_late) {
            auto kept = spawn_here(l, f, given);
            co_await kept;
            l.spawned = true;
            co_await l.over.wait();
        } else {
            co_await spawn_here(l, f, given);
        }
    } catch (const broken_cargo&) {
        l.refused = true;
    }
    l.spawned = true;
}

// A plain function, so that the worker is busy until it returns.
void begin_in_queue(life& l) {
    body f(l);
    cargo given(l.cargoes);
    l.spawner = std::this_thread::get_id();
    try {
        l.held.emplace(spawn_future(l, f, given));
        if (l.c.held == handle::dropped_early) l.held.reset();
    } catch (const broken_cargo&) {
        l.refused = true;
    }
    l.spawned = true;
    const bool steal = l.c.begins == start::stolen && !l.refused;
    EXPECT_TRUE(until([&] { return steal ? l.begun.load() : l.spawner_may_go.load(); }));
}

task<> await_handle(life& l) {
    try {
        child_handle<cargo> h = *std::exchange(l.held, std::nullopt);
        const std::optional<cargo> result = co_await stopped_as_optional(std::move(h));
        l.from_handle = result ? life::a_value : life::a_stop;
    } catch (const failure&) {
        l.from_handle = life::the_error;
    } catch (const broken_cargo&) {
        l.from_handle = life::a_broken_cargo;
    }
}

task<> join(life& l) {
    auto joined = l.scope->join();
    l.joining.fetch_add(1);
    co_await joined;
}

class end_of_life : public ledger_test,
                    public testing::WithParamInterface<std::tuple<start, joiner>> {
protected:
    /// Whether a copy or move has broken.
    bool lead(const combination& c);
    void expect_figures(const life& l);

    executor ex{{.workers = std::get<start>(GetParam()) == start::queued ? 1U : 2U}};
};

INSTANTIATE_TEST_SUITE_P(
    all, end_of_life,
    testing::Combine(testing::Values(start::here, start::queued, start::stolen),
                     testing::Values(joiner::before, joiner::during, joiner::after, joiner::twice,
                                     joiner::never, joiner::by_thread)),
    [](const auto& one) {
        return std::string(name(std::get<0>(one.param))) + "_joined_" +
               name(std::get<1>(one.param));
    });

void end_of_life::expect_figures(const life& l) {
    const combination& c = l.c;
    const std::uint64_t keeper = c.joined == joiner::before ? 1 : 0;
    const bool failed = !l.refused && (c.ends == ending::error || l.broke_in_body);
    const bool stopped = !l.refused && c.ends == ending::stopped;
    const scope_counts n = l.scope->counts();
    EXPECT_EQ(n.live, 0U);
    EXPECT_EQ(n.spawned, keeper + (l.refused ? 0 : 1));
    EXPECT_EQ(n.failed, failed ? 1U : 0U);
    EXPECT_EQ(n.stopped, stopped ? 1U : 0U);
    EXPECT_EQ(l.reported.load(), failed ? 1 : 0);
    EXPECT_EQ(l.scope->has_errors(), failed);
    EXPECT_EQ(l.scope->has_ended(), c.joined != joiner::never);
    if (l.refused) return;

    if (c.begins == start::stolen) {
        EXPECT_NE(l.child, l.spawner);
    } else if (c.begins == start::queued || c.held != handle::dropped_early) {
        EXPECT_EQ(l.child, l.spawner);
    }
    if (c.begins == start::here || c.held != handle::awaited) return;
    if (c.ends == ending::error) {
        EXPECT_EQ(l.from_handle, life::the_error);
    } else if (c.ends == ending::stopped) {
        EXPECT_EQ(l.from_handle, life::a_stop);
    } else {
        EXPECT_EQ(l.from_handle, l.cargoes.broke() ? life::a_broken_cargo : life::a_value);
    }
}

bool end_of_life::lead(const combination& c) {
    const std::int64_t frames_before = frames().live;
    life l(c);
    task_scope others{ex, {.name = "others"}};
    const auto count = [&l](const error_context&) { l.reported.fetch_add(1); };
    l.scope = std::make_unique<task_scope>(ex, scope_options{.name = "its", .policy = count});
    if (c.runs_through()) l.gate.set();

    if (c.joined ==
        joiner::before) {  // somebody else keeps the scope open until the child is there
        l.scope->spawn(wait_shielded(l.let_go));
        others.spawn(join(l));
        EXPECT_TRUE(until([&] { return l.joining == 1; }));
    }
    if (c.begins == start::here) {
        others.spawn(begin_here(l));
    } else {
        others.spawn(begin_in_queue, std::ref(l));
    }
    EXPECT_TRUE(until([&] { return l.spawned.load(); }));
    l.let_go.set();
    l.spawner_may_go = true;
    if (!l.refused) {
        EXPECT_TRUE(until([&] { return l.begun.load(); }));
        if (l.held && c.held == handle::awaited) others.spawn(await_handle(l));
    }

    std::thread thread;
    if (c.joined == joiner::during || c.joined == joiner::twice) {
        const int joiners = c.joined == joiner::twice ? 2 : 1;
        for (int i = 0; i < joiners; ++i) others.spawn(join(l));
        EXPECT_TRUE(until([&] { return l.joining == joiners; }));
    } else if (c.joined == joiner::by_thread) {
        thread = std::thread([&l] { l.scope->blocking_join(); });
    }
    if (!l.refused && c.ends == ending::ignores_stop) l.scope->request_stop();
    l.gate.set();
    if (!l.refused && c.ends == ending::stopped) l.scope->request_stop();

    if (c.joined == joiner::after || c.joined == joiner::never) {
        EXPECT_TRUE(until([&] { return l.scope->counts().live == 0; }));
        if (c.joined == joiner::after) others.spawn(join(l));
    }
    if (thread.joinable()) thread.join();
    l.over.set();
    others.blocking_join();

    expect_figures(l);
    l.scope.reset();
    if (!l.held) {
        EXPECT_EQ(l.cargoes.alive(), 0) << "a join has returned, and something is left";
    }
    l.held.reset();
    EXPECT_EQ(l.cargoes.alive(), 0) << "the handle is dropped, and something is left";
    EXPECT_TRUE(l.cargoes.each_was_destroyed_once());
    EXPECT_TRUE(until([&] { return frames().live == frames_before; }));
    return l.cargoes.broke();
}

TEST_P(end_of_life, leaves_nothing_behind) {
    const auto [begins, joined] = GetParam();
    for (const ending ends :
         {ending::value, ending::error, ending::stopped, ending::ignores_stop}) {
        for (const handle held : {handle::dropped_early, handle::dropped_late, handle::awaited}) {
            for (const fragility fragile : {fragility::none, fragility::copies, fragility::moves}) {
                combination c{begins, joined, ends, held, fragile, 0};
                bool broke = true;
                while (broke) {
                    ++c.breaks_at;
                    SCOPED_TRACE(c.text());
                    broke = lead(c);
                    ASSERT_FALSE(HasFailure());
                    ASSERT_LT(c.breaks_at, 20);
                }
                if (fragile != fragility::none) {
                    EXPECT_GT(c.breaks_at, 2);  // at least the callable and its argument
                }
            }
        }
    }
}

}  // namespace
}  // namespace taskscope::test
