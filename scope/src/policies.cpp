// scope/src/policies.cpp - the policies that come with the library.
// SPDX-License-Identifier: MIT
#include <taskscope/fatal_error.hpp>
#include <taskscope/policies.hpp>
#include <taskscope/task_scope.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace taskscope {

disposition fail_fast::child_completed(const child_completion& c) {
    if (!c.scope.stop_requested())
        c.scope.request_stop(stop_kind::error, describe(c.failure->error));
    return disposition::pass_on;
}

disposition fail_fast::body_completed(const child_completion& c) {
    return c.kind == completion_kind::error ? child_completed(c) : disposition::pass_on;
}

namespace {

/// The first errors, as many as are allowed.
class error_list {
public:
    void add(const error_context& e) noexcept {
        const std::lock_guard lock{mutex_};
        if (errors_.size() == collect_errors::max_errors) {
            ++dropped_;
            return;
        }
        try {
            errors_.push_back(recorded_error::of(e));
        } catch (const std::bad_alloc&) {
            ++dropped_;
        }
    }

    struct content {
        std::vector<recorded_error> errors;
        std::size_t dropped = 0;
    };
    content take() noexcept {
        const std::lock_guard lock{mutex_};
        return {std::exchange(errors_, {}), std::exchange(dropped_, 0)};
    }

private:
    std::mutex mutex_;  // guards what follows
    std::vector<recorded_error> errors_;
    std::size_t dropped_ = 0;
};

void print(const recorded_error& e) noexcept {
    try {
        std::fprintf(stderr, "taskscope: an error that no join has thrown: %s\n", e.text().c_str());
    } catch (...) {
        std::fputs("taskscope: an error that no join has thrown, and no memory to say which\n",
                   stderr);
    }
}

}  // namespace

struct collect_errors::state {
    explicit state(single s) noexcept : alone(s) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    /// Errors that nobody has joined for must not go without a word.
    ~state() {
        const auto [errors, dropped] = list.take();
        for (const recorded_error& e : errors) print(e);
        if (dropped != 0) std::fprintf(stderr, "taskscope: and %zu more\n", dropped);
    }

    const single alone;
    error_list list;
};

collect_errors::collect_errors(single s) : state_(std::make_shared<state>(s)) {}

disposition collect_errors::child_completed(const child_completion& c) noexcept {
    state_->list.add(*c.failure);
    return disposition::handled;
}

disposition collect_errors::body_completed(const child_completion& c) noexcept {
    return c.kind == completion_kind::error ? child_completed(c) : disposition::pass_on;
}

void collect_errors::result() {
    auto [errors, dropped] = state_->list.take();
    if (errors.empty() && dropped == 0) return;
    if (errors.size() == 1 && dropped == 0 && state_->alone == single::bare)
        std::rethrow_exception(std::move(errors[0].error));
    // Fatal ones first. clang warns of std::stable_partition: libstdc++ 12 has it use a deprecated function.
    auto others = errors.begin();
    for (auto at = errors.begin(); at != errors.end(); ++at) {
        if (is_fatal(at->error)) std::rotate(others++, at, at + 1);
    }
    std::string message = "taskscope: errors";
    if (!errors.empty()) message += " in " + errors[0].scope_path;
    throw exception_group(std::move(message), std::move(errors), dropped);
}

struct last_errors::state {
    explicit state(std::size_t n) : most(n) { ring.reserve(n); }

    const std::size_t most;
    mutable std::mutex mutex;  // guards what follows
    std::vector<recorded_error> ring;
    std::size_t oldest = 0;
    std::uint64_t dropped = 0;
};

last_errors::last_errors(std::size_t n) {
    if (n == 0) throw std::invalid_argument("taskscope: last_errors(0) would keep nothing");
    state_ = std::make_shared<state>(n);
}

disposition last_errors::child_completed(const child_completion& c) {
    recorded_error e = recorded_error::of(*c.failure);
    state& s = *state_;
    const std::lock_guard lock{s.mutex};
    if (s.ring.size() < s.most) {
        s.ring.push_back(std::move(e));
    } else {
        std::swap(s.ring[s.oldest], e);  // the old one is destroyed without the lock
        s.oldest = (s.oldest + 1) % s.ring.size();
        ++s.dropped;
    }
    return disposition::pass_on;
}

disposition last_errors::body_completed(const child_completion& c) {
    return c.kind == completion_kind::error ? child_completed(c) : disposition::pass_on;
}

std::vector<recorded_error> last_errors::errors() const {
    const std::lock_guard lock{state_->mutex};
    std::vector<recorded_error> result = state_->ring;
    std::rotate(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(state_->oldest),
                result.end());
    return result;
}

std::uint64_t last_errors::dropped() const {
    const std::lock_guard lock{state_->mutex};
    return state_->dropped;
}

struct quorum::state {
    explicit state(std::size_t k) noexcept : needed(k) {}

    const std::size_t needed;
    std::atomic<std::size_t> values{0};
    error_list failures;
};

quorum::quorum(std::size_t k) : state_(std::make_shared<state>(k)) {}

disposition quorum::child_completed(const child_completion& c) {
    state& s = *state_;
    if (c.kind == completion_kind::error) {
        s.failures.add(*c.failure);
    } else if (c.kind == completion_kind::value) {
        // relaxed: result() is called when the scope has ended, which comes after.
        if (s.values.fetch_add(1, std::memory_order_relaxed) + 1 == s.needed)
            c.scope.request_stop(stop_kind::enough, "the quorum has success");
    }
    return disposition::handled;
}

void quorum::result() {
    auto [errors, dropped] = state_->failures.take();
    const std::size_t values = state_->values.load(std::memory_order_relaxed);
    if (values >= state_->needed) return;
    throw quorum_missed("taskscope: " + std::to_string(values) + " of " +
                            std::to_string(state_->needed) + " needed children had success",
                        std::move(errors), dropped);
}

}  // namespace taskscope
