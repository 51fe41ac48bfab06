// tests/model/observer_model.cpp - observers that come and go while somebody tells them something.
// SPDX-License-Identifier: MIT
#include "observer_list.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <model/support/scope.hpp>
#include <thread>
#include <utility>

namespace {

using model::machine;
using model::worker;
using taskscope::observation;
using taskscope::observe;
using taskscope::observed_child;
using taskscope::observer;
using taskscope::task_scope;
using taskscope::detail::observer_entry;
using taskscope::detail::observer_list;

/// Its text is plain: one that is called is whole, and its memory may go when remove() has returned.
struct probe : observer {
    int text = 7;
    std::function<void()> hook;
};

struct setting {
    explicit setting(unsigned workers) : m(workers), list(m.core(), workers) {}

    std::uint64_t add(std::function<void()> hook = {}) {
        auto p = std::make_shared<probe>();
        p->hook = std::move(hook);
        return list.add(std::make_unique<observer_entry>(p, std::source_location::current()));
    }
    /// Returns how many were called.
    int tell() {
        int called = 0;
        list.for_each([&](const observer_entry& e, const std::uint64_t*) {
            const auto& p = static_cast<const probe&>(*e.who);
            model::check(p.text == 7, "an observer that is called is whole");
            ++called;
            if (p.hook) p.hook();
        });
        return called;
    }

    machine m;
    observer_list list;
};

TEST(ObserverModel, WhoeverIsRemovedIsNotCalledAfterwards) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        const std::uint64_t first = s.add();
        std::thread owner = s.m.be_worker(0, [&](worker&) {
            s.tell();
            s.tell();
        });
        s.list.remove(first);  // frees it
        owner.join();
        model::check(s.tell() == 0, "nobody is left");
    });
}

TEST(ObserverModel, WhoeverIsFoundIsWhole) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        const std::uint64_t first = s.add();
        std::thread owner = s.m.be_worker(0, [&](worker&) { s.tell(); });
        s.add();
        s.list.remove(first);
        owner.join();
        model::check(s.tell() == 1, "the second is there");
    });
}

TEST(ObserverModel, AThreadThatIsNoWorkerIsWaitedForToo) {
    model::expect_holds_with_both_barriers([] {
        setting s(1);
        const std::uint64_t first = s.add();
        std::thread outside([&] {
            s.tell();
            s.tell();
        });
        s.list.remove(first);
        outside.join();
    });
}

TEST(ObserverModel, TwoThatAreRemovedInEachOthersHooksDoNotWaitForEachOther) {
    model::expect_holds_with_both_barriers([] {
        setting s(2);
        std::uint64_t first = 0;
        std::uint64_t second = 0;
        const auto remove_both = [&] {
            s.list.remove(first);
            s.list.remove(second);
        };
        first = s.add(remove_both);
        second = s.add();
        std::thread one = s.m.be_worker(0, [&](worker&) { s.tell(); });
        std::thread other = s.m.be_worker(1, [&](worker&) { s.tell(); });
        one.join();
        other.join();
        model::check(s.tell() == 0, "nobody is left");
        s.list.remove(s.add());  // frees them
    });
}

TEST(ObserverModel, AHookThatRemovesItsOwnAndTheNextIsTheLast) {
    model::expect_holds([] {
        setting s(1);
        std::uint64_t first = 0;
        std::uint64_t second = 0;
        first = s.add([&] {
            s.list.remove(first);
            s.list.remove(second);
        });
        second = s.add();
        std::thread owner = s.m.be_worker(
            0, [&](worker&) { model::check(s.tell() == 1, "the second is not called"); });
        owner.join();
    });
}

// One goes, which was the last, and another one comes.
TEST(ObserverModel, WhoeverIsToldOfASpawnIsToldOfTheBeginning) {
    model::options fewer = model::from_environment();
    if (fewer.preemptions > 1) --fewer.preemptions;  // else it takes a minute
    model::expect_holds(
        [] {
            struct counting : observer {
                void child_spawned(observed_child&) override { ++spawned; }
                void child_started(const observed_child&, unsigned) override { ++started; }
                int spawned = 0;
                int started = 0;
            };
            machine m(1);
            auto s = std::make_unique<task_scope>(m);
            observation first = observe(m, std::make_shared<counting>());
            observation second;
            const auto who = std::make_shared<counting>();
            std::thread goes([&] { first.remove(); });
            std::thread comes([&] { second = observe(m, who); });
            std::thread only = m.be_worker(0, [&](worker& w) {
                s->spawn([] {});
                model::core_access::run(m.core(), w, w.pop());
            });
            only.join();
            goes.join();
            comes.join();
            model::check(who->started == who->spawned, "of both or of neither");
            model::join(s, m);
        },
        fewer);
}

}  // namespace
