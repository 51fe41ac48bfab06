// tests/scope/observer_slots_test.cpp - values beside a child; observers that throw, and that come and go inside of hooks.
// SPDX-License-Identifier: MIT
#include "recorder.hpp"

#include <memory>

namespace {

using namespace taskscope;
using namespace taskscope::test;
using testing::ElementsAre;
using testing::HasSubstr;

// Slots.

struct counted {
    explicit counted(int& n) : live(n) { ++live; }
    ~counted() { --live; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    int& live;
    int steps = 0;
};

struct step_counter final : observer {
    void child_spawned(observed_child& c) override { c.emplace_slot<counted>(live); }
    void child_resumed(const observed_child& c, unsigned) override { ++c.slot<counted>()->steps; }
    void child_completed(const observed_child& c, const child_end&) override {
        steps = c.slot<counted>()->steps;
        EXPECT_EQ(c.slot<int>(), nullptr);
        EXPECT_EQ(live, 1);
    }
    int live = 0;
    int steps = 0;
};

TEST_F(observers, keep_a_value_with_each_child_until_it_has_ended) {
    const auto counter = std::make_shared<step_counter>();
    const observation o = observe(ex, counter);
    auto h = ex.root().spawn_future([this] { return steps(); });
    ex.run_ready();
    EXPECT_EQ(counter->live, 1);
    tick.set();
    ex.run_ready();
    EXPECT_EQ(counter->steps, 2);
    EXPECT_EQ(counter->live, 0) << "the handle keeps the record, not the slot";
}

TEST_F(observers, a_slot_goes_with_its_child_when_the_observer_has_gone) {
    const auto counter = std::make_shared<step_counter>();
    observation o = observe(ex, counter);
    spawn("a");
    o.remove();
    EXPECT_EQ(counter->live, 1);
    tick.set();
    ex.run_ready();
    EXPECT_EQ(counter->live, 0);
}

/// Numbers children by where they come from, such as 1.2: the second child of the first one.
struct ancestry final : observer {
    explicit ancestry(lines& l) : log(l) {}
    struct origin {
        std::string path;
        int children = 0;
    };
    void child_spawned(observed_child& c) override {
        auto* up = c.spawner_slot<origin>();
        const std::string path =
            up != nullptr ? up->path + '.' + std::to_string(++up->children) : "1";
        c.emplace_slot<origin>(origin{path});
        log.push_back(path);
    }
    void child_started(const observed_child& c, unsigned) override {
        EXPECT_EQ(c.spawner_slot<origin>(), nullptr) << "only while it is spawned";
    }
    lines& log;
};

TEST_F(observers, see_the_spawners_value_when_a_child_is_spawned) {
    const observation o = observe(ex, std::make_shared<ancestry>(log));
    ex.root().spawn([&] {
        ex.root().spawn([] {});
        ex.root().spawn([&] { ex.root().spawn([] {}); });
    });
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("1", "1.1", "1.2", "1.2.1"));
}

TEST_F(observers, put_values_into_slots_at_the_spawn_only) {
    struct late final : observer {
        void child_started(const observed_child& c, unsigned) override {
            const_cast<observed_child&>(c).emplace_slot<int>(1);
        }
    };
    const observation o = observe(ex, std::make_shared<late>());
    std::string told;
    ex.root().set_policy([&](const error_context& e) { told = describe(e.error); });
    ex.root().spawn([] {});
    ex.run_ready();
    EXPECT_THAT(told, HasSubstr("child_spawned()"));
}

TEST_F(observers, can_stop_one_child_and_no_other) {
    struct stopper final : observer {
        void child_spawned(observed_child& c) override { stops.push_back(c.own_stop()); }
        std::vector<std::shared_ptr<stop_source>> stops;
    };
    const auto stopper_ = std::make_shared<stopper>();
    const observation o = observe(ex, stopper_);
    const observation r = observe(ex, std::make_shared<recorder>(log));
    spawn("a");
    auto b = ex.root().spawn_future(spawn_options{.name = "b"}, [this] { return steps(); });
    spawn("c");
    ex.run_ready();
    log.clear();
    stopper_->stops[0]->request_stop();
    b.request_stop();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("resumed a", "stopped a", "resumed b", "stopped b"));
    tick.set();
    ex.run_ready();
    EXPECT_FALSE(stopper_->stops[2]->stop_requested());
    stopper_->stops[2]->request_stop();  // after its end
}

