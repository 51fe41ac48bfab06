// tests/model/watcher_model.cpp - a worker comes to know of a watcher while it runs.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/watcher.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <model/support/machine.hpp>

namespace {

using model::machine;
using model::worker;

TEST(WatcherModel, IsWholeWhenAWorkerSeesIt) {
    model::expect_holds([] {
        struct watching final : taskscope::detail::watcher {
            taskscope::detail::watched& record(
                taskscope::detail::traced_receiver&) noexcept override {
                return nothing;
            }
            bool takes_up(worker&, taskscope::detail::watched&, bool) noexcept override {
                return false;
            }
            void lets_go(worker&, taskscope::detail::watched&,
                         std::source_location) noexcept override {}
            void thread_ends(worker&) noexcept override {
                model::check(text == 7, "a watcher is whole");
            }
            int text = 7;
            taskscope::detail::watched nothing;
        };
        machine m(1);
        std::unique_ptr<watching> who;
        std::thread owner =
            m.be_worker(0, [](worker& w) { taskscope::detail::watched_thread_ends(w); });
        who = std::make_unique<watching>();
        taskscope::detail::set_watcher(m, who.get());
        owner.join();
        taskscope::detail::set_watcher(m, nullptr);
    });
}

}  // namespace
