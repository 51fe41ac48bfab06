// tests/cases/support.hpp - what the cases share: virtual time, small tasks, and what is told to whom.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/taskscope.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <scope/support.hpp>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// One thread and virtual time. What no other handler takes is in `reported`.
class scenario : public ledger_test {
protected:
    scenario() {
        ex.root().set_policy(
            [this](const error_context& e) { reported.push_back(describe(e.error)); });
    }

    milliseconds elapsed() const {
        return std::chrono::duration_cast<milliseconds>(ex.now() - began_);
    }

    static task<int> after(milliseconds d, int value) {
        co_await sleep_for(d);
        co_return value;
    }
    static task<int> fail_after(milliseconds d, std::string what) {
        co_await sleep_for(d);
        throw boom(what);
    }
    static task<> sleeps() { co_await sleep_for(1h); }
    task<> say_after(milliseconds d, std::string what) {
        co_await sleep_for(d);
        seen.push_back(std::move(what));
    }
    /// Takes no notice of a stop for so long.
    task<> deaf(milliseconds d) {
        async_event never;
        [[maybe_unused]] const bool happened = co_await never.wait_until_shielded(ex.now() + d);
    }
    /// Fails after so long, whether it was stopped or not.
    task<int> fail_in_any_case(milliseconds d, std::string what) {
        co_await deaf(d);
        throw boom(what);
    }
    /// Waits until it is stopped, and fails then.
    static task<> fail_when_stopped(std::string what) {
        const bool slept = co_await stopped_as_optional(sleeps());
        if (!slept) throw boom(what);
    }

    /// The texts of the errors that a group with this body throws; empty if it throws none.
    template <class Body>
    std::vector<std::string> errors_of(Body body) {
        std::vector<std::string> texts;
        run(ex, [&]() -> task<> {
            try {
                co_await with_group(body);
            } catch (const exception_group& g) {
                texts = texts_of(g);
            }
        });
        return texts;
    }
    static std::vector<std::string> texts_of(const exception_group& g) {
        std::vector<std::string> texts;
        for (const recorded_error& e : g.errors()) texts.push_back(describe(e.error));
        return texts;
    }

    manual_executor ex;
    std::vector<std::string> seen;
    std::vector<std::string> reported;

private:
    const executor::clock::time_point began_ = ex.now();
};

/// Says `name` when it is destroyed: that a frame is gone, and when.
struct farewell {
    farewell(std::vector<std::string>& to, std::string n) : seen(&to), name(std::move(n)) {}
    farewell(const farewell&) = delete;
    farewell& operator=(const farewell&) = delete;
    ~farewell() { seen->push_back(name); }

    std::vector<std::string>* seen;
    std::string name;
};

}  // namespace taskscope::test
