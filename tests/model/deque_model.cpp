// tests/model/deque_model.cpp - owner and thieves: every job goes to exactly one of them, whole.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/deque.hpp>
#include <taskscope/detail/fork_deque.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <model/checker/model.hpp>
#include <model/support/machine.hpp>
#include <support/steal.hpp>
#include <thread>
#include <vector>

namespace {

using support::steal_one;
using taskscope::detail::deque;
using taskscope::detail::fork_deque;
using taskscope::detail::job;
using taskscope::detail::job_kind;

struct counted_job : job {
    counted_job() : job(job_kind::function) {}
    int made = 0;   // plain: whoever takes the job must see what its maker wrote
    int taken = 0;  // plain: two that take it are a race
};

template <std::size_t N>
struct jobs {
    std::array<counted_job, N> all;

    template <class D>
    bool push(D& d, std::size_t i) {
        all[i].made = 1;
        return d.push(&all[i]);
    }
    static bool take(job* j) {
        if (j == nullptr) return false;
        auto& mine = static_cast<counted_job&>(*j);
        model::check(mine.made == 1, "a taken job is complete");
        ++mine.taken;
        return true;
    }
    void steal_several(deque& d) {
        std::array<job*, 4> loot{};
        const std::size_t n = d.steal(loot);
        for (std::size_t i = 0; i < n; ++i) take(loot[i]);
    }
    void check_each_taken_once() {
        for (const counted_job& j : all) model::check(j.taken == 1, "each job is taken once");
    }
};

/// Of a deque whose owner pays for barriers, and of one whose thieves do.
template <class Body>
void expect_holds_for_both(Body body) {
    model::expect_holds([&] { body.template operator()<deque>(); });
    model::expect_holds_with_both_barriers([&] { body.template operator()<fork_deque>(); });
}

// cases: T408
TEST(DequeModel, OwnerAndThiefShareThreeJobs) {
    expect_holds_for_both([]<class D>() {
        jobs<3> j;
        D d(4);
        std::thread thief([&] {
            j.take(steal_one(d));
            j.take(steal_one(d));
        });
        for (std::size_t i = 0; i < 3; ++i) j.push(d, i);
        while (j.take(d.pop())) {
        }
        thief.join();
        j.check_each_taken_once();
    });
}

TEST(DequeModel, SeveralJobsArePushedAtOnceIfThereIsRoomForAll) {
    model::expect_holds_with_both_barriers([] {
        jobs<4> j;
        fork_deque d(4);
        for (auto& each : j.all) each.made = 1;
        const std::array<counted_job*, 2> first{&j.all[0], &j.all[1]};
        const std::array<counted_job*, 3> more{&j.all[2], &j.all[3], nullptr};
        std::thread thief([&] { j.take(steal_one(d)); });
        model::check(d.push_reversed(first.data(), 2), "there is room for two in four");
        // That the thief has made room shows only after another look at its end.
        model::check(!d.push_reversed(more.data(), 3), "and not for three more");
        model::check(d.push_reversed(more.data(), 2), "but for two");
        while (j.take(d.pop())) {
        }
        thief.join();
        j.check_each_taken_once();
    });
}

TEST(DequeModel, TheOwnerTakesSeveralJobsAtOnceOrNone) {
    const auto owner_and_thieves = [](std::size_t thieves) {
        return [thieves] {
            jobs<4> j;
            deque d(4);
            std::vector<std::thread> others;
            for (std::size_t i = 0; i < thieves; ++i)
                others.emplace_back([&] { j.steal_several(d); });
            for (std::size_t i = 0; i < 4; ++i) j.push(d, i);
            std::array<job*, 2> taken{};
            if (d.pop_many(taken.data(), 2)) {
                model::check(taken[0] == &j.all[2] && taken[1] == &j.all[3], "the oldest first");
                for (job* t : taken) j.take(t);
            }
            j.take(d.pop());
            for (std::thread& t : others) t.join();
            while (j.take(d.pop())) {
            }
            j.check_each_taken_once();
        };
    };
    model::expect_holds(owner_and_thieves(1));
    model::expect_holds(owner_and_thieves(2), model::with_few_outdated());
}

TEST(DequeModel, OwnerAndAThiefOfSeveralShareThreeJobs) {
    model::expect_holds([] {
        jobs<3> j;
        deque d(4);
        std::thread thief([&] {
            j.steal_several(d);
            j.steal_several(d);
        });
        for (std::size_t i = 0; i < 3; ++i) j.push(d, i);
        while (j.take(d.pop())) {
        }
        thief.join();
        j.check_each_taken_once();
    });
}

TEST(DequeModel, OwnerAndTwoThievesOfSeveralShareFourJobs) {
    model::expect_holds(
        [] {
            jobs<4> j;
            deque d(4);
            for (std::size_t i = 0; i < 4; ++i) j.push(d, i);
            std::thread one([&] { j.steal_several(d); });
            std::thread two([&] { j.steal_several(d); });
            while (j.take(d.pop())) {
            }
            one.join();
            two.join();
            while (j.take(d.pop())) {
            }
            j.check_each_taken_once();
        },
        model::with_few_outdated());
}

TEST(DequeModel, AThiefTakesNoMoreThanItsOwnerExpects) {
    model::expect_holds([] {
        jobs<6> j;
        deque d(8, 8);
        for (std::size_t i = 0; i < 6; ++i) j.push(d, i);
        std::thread thief([&] { j.steal_several(d); });
        std::thread owner([&] {
            while (j.take(d.pop())) {
            }
        });
        thief.join();
        owner.join();
        while (j.take(d.pop())) {
        }
        j.check_each_taken_once();
    });
}

// What the owner pops and pushes while a thief has read top must not look to the thief like what it saw.
TEST(DequeModel, AThiefIsNotFooledByOtherJobsAtTheSamePlace) {
    model::expect_holds([] {
        jobs<4> j;
        deque d(4);
        std::thread thief([&] { j.steal_several(d); });
        j.push(d, 0);
        j.push(d, 1);
        j.take(d.pop());
        j.take(d.pop());
        j.push(d, 2);
        j.push(d, 3);
        thief.join();
        while (j.take(d.pop())) {
        }
        j.check_each_taken_once();
    });
}

// cases: T408
TEST(DequeModel, TheLastJobGoesToOneOfOwnerAndTwoThieves) {
    expect_holds_for_both([]<class D>() {
        jobs<2> j;
        D d(2);
        std::thread one([&] { j.take(steal_one(d)); });
        std::thread two([&] { j.take(steal_one(d)); });
        j.push(d, 0);
        j.take(d.pop());
        j.push(d, 1);
        j.take(d.pop());
        one.join();
        two.join();
        while (j.take(d.pop())) {
        }
        j.check_each_taken_once();
    });
}

TEST(DequeModel, ASlotIsNotReusedWhileAThiefReadsIt) {
    expect_holds_for_both([]<class D>() {
        jobs<4> j;
        D d(2);
        std::thread thief([&] {
            j.take(steal_one(d));
            j.take(steal_one(d));
        });
        for (std::size_t i = 0; i < 4; ++i) {
            if (!j.push(d, i)) j.take(&j.all[i]);
        }
        while (j.take(d.pop())) {
        }
        thief.join();
        j.check_each_taken_once();
    });
}

TEST(DequeModel, AThiefFindsItsJobInTheOldOrTheLargerRing) {
    expect_holds_for_both([]<class D>() {
        jobs<3> j;
        D d(1);  // grows twice
        std::thread thief([&] {
            j.take(steal_one(d));
            j.take(steal_one(d));
        });
        for (std::size_t i = 0; i < 3; ++i) j.push(d, i);
        j.take(d.pop());
        thief.join();
        while (j.take(d.pop())) {
        }
        j.check_each_taken_once();
    });
}

TEST(DequeModel, AFullDequeRefusesAndLosesNothing) {
    expect_holds_for_both([]<class D>() {
        jobs<6> j;
        D d(D::max_capacity);
        std::size_t refused = 0;
        std::thread thief([&] { j.take(steal_one(d)); });
        for (std::size_t i = 0; i < 6; ++i) {
            if (j.push(d, i)) continue;
            ++refused;
            j.all[i].taken = 1;  // its maker keeps it
        }
        model::check(refused == 1 || refused == 2, "as many as the thief had left no room for");
        thief.join();
        while (j.take(d.pop())) {
        }
        j.check_each_taken_once();
    });
}

TEST(DequeModel, PopIfTakesTheExpectedJobOrNothing) {
    model::expect_holds_with_both_barriers([] {
        jobs<3> j;
        fork_deque d(4);
        std::thread thief([&] {
            j.take(steal_one(d));
            j.take(steal_one(d));
        });
        j.push(d, 0);
        j.push(d, 1);
        // As a fork_join does: the branch it wants is the youngest, or was stolen.
        if (d.pop_if(&j.all[1])) j.take(&j.all[1]);
        if (d.pop_if(&j.all[0])) j.take(&j.all[0]);
        j.push(d, 2);
        model::check(!d.pop_if(&j.all[1]), "the trace of a stolen job is not taken for it");
        if (d.pop_if(&j.all[2])) j.take(&j.all[2]);
        thief.join();
        j.check_each_taken_once();
    });
}

TEST(DequeModel, IndicesPassTheWrapOfNarrowerTypes) {
    expect_holds_for_both([]<class D>() {
        jobs<3> j;
        D d(2, D::max_capacity, (std::int64_t{1} << 32) - 2);
        std::thread thief([&] { j.take(steal_one(d)); });
        for (std::size_t i = 0; i < 3; ++i) j.push(d, i);
        while (j.take(d.pop())) {
        }
        thief.join();
        j.check_each_taken_once();
    });
}

}  // namespace
