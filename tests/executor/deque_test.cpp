// tests/executor/deque_test.cpp - the deque against a model, and owner against thieves.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/deque.hpp>
#include <taskscope/detail/fork_deque.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <support/ledger.hpp>
#include <support/steal.hpp>
#include <support/until.hpp>
#include <type_traits>
#include <vector>

namespace {

using support::rendezvous;
using support::steal_one;
using support::steal_some;
using support::tally;
using taskscope::detail::deque;
using taskscope::detail::fork_deque;
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

/// One whose indices start where narrower types would wrap.
template <class D, std::int64_t origin>
struct starting_at : D {
    static constexpr std::int64_t first = origin;
    explicit starting_at(std::int64_t capacity) : D(capacity, D::max_capacity, origin) {}
};
constexpr std::int64_t before_2_31 = (std::int64_t{1} << 31) - 3;
constexpr std::int64_t before_2_32 = (std::int64_t{1} << 32) - 3;
constexpr std::int64_t before_2_40 = (std::int64_t{1} << 40) - 3;

template <class>
class Deque : public testing::Test {
protected:
    static void SetUpTestSuite() { taskscope::detail::enable_asymmetric_barriers(); }
};
using kinds =
    testing::Types<starting_at<deque, 0>, starting_at<deque, before_2_31>,
                   starting_at<deque, before_2_32>, starting_at<deque, before_2_40>,
                   starting_at<fork_deque, 0>, starting_at<fork_deque, before_2_31>,
                   starting_at<fork_deque, before_2_32>, starting_at<fork_deque, before_2_40>>;
struct names {
    template <class D>
    static std::string GetName(int) {
        return (std::is_base_of_v<deque, D> ? "jobs_" : "forks_") + std::to_string(D::first);
    }
};
TYPED_TEST_SUITE(Deque, kinds, names);

TYPED_TEST(Deque, GivesTheOwnerTheYoungestAndThievesTheOldest) {
    std::vector<numbered_job> jobs = numbered(4);
    TypeParam d(8);
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    EXPECT_EQ(steal_one(d), jobs.data());
    EXPECT_EQ(d.pop(), &jobs[3]);
    EXPECT_EQ(steal_one(d), &jobs[1]);
    EXPECT_EQ(d.pop(), &jobs[2]);
    EXPECT_EQ(d.pop(), nullptr);
    EXPECT_EQ(steal_one(d), nullptr);
    EXPECT_TRUE(d.looks_empty());
}

TEST(ForkDeque, PopIfTakesOnlyTheYoungestAndOnlyIfItIsTheOneExpected) {
    std::vector<numbered_job> jobs = numbered(3);
    fork_deque d(4);
    EXPECT_FALSE(d.pop_if(jobs.data()));
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    EXPECT_FALSE(d.pop_if(jobs.data()));
    EXPECT_FALSE(d.pop_if(&jobs[1]));
    EXPECT_TRUE(d.pop_if(&jobs[2]));
    EXPECT_TRUE(d.pop_if(&jobs[1]));
    EXPECT_EQ(d.approximate_size(), 1U);
}

TEST(ForkDeque, PopIfIsNotFooledByTheTraceOfAStolenJob) {
    std::vector<numbered_job> jobs = numbered(1);
    fork_deque d(4);
    ASSERT_TRUE(d.push(jobs.data()));
    EXPECT_EQ(steal_one(d), jobs.data());
    EXPECT_FALSE(d.pop_if(jobs.data()));  // its slot still says so
    EXPECT_EQ(d.approximate_size(), 0U);
    ASSERT_TRUE(d.push(jobs.data()));
    EXPECT_TRUE(d.pop_if(jobs.data()));
    EXPECT_TRUE(d.looks_empty());
}

TEST(JobDeque, GivesItsYoungestOnlyIfThievesCannotWantThem) {
    constexpr std::size_t most = deque::most_stolen;
    std::vector<numbered_job> jobs = numbered(most + 2);
    deque d(32);
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    std::array<job*, 3> taken{};
    EXPECT_FALSE(d.pop_many(taken.data(), 3)) << "the oldest of them may be a thief's";
    EXPECT_TRUE(d.pop_many(taken.data(), 2));
    EXPECT_EQ(taken[0], &jobs[most]);
    EXPECT_EQ(taken[1], &jobs[most + 1]);
    EXPECT_EQ(steal_one(d), jobs.data());
    EXPECT_FALSE(d.pop_many(taken.data(), 1));
    EXPECT_EQ(d.approximate_size(), most - 1);
}

TEST(JobDeque, GivesAThiefUpToHalfOfItsJobsTheOldestFirst) {
    constexpr std::size_t most = deque::most_stolen;
    std::vector<numbered_job> jobs = numbered(most + 4);
    deque d(4);
    std::array<job*, 2 * most> stolen{};
    EXPECT_EQ(d.steal(stolen), 0U);
    for (std::size_t i = 0; i < 5; ++i) ASSERT_TRUE(d.push(&jobs[i]));
    EXPECT_EQ(d.steal(stolen), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(stolen[i], &jobs[i]);
    EXPECT_EQ(d.steal({stolen.data(), 1}), 1U);
    EXPECT_EQ(stolen[0], &jobs[3]);
    EXPECT_EQ(d.steal(stolen), 1U);
    EXPECT_EQ(stolen[0], &jobs[4]);
    EXPECT_EQ(d.pop(), nullptr);
    for (int round = 0; round < 3; ++round) {
        for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    }
    EXPECT_EQ(d.steal(stolen), most) << "and no more at once";
    for (std::size_t i = 0; i < most; ++i) EXPECT_EQ(stolen[i], &jobs[i]);
    EXPECT_EQ(d.approximate_size(), 3 * jobs.size() - most);
}

TEST(JobDeque, CountsWhatItsOwnerTakesThatThievesMightHaveWanted) {
    constexpr std::size_t most = deque::most_stolen;
    std::vector<numbered_job> jobs = numbered(most + 2);
    deque d(32);
    const std::uint64_t before = d.contested_takings();
    for (job& j : jobs) ASSERT_TRUE(d.push(&j));
    for (int i = 0; i < 2; ++i) ASSERT_NE(d.pop(), nullptr);
    EXPECT_EQ(d.contested_takings() - before, 0U) << "no thief can reach the youngest of so many";
    for (int i = 0; i < 2; ++i) ASSERT_NE(d.pop(), nullptr);
    EXPECT_EQ(d.contested_takings() - before, 2U);
    ASSERT_NE(steal_one(d), nullptr);
    EXPECT_EQ(d.contested_takings() - before, 2U) << "a thief is no owner";
    while (d.pop() != nullptr) {
    }
    EXPECT_EQ(d.contested_takings() - before, most - 1) << "an empty deque gives nothing";
}

// cases: T432
TYPED_TEST(Deque, KeepsEveryJobWhileItGrows) {
    std::vector<numbered_job> jobs = numbered(1'000);
    TypeParam d(2);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        ASSERT_TRUE(d.push(&jobs[i]));
        EXPECT_EQ(d.approximate_size(), i + 1);
    }
    for (std::size_t i = jobs.size(); i-- > 500;) EXPECT_EQ(d.pop(), &jobs[i]);
    for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(steal_one(d), &jobs[i]);
    EXPECT_TRUE(d.looks_empty());
}

TYPED_TEST(Deque, DoesWhatTheModelDoes) {
    constexpr bool has_pop_if = std::is_base_of_v<fork_deque, TypeParam>;
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::vector<numbered_job> jobs = numbered(100);
        std::deque<job*> model;
        TypeParam d(std::int64_t{1} << (random() % 4));
        std::size_t made = 0;
        // Rounds differ in how full the deque gets.
        const auto pushes = 2 + random() % 5;
        for (int step = 0; step < 300; ++step) {
            const auto what = random() % (pushes + (has_pop_if ? 3 : 2));
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
                ASSERT_EQ(steal_one(d), expected);
            } else if constexpr (has_pop_if) {
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
TYPED_TEST(Deque, RefusesAJobWhenItHasItsGreatestSize) {
    std::vector<numbered_job> jobs = numbered(TypeParam::max_capacity + 1);
    TypeParam d(TypeParam::max_capacity / 2);
    for (std::size_t i = 0; i + 1 < jobs.size(); ++i) ASSERT_TRUE(d.push(&jobs[i]));
    EXPECT_FALSE(d.push(&jobs.back()));
    EXPECT_EQ(steal_one(d), jobs.data());
    EXPECT_TRUE(d.push(&jobs.back()));
    EXPECT_EQ(d.pop(), &jobs.back());
    EXPECT_EQ(d.approximate_size(), jobs.size() - 2);
}

// Owner against thieves. Each job must come out once, whoever gets it.

// cases: T432
TYPED_TEST(Deque, GivesEachJobToOneOfOwnerAndThieves) {
    constexpr std::size_t n = 100'000;
    std::vector<numbered_job> jobs = numbered(n);
    tally taken(n);
    TypeParam d(2);
    std::atomic<bool> done{false};
    support::threads thieves;
    for (std::size_t most = 1; most <= 16; most *= 4) {
        thieves.start([&, most] {
            std::array<job*, 16> loot{};
            while (!done.load(std::memory_order_acquire) || !d.looks_empty()) {
                const std::size_t stolen = steal_some(d, {loot.data(), most});
                for (std::size_t i = 0; i < stolen; ++i) taken.count(number_of(loot[i]));
            }
        });
    }
    // Full and nearly empty by turns: the owner pops with a contest and without.
    std::minstd_rand random(7);
    for (std::size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(d.push(&jobs[i]));
        if (i % 64 < 32) continue;
        for (auto pops = random() % 5; pops != 0; --pops) {
            if (const job* mine = d.pop()) taken.count(number_of(mine));
        }
    }
    while (const job* j = d.pop()) taken.count(number_of(j));
    done.store(true, std::memory_order_release);
    thieves.join();
    EXPECT_TRUE(taken.exactly_once());
}

// cases: T432
TYPED_TEST(Deque, GivesTheLastJobToOnlyOneOfOwnerAndThief) {
    constexpr int rounds = 20'000;
    std::vector<numbered_job> jobs = numbered(1);
    TypeParam d(2);
    rendezvous sides(2);
    std::atomic<int> stolen{0};
    support::threads thief;
    thief.start([&] {
        for (int i = 0; i < rounds; ++i) {
            sides.meet();
            if (steal_one(d) != nullptr) stolen.fetch_add(1);
            sides.meet();
        }
    });
    const auto take = [&](int round) {
        if constexpr (std::is_base_of_v<fork_deque, TypeParam>) {
            if (round % 2 != 0) return d.pop_if(jobs.data());
        }
        return d.pop() != nullptr;
    };
    int popped = 0;
    int twice_or_never = 0;
    for (int i = 0; i < rounds; ++i) {
        ASSERT_TRUE(d.push(jobs.data()));
        sides.meet();
        const bool mine = take(i);
        sides.meet();
        if (mine) ++popped;
        // The thief may miss the job while the owner is about to take it; the owner never misses it.
        if (popped + stolen.load() != i + 1) ++twice_or_never;
    }
    EXPECT_EQ(twice_or_never, 0);
}

TYPED_TEST(Deque, ShowsAThiefTheWholeJob) {
    constexpr std::size_t n = 50'000;
    std::vector<numbered_job> jobs(n);
    TypeParam d(2);
    std::atomic<std::size_t> seen{0};
    support::threads thief;
    thief.start([&] {
        std::size_t next = 0;
        while (next < n) {
            const job* j = steal_one(d);
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
