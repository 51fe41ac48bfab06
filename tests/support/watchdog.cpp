// tests/support/watchdog.cpp - what can be said about a process in which nothing happens any more.
// SPDX-License-Identifier: MIT
#include <taskscope/scope_tree.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <support/watchdog.hpp>
#include <utility>

namespace support {
namespace {

std::string first_line(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line.empty() ? "?" : line;
}

// What the kernel calls the state, such as "S (sleeping)".
std::string state_of(const std::filesystem::path& thread) {
    std::ifstream in(thread / "status");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("State:")) return line.substr(line.find_first_not_of(" \t", 6));
    }
    return "?";
}

void print_threads() {
    std::fprintf(stderr, "threads (system call: number, arguments; 202 is futex)\n");
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        const std::filesystem::path& at = thread.path();
        std::fprintf(stderr, "  %s %-15s %-14s waits in %s; system call %s\n",
                     at.filename().c_str(), first_line(at / "comm").c_str(), state_of(at).c_str(),
                     first_line(at / "wchan").c_str(), first_line(at / "syscall").c_str());
    }
}

void print_statistics(const taskscope::executor& ex) {
    const taskscope::statistics s = ex.statistics();
    std::fprintf(
        stderr,
        "executor: %u workers, %u sleeping; jobs %llu, stolen %llu, injected %llu; sleeps "
        "%llu, wakes %llu; timers %llu, blocking threads %u\n",
        s.workers, s.sleeping, static_cast<unsigned long long>(s.jobs),
        static_cast<unsigned long long>(s.steals), static_cast<unsigned long long>(s.injected),
        static_cast<unsigned long long>(s.sleeps), static_cast<unsigned long long>(s.wakes),
        static_cast<unsigned long long>(s.timers), s.blocking_threads);
}

}  // namespace

std::chrono::seconds patience() {
    const char* text = std::getenv("TASKSCOPE_PATIENCE");
    return std::chrono::seconds(text != nullptr ? std::strtol(text, nullptr, 10) : 20);
}

watchdog::watchdog(std::string program, std::chrono::milliseconds limit)
    : program_(std::move(program)), limit_(limit), thread_([this] { run(); }) {}

watchdog::~watchdog() {
    {
        const std::lock_guard lock{mutex_};
        ends_ = true;
    }
    over_.notify_one();
    thread_.join();
}

void watchdog::look_at(taskscope::executor* ex) {
    const std::lock_guard lock{mutex_};
    looked_at_ = ex;
}

void watchdog::run() {
    std::unique_lock lock{mutex_};
    std::uint64_t seen = steps_.load(std::memory_order_relaxed);
    while (!over_.wait_for(lock, limit_, [this] { return ends_; })) {
        const std::uint64_t now = steps_.load(std::memory_order_relaxed);
        if (now == seen) bark();
        seen = now;
    }
}

void watchdog::bark() noexcept {
    std::fprintf(stderr, "watchdog: %s: no progress for %lld ms\n", program_.c_str(),
                 static_cast<long long>(limit_.count()));
    print_threads();
    if (looked_at_ != nullptr) {
        print_statistics(*looked_at_);
        alarm(10);  // the tree has locks, and whoever hangs may hold one
        std::fprintf(stderr, "%s\n", taskscope::dump_tree(*looked_at_).c_str());
    }
    std::abort();
}

}  // namespace support
