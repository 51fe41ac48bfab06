// tests/model/litmus_test.cpp - the classic small programs: the checker allows what C++20 does, and no more.
// SPDX-License-Identifier: MIT
//
// Each program is run in all its executions and the outcomes are collected. An outcome that C++20 allows must
// be among them, one that it forbids must not; so each row is tested in both directions.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <model/checker/model.hpp>
#include <set>
#include <thread>
#include <vector>

namespace {

using enum std::memory_order;
using outcome = std::vector<int>;
using outcomes = std::set<outcome>;

struct variables {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    std::array<int, 4> r{-1, -1, -1, -1};
};

using thread_body = std::function<void(variables&)>;

/// What registers 0 ... `registers`-1, and x and y at the end if `finals`, can be.
outcomes outcomes_of(const std::vector<thread_body>& threads, std::size_t registers,
                     bool finals = false) {
    outcomes seen;
    model::options o = model::from_environment();
    o.preemptions = o.outdated = 10;  // all of them
    const model::result result = model::explore(
        [&] {
            variables v;
            std::vector<std::thread> running;
            running.reserve(threads.size());
            for (const thread_body& body : threads) running.emplace_back([&v, &body] { body(v); });
            for (std::thread& t : running) t.join();
            // Of the checker's world, not of the program's.
            std::array<int, 6> all{v.r[0], v.r[1], v.r[2], v.r[3], 0, 0};
            std::size_t n = registers;
            if (finals) {
                all[n++] = v.x.load(relaxed);
                all[n++] = v.y.load(relaxed);
            }
            model::outside([&] { seen.insert(outcome(all.begin(), all.begin() + n)); });
        },
        o);
    EXPECT_FALSE(result.failed) << result.report;
    EXPECT_TRUE(result.complete);
    return seen;
}

#define ALLOWED(seen, ...) EXPECT_TRUE((seen).contains(outcome{__VA_ARGS__}))
#define FORBIDDEN(seen, ...) EXPECT_FALSE((seen).contains(outcome{__VA_ARGS__}))

// Store buffering: each thread writes one and reads the other.

outcomes store_buffering(std::memory_order store, std::memory_order load,
                         const thread_body& between1, const thread_body& between2) {
    return outcomes_of({[&](variables& v) {
                            v.x.store(1, store);
                            between1(v);
                            v.r[0] = v.y.load(load);
                        },
                        [&](variables& v) {
                            v.y.store(1, store);
                            between2(v);
                            v.r[1] = v.x.load(load);
                        }},
                       2);
}

const thread_body nothing = [](variables&) {};
const thread_body full_fence = [](variables&) { std::atomic_thread_fence(seq_cst); };
const thread_body acq_rel_fence = [](variables&) { std::atomic_thread_fence(acq_rel); };
const thread_body light = [](variables&) { std::atomic_signal_fence(seq_cst); };
const thread_body heavy = [](variables&) { model::heavy_barrier(); };

TEST(Litmus, StoreBufferingMayMissBothWithoutFullOrder) {
    for (const auto& seen : {store_buffering(relaxed, relaxed, nothing, nothing),
                             store_buffering(release, acquire, nothing, nothing),
                             store_buffering(seq_cst, acquire, nothing, nothing),
                             store_buffering(release, seq_cst, nothing, nothing),
                             store_buffering(relaxed, relaxed, acq_rel_fence, acq_rel_fence),
                             store_buffering(relaxed, relaxed, full_fence, nothing)}) {
        ALLOWED(seen, 0, 0);
        ALLOWED(seen, 0, 1);
        ALLOWED(seen, 1, 0);
        ALLOWED(seen, 1, 1);
    }
}

TEST(Litmus, StoreBufferingSeesOneWithFullOrder) {
    for (const auto& seen : {store_buffering(seq_cst, seq_cst, nothing, nothing),
                             store_buffering(relaxed, relaxed, full_fence, full_fence)}) {
        FORBIDDEN(seen, 0, 0);
        ALLOWED(seen, 0, 1);
        ALLOWED(seen, 1, 0);
        ALLOWED(seen, 1, 1);
    }
}

TEST(Litmus, AnExchangeOnTheSameVariableIsAFullBarrierOnlyForIt) {
    // Read-modify-writes of x by both: the second reads the first.
    const auto seen = outcomes_of({[](variables& v) { v.r[0] = v.x.exchange(1, relaxed); },
                                   [](variables& v) { v.r[1] = v.x.exchange(2, relaxed); }},
                                  2);
    FORBIDDEN(seen, 0, 0);
    ALLOWED(seen, 0, 1);
    ALLOWED(seen, 2, 0);
}

TEST(Litmus, OfLightAndHeavyBarrierOneSeesTheOther) {
    FORBIDDEN(store_buffering(relaxed, relaxed, light, heavy), 0, 0);
    FORBIDDEN(store_buffering(relaxed, relaxed, heavy, light), 0, 0);
    FORBIDDEN(store_buffering(relaxed, relaxed, heavy, heavy), 0, 0);
    FORBIDDEN(store_buffering(relaxed, relaxed, heavy, full_fence), 0, 0);
    ALLOWED(store_buffering(relaxed, relaxed, light, heavy), 1, 1);
    ALLOWED(store_buffering(relaxed, relaxed, light, light), 0, 0);
    ALLOWED(store_buffering(relaxed, relaxed, light, full_fence), 0, 0);
    ALLOWED(store_buffering(relaxed, relaxed, nothing, heavy), 0, 0);
}

// Message passing: data, then a flag.

outcomes message_passing(std::memory_order store, std::memory_order load,
                         const thread_body& before_flag, const thread_body& behind_flag) {
    return outcomes_of({[&](variables& v) {
                            v.x.store(1, relaxed);
                            before_flag(v);
                            v.y.store(1, store);
                        },
                        [&](variables& v) {
                            v.r[0] = v.y.load(load);
                            behind_flag(v);
                            v.r[1] = v.x.load(relaxed);
                        }},
                       2);
}

TEST(Litmus, MessagePassingNeedsBothHalves) {
    const thread_body release_fence = [](variables&) { std::atomic_thread_fence(release); };
    const thread_body acquire_fence = [](variables&) { std::atomic_thread_fence(acquire); };
    for (const auto& seen : {message_passing(relaxed, relaxed, nothing, nothing),
                             message_passing(release, relaxed, nothing, nothing),
                             message_passing(relaxed, acquire, nothing, nothing),
                             message_passing(relaxed, relaxed, release_fence, nothing),
                             message_passing(relaxed, relaxed, nothing, acquire_fence),
                             message_passing(relaxed, relaxed, acquire_fence, release_fence)}) {
        ALLOWED(seen, 1, 0);
    }
    for (const auto& seen : {message_passing(release, acquire, nothing, nothing),
                             message_passing(seq_cst, seq_cst, nothing, nothing),
                             message_passing(relaxed, acquire, release_fence, nothing),
                             message_passing(release, relaxed, nothing, acquire_fence),
                             message_passing(relaxed, relaxed, release_fence, acquire_fence)}) {
        FORBIDDEN(seen, 1, 0);
        ALLOWED(seen, 0, 0);
        ALLOWED(seen, 0, 1);
        ALLOWED(seen, 1, 1);
    }
}

// A release sequence: read-modify-writes behind the release store hand on what it published.

outcomes through_a_third(const thread_body& third, std::memory_order load) {
    return outcomes_of({[](variables& v) {
                            v.x.store(1, relaxed);
                            v.y.store(1, release);
                        },
                        third,
                        [load](variables& v) {
                            v.r[0] = v.y.load(load);
                            v.r[1] = v.x.load(relaxed);
                        }},
                       2);
}

TEST(Litmus, AReleaseSequenceGoesThroughReadModifyWritesOnly) {
    const thread_body adds = [](variables& v) { v.y.fetch_add(1, relaxed); };
    const thread_body stores = [](variables& v) {
        if (v.y.load(relaxed) == 1) v.y.store(2, relaxed);
    };
    FORBIDDEN(through_a_third(adds, acquire), 2, 0);
    ALLOWED(through_a_third(adds, acquire), 2, 1);
    ALLOWED(through_a_third(adds, relaxed), 2, 0);
    ALLOWED(through_a_third(stores, acquire), 2, 0);
}

TEST(Litmus, AStoreByTheSameThreadEndsAReleaseSequence) {  // since C++20
    const auto seen = outcomes_of({[](variables& v) {
                                       v.x.store(1, relaxed);
                                       v.y.store(1, release);
                                       v.x.store(2, relaxed);
                                       v.y.store(2, relaxed);
                                   },
                                   [](variables& v) {
                                       v.r[0] = v.y.load(acquire);
                                       v.r[1] = v.x.load(relaxed);
                                   }},
                                  2);
    ALLOWED(seen, 2, 0);
    FORBIDDEN(seen, 1, 0);
    ALLOWED(seen, 1, 2);
}

// Independent reads of independent writes.

outcomes independent_reads(std::memory_order store, std::memory_order load,
                           const thread_body& between) {
    return outcomes_of(
        {[&](variables& v) { v.x.store(1, store); }, [&](variables& v) { v.y.store(1, store); },
         [&](variables& v) {
             v.r[0] = v.x.load(load);
             between(v);
             v.r[1] = v.y.load(load);
         },
         [&](variables& v) {
             v.r[2] = v.y.load(load);
             between(v);
             v.r[3] = v.x.load(load);
         }},
        4);
}

TEST(Litmus, ReadersMayDisagreeAboutIndependentWritesUnlessAllIsSeqCst) {
    ALLOWED(independent_reads(relaxed, relaxed, nothing), 1, 0, 1, 0);
    ALLOWED(independent_reads(release, acquire, nothing), 1, 0, 1, 0);
    ALLOWED(independent_reads(seq_cst, acquire, nothing), 1, 0, 1, 0);
    // All loads seq_cst is enough: each comes, in their order, before a load that reads a later store.
    FORBIDDEN(independent_reads(release, seq_cst, nothing), 1, 0, 1, 0);
    FORBIDDEN(independent_reads(seq_cst, seq_cst, nothing), 1, 0, 1, 0);
    FORBIDDEN(independent_reads(relaxed, relaxed, full_fence), 1, 0, 1, 0);
    ALLOWED(independent_reads(seq_cst, seq_cst, nothing), 1, 1, 1, 0);
}

// Two writes by each of two threads.

outcomes two_and_two(std::memory_order order, const thread_body& between) {
    return outcomes_of({[&](variables& v) {
                            v.x.store(1, order);
                            between(v);
                            v.y.store(2, order);
                        },
                        [&](variables& v) {
                            v.y.store(1, order);
                            between(v);
                            v.x.store(2, order);
                        }},
                       0, true);
}

TEST(Litmus, BothFirstWritesMayComeLastUnlessAllIsSeqCst) {
    ALLOWED(two_and_two(relaxed, nothing), 1, 1);
    ALLOWED(two_and_two(release, nothing), 1, 1);
    FORBIDDEN(two_and_two(seq_cst, nothing), 1, 1);
    FORBIDDEN(two_and_two(relaxed, full_fence), 1, 1);
    for (const auto& seen : {two_and_two(relaxed, nothing), two_and_two(seq_cst, nothing)}) {
        ALLOWED(seen, 1, 2);
        ALLOWED(seen, 2, 1);
        ALLOWED(seen, 2, 2);
    }
}

// Coherence: one variable looks the same to everybody.

TEST(Litmus, ReadsOfOneVariableDoNotGoBack) {
    const auto seen = outcomes_of({[](variables& v) { v.x.store(1, relaxed); },
                                   [](variables& v) {
                                       v.r[0] = v.x.load(relaxed);
                                       v.r[1] = v.x.load(relaxed);
                                   }},
                                  2);
    FORBIDDEN(seen, 1, 0);
    ALLOWED(seen, 0, 0);
    ALLOWED(seen, 0, 1);
    ALLOWED(seen, 1, 1);
}

TEST(Litmus, ReadersAgreeAboutTheOrderOfWritesToOneVariable) {
    const auto seen = outcomes_of(
        {[](variables& v) { v.x.store(1, relaxed); }, [](variables& v) { v.x.store(2, relaxed); },
         [](variables& v) {
             v.r[0] = v.x.load(relaxed);
             v.r[1] = v.x.load(relaxed);
         },
         [](variables& v) {
             v.r[2] = v.x.load(relaxed);
             v.r[3] = v.x.load(relaxed);
         }},
        4);
    FORBIDDEN(seen, 1, 2, 2, 1);
    ALLOWED(seen, 1, 2, 1, 2);
    ALLOWED(seen, 2, 1, 2, 1);
}

TEST(Litmus, AThreadReadsItsOwnWriteOrALaterOne) {
    const auto seen = outcomes_of({[](variables& v) {
                                       v.x.store(1, relaxed);
                                       v.r[0] = v.x.load(relaxed);
                                   },
                                   [](variables& v) { v.x.store(2, relaxed); }},
                                  1, true);
    FORBIDDEN(seen, 0, 1, 0);
    FORBIDDEN(seen, 2, 1, 0);  // the write it has seen would come before its own
    ALLOWED(seen, 1, 1, 0);
    ALLOWED(seen, 1, 2, 0);
    ALLOWED(seen, 2, 2, 0);
}

TEST(Litmus, CausalityGoesThroughOtherThreads) {
    const auto chain = [](std::memory_order store, std::memory_order load) {
        return outcomes_of({[&](variables& v) { v.x.store(1, relaxed); },
                            [&](variables& v) {
                                v.r[0] = v.x.load(relaxed);
                                v.y.store(1, store);
                            },
                            [&](variables& v) {
                                v.r[1] = v.y.load(load);
                                v.r[2] = v.x.load(relaxed);
                            }},
                           3);
    };
    FORBIDDEN(chain(release, acquire), 1, 1, 0);
    ALLOWED(chain(relaxed, acquire), 1, 1, 0);
    ALLOWED(chain(release, relaxed), 1, 1, 0);
}

TEST(Litmus, OneOfManyIncrementsIsNotLost) {
    const auto adds = [](variables& v) { v.x.fetch_add(1, relaxed); };
    const auto seen = outcomes_of({adds, adds, adds}, 0, true);
    EXPECT_EQ(seen, (outcomes{{3, 0}}));
    const auto loads_and_stores = [](variables& v) { v.x.store(v.x.load(relaxed) + 1, relaxed); };
    ALLOWED(outcomes_of({loads_and_stores, loads_and_stores}, 0, true), 1, 0);
}

TEST(Litmus, OneOfManyCompareExchangesWins) {
    const auto seen =
        outcomes_of({[](variables& v) {
                         int zero = 0;
                         v.r[0] = v.x.compare_exchange_strong(zero, 1, relaxed) ? 1 : 0;
                     },
                     [](variables& v) {
                         int zero = 0;
                         v.r[1] = v.x.compare_exchange_strong(zero, 2, relaxed) ? 1 : 0;
                     }},
                    2);
    EXPECT_EQ(seen, (outcomes{{0, 1}, {1, 0}}));
}

TEST(Litmus, AWeakCompareExchangeMayFailForNoReason) {
    const auto alone = [](variables& v) {
        int zero = 0;
        v.r[0] = v.x.compare_exchange_weak(zero, 1, relaxed) ? 1 : 0;
    };
    EXPECT_EQ(outcomes_of({alone}, 1), (outcomes{{0}, {1}}));
}

// What this technique does not show, stated so that nobody relies on it.

TEST(Litmus, LoadBufferingIsNotShown) {
    const auto seen = outcomes_of({[](variables& v) {
                                       v.r[0] = v.x.load(relaxed);
                                       v.y.store(1, relaxed);
                                   },
                                   [](variables& v) {
                                       v.r[1] = v.y.load(relaxed);
                                       v.x.store(1, relaxed);
                                   }},
                                  2);
    FORBIDDEN(seen, 1, 1);  // C++20 would allow it
}

}  // namespace
