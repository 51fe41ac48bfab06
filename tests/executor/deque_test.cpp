// tests/executor/deque_test.cpp - the deque against a model, and owner against thieves.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/deque.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <support/ledger.hpp>
#include <support/until.hpp>
#include <vector>

namespace {

using support::rendezvous;
using support::tally;
using taskscope::detail::deque;
using taskscope::detail::job;
using taskscope::detail::job_kind;

struct numbered_job : job {
    numbered_job() : job(job_kind::function) {}
    std::size_t number = 0;
};

std::vector<numbered_job> numbered(std::size_t n) {
    std::vector<numbered_job> jobs(n);
    for (std::size_t i = 0; i < n; ++i) jobs[i].number = i;
    return jobs;
}

std::size_t number_of(const job* j) { return static_cast<const numbered_job*>(j)->number; }

/// The same with indices that start where narrower types would wrap.
class Deque : public testing::TestWithParam<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(, Deque,
                         testing::Values(0, (std::int64_t{1} << 31) - 3,
                                         (std::int64_t{1} << 32) - 3, (std::int64_t{1} << 40) - 3),
                         testing::PrintToStringParamName());

TEST_P(Deque, GivesTheOwnerTheYoungestAndThievesTheOldest) {
    std::vector<numbered_job> jobs = numbered(4);
    deque d(8, GetParam());
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    EXPECT_EQ(d.steal(), jobs.data());
    EXPECT_EQ(d.pop(), &jobs[3]);
    EXPECT_EQ(d.steal(), &jobs[1]);
    EXPECT_EQ(d.pop(), &jobs[2]);
    EXPECT_EQ(d.pop(), nullptr);
    EXPECT_EQ(d.steal(), nullptr);
    EXPECT_TRUE(d.looks_empty());
}

TEST_P(Deque, PopIfTakesOnlyTheYoungestAndOnlyIfItIsTheOneExpected) {
    std::vector<numbered_job> jobs = numbered(3);
    deque d(4, GetParam());
    EXPECT_FALSE(d.pop_if(jobs.data()));
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    EXPECT_FALSE(d.pop_if(jobs.data()));
    EXPECT_FALSE(d.pop_if(&jobs[1]));
    EXPECT_TRUE(d.pop_if(&jobs[2]));
    EXPECT_TRUE(d.pop_if(&jobs[1]));
    EXPECT_EQ(d.approximate_size(), 1U);
}

TEST_P(Deque, PopIfIsNotFooledByTheTraceOfAStolenJob) {
    std::vector<numbered_job> jobs = numbered(1);
    deque d(4, GetParam());
    ASSERT_TRUE(d.push(jobs.data()));
    EXPECT_EQ(d.steal(), jobs.data());
    EXPECT_FALSE(d.pop_if(jobs.data()));  // its slot still says so
    EXPECT_EQ(d.approximate_size(), 0U);
    ASSERT_TRUE(d.push(jobs.data()));
    EXPECT_TRUE(d.pop_if(jobs.data()));
    EXPECT_TRUE(d.looks_empty());
}

// cases: T432
TEST_P(Deque, KeepsEveryJobWhileItGrows) {
    std::vector<numbered_job> jobs = numbered(1'000);
    deque d(2, GetParam());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        ASSERT_TRUE(d.push(&jobs[i]));
        EXPECT_EQ(d.approximate_size(), i + 1);
    }
    for (std::size_t i = jobs.size(); i-- > 500;) EXPECT_EQ(d.pop(), &jobs[i]);
    for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(d.steal(), &jobs[i]);
    EXPECT_TRUE(d.looks_empty());
}

TEST_P(Deque, DoesWhatTheModelDoes) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::vector<numbered_job> jobs = numbered(100);
        std::deque<job*> model;
        deque d(std::int64_t{1} << (random() % 4), GetParam());
        std::size_t made = 0;
        // Rounds differ in how full the deque gets.
        const auto pushes = 2 + random() % 5;
        for (int step = 0; step < 300; ++step) {
            const auto what = random() % (pushes + 3);
            if (what < pushes && made < jobs.size()) {
                ASSERT_TRUE(d.push(&jobs[made]));
                model.push_back(&jobs[made++]);
            } else if (what == pushes) {
                job* expected = model.empty() ? nullptr : model.back();
                if (!model.empty()) model.pop_back();
                ASSERT_EQ(d.pop(), expected);
            } else if (what == pushes + 1) {
                job* expected = model.empty() ? nullptr : model.front();
                if (!model.empty()) model.pop_front();
                ASSERT_EQ(d.steal(), expected);
            } else {
                const job* candidate = &jobs[random() % jobs.size()];
                const bool expected = !model.empty() && model.back() == candidate;
                if (expected) model.pop_back();
                ASSERT_EQ(d.pop_if(candidate), expected);
            }
            ASSERT_EQ(d.looks_empty(), model.empty());
            ASSERT_EQ(d.approximate_size(), model.size());
        }
    }
}