TEST_F(observers, children_keep_name_and_locals_when_they_are_observed) {
    struct stops final : observer {
        void child_spawned(observed_child& c) override { c.own_stop(); }
    };
    static const task_local<int> number;
    const observation o = observe(ex, std::make_shared<stops>());
    int seen = 0;
    ex.root().spawn([&]() -> task<> {
        const auto inside = [&]() -> task<> {
            ex.root().spawn(spawn_options{.name = "named"}, [&] { seen = number.get(); });
            co_return;
        };
        co_await with_local(number, 7, inside());
    });
    ex.run_ready();
    EXPECT_EQ(seen, 7);
}

// Observers that throw.

struct thrower final : recorder {
    using recorder::recorder;
    void child_completed(const observed_child& c, const child_end& e) override {
        recorder::child_completed(c, e);
        throw boom("from a hook");
    }
};

// cases: T147, S30
TEST_F(observers, one_that_throws_is_removed_and_reported_once_and_the_others_are_told) {
    lines errors;
    ex.root().set_policy([&](const error_context& e) {
        errors.push_back(std::string(e.task_name) + ": " + describe(e.error) + ", " +
                         place(e.spawned_at));
    });
    const unsigned line = std::source_location::current().line() + 1;
    const observation bad = observe(ex, std::make_shared<thrower>(log, "bad "));
    const observation good = observe(ex, std::make_shared<recorder>(log, "good "));
    auto h = ex.root().spawn_future([]() -> task<int> { co_return 7; });
    ex.root().spawn([] {});
    log.clear();
    ex.run_ready();
    EXPECT_THAT(log, ElementsAre("bad started ", "good started ", "bad value ", "good value ",
                                 "good started ", "good value "));
    EXPECT_THAT(errors, ElementsAre("observer: from a hook, observer_slots_test.cpp:" +
                                    std::to_string(line)));
    EXPECT_EQ(ex.run(std::move(h).as_task()), 7) << "the child's own end is what it was";
    EXPECT_FALSE(ex.root().has_errors());
}

TEST_F(observers, what_one_has_thrown_is_printed_if_the_root_has_no_policy) {
    const observation bad = observe(ex, std::make_shared<thrower>(log));
    testing::internal::CaptureStderr();
    ex.root().spawn([] {});
    ex.run_ready();
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("from a hook"));
}

// Adding and removing inside of hooks.

TEST_F(observers, one_can_remove_itself_and_add_another_inside_of_a_hook) {
    struct once final : observer {
        once(executor& e, lines& l) : home(e), log(l) {}
        void child_spawned(observed_child&) override {
            log.push_back("once");
            next = observe(home, std::make_shared<recorder>(log, "next "));
            self.remove();
        }
        executor& home;
        lines& log;
        observation self;
        observation next;
    };
    const auto first = std::make_shared<once>(ex, log);
    first->self = observe(ex, first);
    ex.root().spawn([] {});
    log.clear();
    ex.root().spawn([] {});
    EXPECT_THAT(log, ElementsAre("next spawned "));
    first->next.remove();
    ex.run_ready();
}

TEST_F(observers, one_that_spawns_is_told_of_that_child_too) {
    struct spawner final : recorder {
        spawner(executor& e, lines& l) : recorder(l), home(e) {}
        void child_completed(const observed_child& c, const child_end& e) override {
            recorder::child_completed(c, e);
            if (c.name() == "a") home.root().spawn(spawn_options{.name = "b"}, [] {});
        }
        executor& home;
    };
    const observation o = observe(ex, std::make_shared<spawner>(ex, log));
    ex.root().spawn(spawn_options{.name = "a"}, [] {});
    ex.run_ready();
    EXPECT_THAT(
        log, ElementsAre("spawned a", "started a", "value a", "spawned b", "started b", "value b"));
}

TEST_F(observers, are_let_go_when_they_are_removed) {
    auto one = std::make_shared<recorder>(log);
    observation o = observe(ex, one);
    EXPECT_EQ(one.use_count(), 2);
    o.remove();
    o.remove();
    EXPECT_EQ(one.use_count(), 1);
}

TEST(observations, may_outlive_their_executor) {
    lines log;
    observation o;
    {
        manual_executor ex;
        o = observe(ex, std::make_shared<recorder>(log));
    }
    o.remove();
}

}  // namespace
