// tests/model/admission_model.cpp - places that are given back while others wait for them, give up, or are stopped.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/admission.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <model/support/machine.hpp>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using model::core_access;
using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::admission;
using taskscope::admission_limits;
using taskscope::admission_place;
using taskscope::stop_source;
using taskscope::task;
using taskscope::task_scope;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;

/// A door with one place.
struct setting {
    explicit setting(const admission_limits& limits = {.max_live = 1}) : door(scope, limits) {}

    /// Whoever had a place has given it back, and nobody waits.
    void check_empty() {
        const taskscope::admission_counts c = door.counts();
        model::check(c.live == 0 && c.bytes == 0 && c.waiting == 0, "each place was given back");
    }

    machine m{1};
    task_scope scope{m};
    admission door;
    std::uint64_t places = 1;
    int inside = 0;  // plain: whoever has the only place may change it
};

task<> pass(setting& s) {
    auto entering = s.door.enter();
    const admission_place place = co_await std::move(entering);
    model::check(++s.inside == 1 && s.door.counts().live <= s.places, "one at a time");
    --s.inside;
}

TEST(AdmissionModel, APlaceGoesToWhoWaitsForIt) {
    model::expect_holds([] {
        setting s;
        std::optional<admission_place> first(s.door.try_enter());
        model::check(first.has_value() && static_cast<bool>(*first), "there is a place");
        started<void> t(s.m, pass(s));
        std::thread w = s.m.be_worker(0, [&](worker& self) { t.run_on(s.m, self); });
        s.inside = 1;
        s.inside = 0;
        first.reset();
        w.join();
        model::check(t.how == outcome::value, "it was admitted");
        s.check_empty();
    });
}

TEST(AdmissionModel, OfAPlaceAndAStopOneEndsTheWait) {
    model::expect_holds([] {
        setting s;
        std::optional<admission_place> first(s.door.try_enter());
        stop_source stop;
        started<void> t(s.m, pass(s), stop.token());
        std::thread w = s.m.be_worker(0, [&](worker& self) { t.run_on(s.m, self); });
        std::thread stopper([&] { stop.request_stop(); });
        first.reset();
        w.join();
        stopper.join();
        s.check_empty();
    });
}

// Who is stopped in the moment it is admitted gives its place to the one behind it.
TEST(AdmissionModel, AStopTakesNoPlaceWithIt) {
    model::expect_holds(
        [] {
            setting s;
            std::optional<admission_place> first(s.door.try_enter());
            stop_source stop;
            started<void> a(s.m, pass(s), stop.token());
            started<void> b(s.m, pass(s));
            std::thread w = s.m.be_worker(0, [&](worker& self) {
                core_access::run(s.m.core(), self, &a.promise());
                b.run_on(s.m, self);
                s.m.run_until(self, [&] { return a.ends != 0; });
            });
            std::thread stopper([&] { stop.request_stop(); });
            first.reset();
            w.join();
            stopper.join();
            model::check(b.how == outcome::value, "nobody has stopped it");
            s.check_empty();
        },
        model::with_few_outdated());
}

TEST(AdmissionModel, OfAPlaceAndTheEndOfPatienceOneEndsTheWait) {
    model::expect_holds([] {
        setting s({.max_live = 1, .max_wait = 1s});
        std::optional<admission_place> first(s.door.try_enter());
        started<void> t(s.m, pass(s));
        std::thread w = s.m.be_worker(0, [&](worker& self) { t.run_on(s.m, self); });
        std::thread time([] { model::advance_clock(1s); });
        first.reset();
        w.join();
        time.join();
        model::check(s.door.counts().too_late == (t.how == outcome::error ? 1 : 0),
                     "it was admitted or has given up");
        s.check_empty();
    });
}

TEST(AdmissionModel, WhoWaitsIsToldThatTheScopeIsClosed) {
    model::expect_holds([] {
        setting s;
        const admission_place first = s.door.try_enter();
        started<void> t(s.m, pass(s));
        std::thread w = s.m.be_worker(0, [&](worker& self) { t.run_on(s.m, self); });
        s.scope.close();
        w.join();
        model::check(t.how == outcome::error, "it was refused");
    });
}

TEST(AdmissionModel, RaisedLimitsAdmitWhoWaits) {
    model::expect_holds([] {
        setting s;
        const admission_place first = s.door.try_enter();
        started<void> t(s.m, pass(s));
        std::thread w = s.m.be_worker(0, [&](worker& self) { t.run_on(s.m, self); });
        s.places = 2;
        s.door.set_limits({.max_live = 2});
        w.join();
        model::check(t.how == outcome::value, "it was admitted");
    });
}

TEST(AdmissionModel, OfTwoThatTryOneHasThePlace) {
    model::expect_holds([] {
        setting s;
        std::optional<admission_place> other;
        std::thread one([&] { other.emplace(s.door.try_enter()); });
        const taskscope::admission_counts seen = s.door.counts();
        model::check(seen.live == seen.admitted && seen.full == 0, "what is read is so");
        admission_place mine = s.door.try_enter();
        one.join();
        model::check(static_cast<bool>(mine) != static_cast<bool>(*other), "one of the two");
        other.reset();
        mine = admission_place();
        s.check_empty();
    });
}

// A child is charged with its size when it has been made, while others look, and leave.
TEST(AdmissionModel, BytesAreGivenBackAsTheyWereTaken) {
    model::expect_holds([] {
        setting s({.max_live = 2});
        int ran = 0;
        std::optional<admission_place> first(s.door.try_enter());
        std::thread other([&] { first.reset(); });
        const auto child = [&ran] { ++ran; };
        model::check(s.door.try_spawn(child), "there is a place");
        other.join();
        std::thread w = s.m.be_worker(
            0, [&](worker& self) { core_access::run(s.m.core(), self, s.m.next_job(self)); });
        w.join();
        model::check(ran == 1, "it ran");
        s.check_empty();
    });
}

TEST(AdmissionModel, AScopeHasOneDoor) {
    model::expect_holds([] {
        machine m(1);
        task_scope scope(m);
        scope_state& state = scope_access::state(scope);
        std::optional<admission> doors[2];
        const auto open = [&](int i) {
            try {
                doors[i].emplace(scope, admission_limits{.max_live = 1});
            } catch (const taskscope::misuse_error&) {
                doors[i].reset();
            }
        };
        std::thread one([&] { open(0); });
        const auto first = state.admission();
        open(1);
        const auto seen = state.admission();
        model::check(seen != nullptr && seen->info().limits.max_live == 1, "there is one by now");
        model::check(first == nullptr || first == seen, "and never another one");
        one.join();
        model::check(doors[0].has_value() != doors[1].has_value(), "one of the two");
    });
}

}  // namespace
