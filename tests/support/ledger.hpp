// tests/support/ledger.hpp - what a test must leave behind as it found it, and what happens exactly once.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/frame_memory.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <vector>

namespace support {

/// How many file descriptors this process has open.
inline std::ptrdiff_t open_files() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

/// How many threads this process has.
inline std::ptrdiff_t running_threads() {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return std::distance(begin(all), end(all));
}

/// The fixture of every test that runs tasks: no coroutine frame and no file may be left over.
class ledger : public testing::Test {
protected:
    void TearDown() override {
        EXPECT_EQ(taskscope::frames().live, frames_before_) << "coroutine frames were leaked";
        EXPECT_EQ(open_files(), files_before_) << "file descriptors were leaked";
    }

private:
    std::int64_t frames_before_ = taskscope::frames().live;
    std::ptrdiff_t files_before_ = open_files();
};

/// Counts things by number, from any thread, to find out whether each came exactly once.
class tally {
public:
    explicit tally(std::size_t n) : counts_(n) {}

    void count(std::size_t i) { counts_.at(i).fetch_add(1, std::memory_order_relaxed); }

    testing::AssertionResult exactly_once() const { return exactly_once(counts_.size()); }
    /// The first `expected` numbers, and no others.
    testing::AssertionResult exactly_once(std::size_t expected) const {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            const int n = counts_[i].load(std::memory_order_relaxed);
            if (n != (i < expected ? 1 : 0))
                return testing::AssertionFailure() << "number " << i << " came " << n << " times";
        }
        return testing::AssertionSuccess();
    }

private:
    std::vector<std::atomic<int>> counts_;
};

/// How many objects made with it exist, and how many ever did.
struct census {
    int alive = 0;
    int ever = 0;
};

/// Counted by a census as long as it lives; a copy or a moved-to one is one more.
class citizen {
public:
    explicit citizen(census& c) : census_(&c) { enter(); }
    citizen(const citizen& other) noexcept : census_(other.census_) { enter(); }
    citizen& operator=(const citizen&) = default;
    ~citizen() { --census_->alive; }

private:
    void enter() noexcept {
        ++census_->alive;
        ++census_->ever;
    }
    census* census_;
};

}  // namespace support