// cases: T432
TEST_P(Deque, RefusesAJobWhenItHasItsGreatestSize) {
    std::vector<numbered_job> jobs = numbered(deque::max_capacity + 1);
    deque d(deque::max_capacity / 2, GetParam());
    for (std::size_t i = 0; i + 1 < jobs.size(); ++i) ASSERT_TRUE(d.push(&jobs[i]));
    EXPECT_FALSE(d.push(&jobs.back()));
    EXPECT_EQ(d.steal(), jobs.data());
    EXPECT_TRUE(d.push(&jobs.back()));
    EXPECT_EQ(d.pop(), &jobs.back());
    EXPECT_EQ(d.approximate_size(), jobs.size() - 2);
}

// Owner against thieves. Each job must come out once, whoever gets it.

// cases: T432
TEST_P(Deque, GivesEachJobToOneOfOwnerAndThieves) {
    constexpr std::size_t n = 100'000;
    std::vector<numbered_job> jobs = numbered(n);
    tally taken(n);
    deque d(2, GetParam());
    std::atomic<bool> done{false};
    support::threads thieves;
    for (int t = 0; t < 3; ++t) {
        thieves.start([&] {
            while (!done.load(std::memory_order_acquire) || !d.looks_empty()) {
                if (const job* j = d.steal()) taken.count(number_of(j));
            }
        });
    }
    std::minstd_rand random(7);
    for (numbered_job& j : jobs) {
        ASSERT_TRUE(d.push(&j));
        while (random() % 3 == 0) {
            const job* mine = d.pop();
            if (mine != nullptr) taken.count(number_of(mine));
        }
    }
    while (const job* j = d.pop()) taken.count(number_of(j));
    done.store(true, std::memory_order_release);
    thieves.join();
    EXPECT_TRUE(taken.exactly_once());
}

// cases: T432
TEST_P(Deque, GivesTheLastJobToOnlyOneOfOwnerAndThief) {
    constexpr int rounds = 20'000;
    std::vector<numbered_job> jobs = numbered(1);
    deque d(2, GetParam());
    rendezvous sides(2);
    std::atomic<int> stolen{0};
    support::threads thief;
    thief.start([&] {
        for (int i = 0; i < rounds; ++i) {
            sides.meet();
            if (d.steal() != nullptr) stolen.fetch_add(1);
            sides.meet();
        }
    });
    int popped = 0;
    int twice_or_never = 0;
    for (int i = 0; i < rounds; ++i) {
        ASSERT_TRUE(d.push(jobs.data()));
        sides.meet();
        const bool mine = i % 2 == 0 ? d.pop() != nullptr : d.pop_if(jobs.data());
        sides.meet();
        if (mine) ++popped;
        // The thief may miss the job while the owner is about to take it; the owner never misses it.
        if (popped + stolen.load() != i + 1) ++twice_or_never;
    }
    EXPECT_EQ(twice_or_never, 0);
}

TEST_P(Deque, ShowsAThiefTheWholeJob) {
    constexpr std::size_t n = 50'000;
    std::vector<numbered_job> jobs(n);
    deque d(2, GetParam());
    std::atomic<std::size_t> seen{0};
    support::threads thief;
    thief.start([&] {
        std::size_t next = 0;
        while (next < n) {
            const job* j = d.steal();
            if (j == nullptr) continue;
            EXPECT_EQ(number_of(j), next);  // a race, if the push did not publish it
            ++next;
        }
        seen.store(next);
    });
    for (std::size_t i = 0; i < n; ++i) {
        jobs[i].number = i;
        ASSERT_TRUE(d.push(&jobs[i]));
    }
    thief.join();
    EXPECT_EQ(seen.load(), n);
}

}  // namespace
