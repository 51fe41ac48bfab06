// tests/model/registry_model.cpp - children that end while somebody walks over the registry.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>
#include <optional>

namespace {

using model::machine;
using model::worker;
using taskscope::task_scope;
using taskscope::detail::child;
using taskscope::detail::child_registry;
using taskscope::detail::job;
using taskscope::detail::promise_base;
using taskscope::detail::receiver;
using taskscope::detail::scope_access;
using taskscope::detail::scope_state;

struct record : child {
    explicit record(scope_state& s) : child(nullptr, s, std::source_location::current()) {}
    int text =
        7;  // plain: a walker reads it, and the owner's memory may go when remove() has returned
};

/// A registry of its own, beside a scope for the records.
struct setting {
    explicit setting(unsigned workers) : m(workers), scope(m), registry(workers) {}

    scope_state& state() { return scope_access::state(scope); }
    std::unique_ptr<record> make() { return std::make_unique<record>(state()); }
    /// By a worker that works for a task of the scope.
    void add(worker& w, record& r) {
        w.context = &state().context;
        registry.add(r);
        w.context = nullptr;
    }
    int walk() {
        int found = 0;
        registry.for_each([&](const child& c) {
            model::check(static_cast<const record&>(c).text == 7,
                         "a record that is found is whole");
            ++found;
        });
        return found;
    }

    machine m;
    task_scope scope;
    child_registry registry;
};

TEST(RegistryModel, WhatAWalkerFindsStaysUntilItHasReadIt) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        std::thread owner = s.m.be_worker(0, [&](worker& w) {
            w.context = &s.state().context;
            auto c = s.make();
            s.registry.add(*c);
            s.registry.remove(*c);
            c->text = 0;
            c.reset();
            w.context = nullptr;
        });
        s.walk();
        owner.join();
        model::check(s.walk() == 0, "nobody is left");
    });
}

TEST(RegistryModel, AChildMayEndOnAnotherThreadWhileItsPlaceIsUsedAgain) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        auto first = s.make();
        std::unique_ptr<record> second;
        std::optional<std::thread> other;
        std::thread owner = s.m.be_worker(0, [&](worker& w) {
            w.context = &s.state().context;
            s.registry.add(*first);
            other.emplace([&] {
                s.registry.remove(*first);
                first->text = 0;
                first.reset();
            });
            second = s.make();
            s.registry.add(*second);
            w.context = nullptr;
        });
        s.walk();
        owner.join();
        other->join();
        model::check(s.walk() == 1, "the second is listed");
        s.registry.remove(*second);
    });
}

// Through a portal it works for a task of this executor, and has no places in it.
TEST(RegistryModel, AWorkerComesFromAnotherExecutor) {
    model::expect_holds([] {
        setting s(1);
        machine other(2);
        auto mine = s.make();
        auto theirs = s.make();
        std::thread guest = other.be_worker(0, [&](worker& w) { s.add(w, *theirs); });
        std::thread owner = s.m.be_worker(0, [&](worker& w) { s.add(w, *mine); });
        guest.join();
        owner.join();
        model::check(s.walk() == 2, "both are listed");
        s.registry.remove(*mine);
        s.registry.remove(*theirs);
    });
}

// They share places, and make more of them.
TEST(RegistryModel, ThreadsThatAreNoWorkersHaveAPlaceForEachChild) {
    model::expect_holds([] {
        setting s(1);
        auto first = s.make();
        auto second = s.make();
        auto third = s.make();
        std::thread other([&] { s.registry.add(*second); });
        s.registry.add(*first);
        s.registry.add(*third);
        other.join();
        model::check(s.walk() == 3, "all are listed");
        s.registry.remove(*first);
        s.registry.remove(*second);
        s.registry.remove(*third);
        model::check(s.walk() == 0, "nobody is left");
    });
}

TEST(RegistryModel, AWalkFindsPlacesThatWereJustMade) {
    model::expect_holds([] {
        setting s(1);
        auto first = s.make();
        auto second = s.make();
        std::thread walker([&] { s.walk(); });
        std::thread owner = s.m.be_worker(0, [&](worker& w) { s.add(w, *first); });
        s.registry.add(*second);
        owner.join();
        walker.join();
        model::check(s.walk() == 2, "both are listed");
        s.registry.remove(*first);
        s.registry.remove(*second);
    });
}

// In a place that was there before the record was.
TEST(RegistryModel, AWalkReadsAWholeRecordOfAThreadThatIsNoWorker) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        auto first = s.make();
        s.registry.add(*first);
        std::thread walker([&] { s.walk(); });
        auto second = s.make();
        s.registry.add(*second);
        s.registry.remove(*second);
        second->text = 0;
        second.reset();
        walker.join();
        model::check(s.walk() == 1, "the first is listed");
        s.registry.remove(*first);
    });
}

}  // namespace
