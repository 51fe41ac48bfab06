// tests/model/batch_model.cpp - jobs that wait as one.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <model/support/machine.hpp>

namespace {

using model::machine;
using model::worker;
using taskscope::detail::function_job;
using taskscope::detail::job;

// Of a full deque the youngest jobs go into one that stands for them; and that one may, too.
TEST(BatchModel, EachJobOfAFullDequeIsRunOnce) {
    model::expect_holds(
        [] {
            struct counted_job : function_job {
                counted_job()
                    : function_job(
                          [](function_job& f) noexcept { ++static_cast<counted_job&>(f).runs; }) {}
                int runs = 0;  // plain: two who run it race
            };
            machine m(2);
            counted_job jobs[6];  // a deque has room for 4 here
            const auto run_one = [&](worker& self) {
                job* const j = model::core_access::find(m.core(), self);
                if (j != nullptr) model::core_access::run(m.core(), self, j);
                return j != nullptr;
            };
            std::thread helper = m.be_worker(1, run_one);
            std::thread spawner = m.be_worker(0, [&](worker& self) {
                for (counted_job& j : jobs) self.push(j);
                run_one(self);
            });
            helper.join();
            spawner.join();
            std::thread rest = m.be_worker(0, [&](worker& self) {
                while (run_one(self)) {
                }
            });
            rest.join();
            model::check(m.statistics().injected == 0, "all found room");
            model::check(m.statistics().jobs == 6, "a batch is nobody's job");
            for (const counted_job& j : jobs) model::check(j.runs == 1, "each once");
        },
        model::with_few_outdated());
}

}  // namespace
