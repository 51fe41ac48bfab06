// tests/model/bridge_model.cpp - results from elsewhere, and chains of task-locals with several owners.
// SPDX-License-Identifier: MIT
#include <taskscope/result_promise.hpp>
#include <taskscope/task_local.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>
#include <optional>
#include <thread>
#include <utility>

namespace {

using model::machine;
using model::outcome;
using model::started;
using model::worker;
using taskscope::pending_result;
using taskscope::result_promise;
using taskscope::stop_source;
using taskscope::task;
using taskscope::detail::bound_local;
using taskscope::detail::local_binding;
using taskscope::detail::local_chain;

task<> expect_one(std::unique_ptr<pending_result<int*>> r) {
    int* const value = co_await *r;
    model::check(*value == 1, "what the giver did");
}

TEST(BridgeModel, AResultMeetsItsTaskAndAStop) {
    model::expect_holds([] {
        machine m(1);
        stop_source stop;
        auto r = std::make_unique<pending_result<int*>>();
        auto promise = std::make_unique<result_promise<int*>>(r->make_promise());
        auto value = std::make_unique<int>(0);
        bool taken = false;
        started<void> t(m, expect_one(std::move(r)), stop.token());
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        std::thread stopper([&] { stop.request_stop(); });
        *value = 1;
        taken = promise->set_value(value.get());
        promise.reset();
        w.join();
        stopper.join();
        model::check(taken || t.how == outcome::stopped, "who takes nothing was stopped");
    });
}

TEST(BridgeModel, APromiseThatIsDroppedEndsTheWait) {
    model::expect_holds([] {
        machine m(1);
        auto r = std::make_unique<pending_result<int*>>();
        auto promise = std::make_unique<result_promise<int*>>(r->make_promise());
        started<void> t(m, expect_one(std::move(r)));
        std::thread w = m.be_worker(0, [&](worker& self) { t.run_on(m, self); });
        promise.reset();
        w.join();
        model::check(t.how == outcome::error, "a broken promise");
    });
}

TEST(BridgeModel, OfTwoResultsOneIsTaken) {
    model::expect_holds([] {
        auto r = std::make_unique<pending_result<int*>>();
        const auto promise = std::make_unique<result_promise<int*>>(r->make_promise());
        int values[2] = {0, 0};
        bool taken[2] = {false, false};
        std::thread other([&] {
            values[1] = 1;
            taken[1] = promise->set_value(&values[1]);
        });
        values[0] = 1;
        taken[0] = promise->set_value(&values[0]);
        other.join();
        model::check(taken[0] != taken[1], "one of the two");
        r.reset();
    });
}

// Who knows that the task's end is gone is told so by whoever comes with a result; nothing is kept.
TEST(BridgeModel, AResultThatNobodyWantsIsRefused) {
    model::expect_holds([] {
        auto r = std::make_unique<pending_result<std::shared_ptr<int>>>();
        auto promise = std::make_unique<result_promise<std::shared_ptr<int>>>(r->make_promise());
        taskscope::detail::atomic<bool> dropped{false};
        std::thread task_side([&] {
            r.reset();
            dropped.store(true, std::memory_order_release);
        });
        const auto value = std::make_shared<int>(1);
        const bool was_dropped = dropped.load(std::memory_order_acquire);
        const bool taken = promise->set_value(value);
        model::check(!taken || !was_dropped, "nobody takes it any more");
        model::check(value.use_count() == (taken ? 2 : 1), "what is refused is not kept");
        task_side.join();
        promise.reset();
        model::check(value.use_count() == 1, "nothing is left of it");
    });
}

// What a binding holds is read by whoever has it, and destroyed by the last one.
TEST(BridgeModel, TheLastOwnerOfALocalDestroysWhatTheOthersHaveRead) {
    model::expect_holds([] {
        const taskscope::task_local<int> key;
        local_chain first(new bound_local<int>(&key, nullptr, 1));
        local_chain chain(new bound_local<int>(&key, first.get(), 2));
        first = {};
        const auto read = [](const local_chain& c) {
            const local_binding* const outer = c.get()->outer;
            return static_cast<const bound_local<int>*>(c.get())->value +
                   static_cast<const bound_local<int>*>(outer)->value;
        };
        std::thread other([&read, mine = local_chain::share(chain.get())]() mutable {
            model::check(read(mine) == 3, "its values");
            mine = {};
        });
        model::check(read(chain) == 3, "its values");
        chain = {};
        other.join();
    });
}

}  // namespace
