// tests/model/stop_model.cpp - stop sources, their callbacks and their trees.
// SPDX-License-Identifier: MIT
#include <taskscope/stop_token.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <model/checker/model.hpp>
#include <optional>
#include <thread>

namespace {

using taskscope::stop_callback;
using taskscope::stop_source;

TEST(StopModel, ACallbackThatIsDeregisteredDoesNotRunAnyMore) {
    model::expect_holds([] {
        stop_source s;
        std::thread stopper([&] { s.request_stop(); });
        {
            auto owned = std::make_unique<int>(0);  // gone with the block
            const stop_callback c(s.token(), [p = owned.get()] { ++*p; });
        }
        stopper.join();
    });
}

TEST(StopModel, ACallbackRunsOnceWhoeverIsFirst) {
    model::expect_holds([] {
        stop_source s;
        int calls = 0;
        int first = 0;
        {
            const stop_callback c(s.token(), [&] { ++calls; });
            std::thread other([&] {
                if (s.request_stop()) first += 1;
            });
            const bool won = s.request_stop();
            other.join();
            if (won) first += 2;
        }
        model::check(calls == 1, "once");
        model::check(first == 1 || first == 2, "one request is the first");
    });
}

TEST(StopModel, RegistrationAgainstRequestCallsItOneWayOrTheOther) {
    model::expect_holds([] {
        stop_source s;
        int calls = 0;
        std::thread stopper([&] { s.request_stop(); });
        std::optional<stop_callback<std::function<void()>>> c;
        c.emplace(s.token(), [&] { ++calls; });
        stopper.join();
        c.reset();
        model::check(calls == 1, "once");
    });
}

TEST(StopModel, ACallbackMayDestroyItself) {
    model::expect_holds([] {
        struct self_destroying {
            std::optional<stop_callback<std::function<void()>>> c;
        };
        stop_source s;
        auto held = std::make_unique<self_destroying>();
        held->c.emplace(s.token(), [&held] { held.reset(); });
        std::thread stopper([&] { s.request_stop(); });
        const stop_callback other(s.token(), [] {});
        stopper.join();
        model::check(held == nullptr, "it ran");
    });
}

TEST(StopModel, TwoCallbacksAreDeregisteredWhileTheyRun) {
    model::expect_holds([] {
        stop_source s;
        std::thread stopper([&] { s.request_stop(); });
        const auto one = [&] {
            auto owned = std::make_unique<int>(0);
            const stop_callback c(s.token(), [p = owned.get()] { ++*p; });
        };
        std::thread other(one);
        one();
        other.join();
        stopper.join();
    });
}

TEST(StopModel, WhoeverSeesTheRequestSeesWhatCameBefore) {
    model::expect_holds([] {
        stop_source s;
        int data = 0;
        std::thread stopper([&] {
            data = 1;
            s.request_stop();
        });
        if (s.stop_requested()) model::check(data == 1, "what the requester did");
        stopper.join();
    });
}

// Trees.

TEST(StopModel, WhoeverSeesTheRequestBelowSeesWhatCameBefore) {
    model::expect_holds([] {
        stop_source top;
        stop_source below(top.token());
        int data = 0;
        std::thread stopper([&] {
            data = 1;
            top.request_stop();
        });
        if (below.stop_requested()) model::check(data == 1, "what the requester did");
        stopper.join();
    });
}

TEST(StopModel, ASourceBelowMayGoWhileTheOneAboveIsStopped) {
    model::expect_holds([] {
        stop_source top;
        std::thread stopper([&] { top.request_stop(); });
        {
            auto below = std::make_unique<stop_source>(top.token());
            auto owned = std::make_unique<int>(0);
            const stop_callback c(below->token(), [p = owned.get()] { ++*p; });
        }
        stopper.join();
    });
}

TEST(StopModel, AStopFromAboveAndOneOfItsOwnMeet) {
    model::expect_holds([] {
        stop_source top;
        auto below = std::make_unique<stop_source>(top.token());
        int calls = 0;
        std::optional<stop_callback<std::function<void()>>> c;
        c.emplace(below->token(), [&] { ++calls; });
        std::thread stopper([&] { top.request_stop(); });
        below->request_stop();
        stopper.join();
        c.reset();
        below.reset();
        model::check(calls == 1, "once");
    });
}

TEST(StopModel, OneOfTwoStopsCallsAndTheOtherDoesNot) {
    model::expect_holds([] {
        stop_source top;
        auto below = std::make_unique<stop_source>(top.token());
        std::thread one([&] { top.request_stop(); });
        std::thread two([&] { below->request_stop(); });
        {
            auto first = std::make_unique<int>(0);
            auto second = std::make_unique<int>(0);
            const stop_callback c(below->token(), [p = first.get()] { ++*p; });
            const stop_callback d(below->token(), [p = second.get()] { ++*p; });
        }
        two.join();
        one.join();
        below.reset();
    });
}

TEST(StopModel, ADetachedSourceIsNotReachedAfterwards) {
    model::expect_holds([] {
        auto top = std::make_unique<stop_source>();
        stop_source middle(top->token());
        stop_source below(middle.token());
        std::thread stopper([&, t = top.get()] { t->request_stop(); });
        middle.detach();
        stopper.join();
        top.reset();  // nobody is attached any more
        model::check(middle.stop_requested() == below.stop_requested(), "both or none");
    });
}

TEST(StopModel, ACallbackMayDestroyASourceThatTheStopHasYetToReach) {
    model::expect_holds([] {
        stop_source top;
        auto first = std::make_unique<stop_source>(top.token());
        auto second = std::make_unique<stop_source>(top.token());
        const stop_callback c(second->token(), [&] { first.reset(); });
        std::thread stopper([&] { top.request_stop(); });
        stopper.join();
        model::check(first == nullptr, "it was called");
    });
}

}  // namespace
