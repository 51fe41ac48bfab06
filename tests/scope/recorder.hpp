// tests/scope/recorder.hpp - an observer that writes down what it is told.
// SPDX-License-Identifier: MIT
#pragma once

#include "support.hpp"

#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace taskscope::test {

using lines = std::vector<std::string>;

inline std::string word(completion_kind k) {
    return k == completion_kind::value   ? "value"
           : k == completion_kind::error ? "error"
                                         : "stopped";
}

/// Writes down what it is told.
struct recorder : observer {
    explicit recorder(lines& l, std::string m = {}) : log(l), mark(std::move(m)) {}

    void child_spawned(observed_child& c) override { add("spawned", c); }
    void child_started(const observed_child& c, unsigned) override { add("started", c); }
    void child_resumed(const observed_child& c, unsigned) override { add("resumed", c); }
    void child_suspended(const observed_child& c, unsigned, std::source_location) override {
        add("suspended", c);
    }
    void child_completed(const observed_child& c, const child_end& e) override {
        add(word(e.how), c);
    }
    void add(const std::string& what, const observed_child& c) {
        log.push_back(mark + what + ' ' + std::string(c.name()));
    }

    lines& log;
    std::string mark;
};

class observers : public ledger_test {
protected:
    task<> steps() {
        co_await yield();
        co_await tick.wait();
    }
    void spawn(std::string_view name) {
        ex.root().spawn(spawn_options{.name = name}, [this] { return steps(); });
    }

    manual_executor ex;
    async_event tick;
    lines log;
};

}  // namespace taskscope::test
