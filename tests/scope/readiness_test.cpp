// tests/scope/readiness_test.cpp - a tree is ready when everybody in it has said so.
// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <taskscope/readiness.hpp>

#include <chrono>

namespace taskscope::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ready_tree : public ledger_test {
protected:
    manual_executor ex;
};

TEST_F(ready_tree, names_the_scopes_in_which_somebody_has_not_signalled) {
    task_scope app{ex, {.name = "app"}};
    task_scope pool{app, {.name = "pool"}};
    const auto connects = [](std::chrono::milliseconds d, start_signal<> ready) -> task<> {
        co_await sleep_for(d);
        ready();
        co_await sleep_for(1h);
    };
    const auto application = [&](start_signal<> ready) -> task<> {
        co_await gather(pool.start(connects, 1ms), pool.start(connects, 2ms));
        ready();
    };
    EXPECT_TRUE(readiness(ex.root()).ready());
    run(ex, [&]() -> task<> {
        co_await with_scope([&](task_scope& s) -> task<> {
            s.spawn([&]() -> task<> { co_await app.start(application); });
            co_await yield();
            EXPECT_EQ(readiness(app).text(), "not ready: /app, /app/pool (2)");
            EXPECT_THAT(app.describe(), HasSubstr("1 live, 1 starting"));
            EXPECT_THAT(dump(app, format::json), HasSubstr("\"starting\":2"));
            co_await sleep_for(1ms);
            EXPECT_EQ(readiness(app).text(), "not ready: /app, /app/pool");
        });
    });
    EXPECT_TRUE(readiness(ex.root()).ready());
    EXPECT_EQ(readiness(app).text(), "ready");
    pool.blocking_join();
    app.blocking_join();
}

TEST_F(ready_tree, does_not_wait_for_who_has_failed) {
    task_scope s{ex};
    const auto fails = [](start_signal<>) -> task<> {
        throw boom();
        co_return;
    };
    EXPECT_THROW(run(ex, [&]() -> task<> { co_await s.start(fails); }), boom);
    EXPECT_TRUE(readiness(s).ready());
}

}  // namespace
}  // namespace taskscope::test
