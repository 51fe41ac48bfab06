// tests/model/checker/model.cpp - what tests see of the checker.
// SPDX-License-Identifier: MIT
#include "mutant.hpp"
#include "runtime.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <model/atomic.hpp>
#include <string_view>

namespace model {
namespace {

const char* variable(const char* name) {
    const char* text = std::getenv(name);
    return text != nullptr && *text != '\0' ? text : nullptr;
}

}  // namespace

options from_environment() {
    options o;
    if (const char* t = variable("TASKSCOPE_MODEL_BOUND"))
        o.preemptions = static_cast<unsigned>(std::stoul(t));
    if (const char* t = variable("TASKSCOPE_MODEL_SEED")) o.seed = std::stoull(t);
    if (const char* t = variable("TASKSCOPE_MODEL_ROUNDS")) o.rounds = std::stoull(t);
    if (const char* t = variable("TASKSCOPE_MODEL_SECONDS"))
        o.limit = std::chrono::seconds(std::stoul(t));
    if (const char* t = variable("TASKSCOPE_MODEL_MODE")) {
        const std::string_view name = t;
        if (name == "random") o.how = mode::random;
        if (name == "pct") o.how = mode::pct;
    }
    if (const char* t = variable("TASKSCOPE_MODEL_PATH")) {
        o.how = mode::replay;
        o.path = t;
    }
    return o;
}

options with_few_outdated() {
    options o = from_environment();
    o.outdated = 1;
    return o;
}

result explore(const std::function<void()>& body, options o) {
    // A broken contract ends in terminate().
    const auto before = std::set_terminate([] {
        if (runtime* r = runtime::running()) r->fail("terminate");
        std::abort();
    });
    runtime r(o, body);
    result found = r.explore();
    std::set_terminate(before);
    return found;
}

void expect_holds(const std::function<void()>& body, options o) {
    const auto start = std::chrono::steady_clock::now();
    const result r = explore(body, o);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    if (r.failed) {
        ADD_FAILURE() << r.report;
    } else if (!r.complete && !r.cut_off) {
        ADD_FAILURE() << "not everything was seen in " << r.runs << " runs";
    }
    std::cout << "model: " << r.runs << " runs, " << r.pruned << " pruned, " << took.count()
              << " ms\n";
    testing::Test::RecordProperty("runs", std::to_string(r.runs));
    if (r.cut_off) GTEST_SKIP() << "cut off: not everything was seen, and nothing is wrong so far";
}

void check(bool holds, const char* what, std::source_location where) {
    if (holds) return;
    runtime* r = runtime::running();
    if (r == nullptr) std::abort();
    const not_modelled guard;
    std::string_view file = where.file_name();
    file.remove_prefix(file.rfind('/') + 1);
    r->fail("wrong: " + std::string(what) + " (" + std::string(file) + ':' +
            std::to_string(where.line()) + ')');
}

unsigned choose(unsigned n) {
    runtime* r = runtime::running();
    if (r == nullptr) return 0;
    const not_modelled guard;
    return r->choose(n);
}

void advance_clock(std::chrono::nanoseconds by) {
    if (runtime* r = runtime::running()) {
        const not_modelled guard;
        r->advance(by.count(), __builtin_return_address(0));
    }
}

bool is_mutant(int number) noexcept {
    static const int chosen = [] {
        const char* text = variable("TASKSCOPE_MUTANT");
        return text != nullptr ? std::atoi(text) : 0;
    }();
    return chosen == number;
}

void heavy_barrier() {
    if (runtime* r = runtime::running()) {
        const not_modelled guard;
        r->heavy_fence(__builtin_return_address(0));
    }
}

void end_of_life(void* address, std::size_t size) noexcept {
    if (runtime* r = runtime::running()) {
        const not_modelled guard;
        r->touched(reinterpret_cast<std::uintptr_t>(address), size, touch::end,
                   __builtin_return_address(0));
    }
}

void outside(const std::function<void()>& f) {
    const not_modelled guard;
    f();
}

void register_thread_local(void** variable) { runtime::thread_locals().push_back(variable); }

}  // namespace model
