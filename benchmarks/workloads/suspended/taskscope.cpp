// benchmarks/workloads/suspended/taskscope.cpp - children of one scope wait for one event.
// SPDX-License-Identifier: MIT
#include "suspended.hpp"

#include <taskscope/taskscope.hpp>

#include <atomic>
#include <optional>

namespace {

namespace ts = taskscope;

class children {
public:
    explicit children(ts::executor& ex) : scope_(ex) {}

    void spawn(long n) {
        for (long i = 0; i < n; ++i) scope_.spawn(child(*this));
        // Then every child has been run up to its wait, or is on its last instructions before it.
        while (begun_.load(std::memory_order_relaxed) != n) {
        }
    }
    long stop() {
        scope_.request_stop();
        scope_.blocking_join();
        return static_cast<long>(scope_.counts().stopped);
    }

private:
    static ts::task<> child(children& c) {
        c.begun_.fetch_add(1, std::memory_order_relaxed);  // relaxed: only a count
        co_await c.never_.wait();
    }

    std::atomic<long> begun_{0};
    ts::async_event never_;
    ts::task_scope scope_;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::options o = bench::parse(argc, argv);
    ts::executor ex{{.workers = o.threads}};
    children c(ex);
    return suspended_workload::run(o, c);
}
