// <taskscope/detail/contest.hpp> - several tasks, of which one decides, and who it was.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/time.hpp>
#include <taskscope/exception_group.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/stopped.hpp>
#include <taskscope/with_scope.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace taskscope {

/// How a race ended: `value`, unless T is void, of the contender number `index`; and the errors of those that had
/// failed before it, in the order in which they did.
template <class T>
struct race_result {
    T value;
    std::size_t index;
    std::vector<std::exception_ptr> errors;
};
template <>
struct race_result<void> {
    std::size_t index;
    std::vector<std::exception_ptr> errors;
};

namespace detail {

/// What the contenders of a race share.
template <class T>
class contest {
public:
    /// `first_success`: an error decides nothing.
    contest(std::size_t contenders, bool first_success)
        : over(contenders), first_success_(first_success) {
        errors_.reserve(contenders);
    }

    enum class verdict { open, decided, too_late };

    /// A contender has ended; says what that means. Takes the value of the one that decides.
    verdict ended(std::size_t index, settled<T>& how) {
        const std::lock_guard lock{mutex_};
        if (decided_) return verdict::too_late;
        if (how.has_value() || !first_success_) {
            decided_ = true;
            winner_ = index;
            won_ = std::move(how);
            return verdict::decided;
        }
        if (how.has_error()) errors_.push_back(how.error());
        return verdict::open;
    }

    bool decided() {
        const std::lock_guard lock{mutex_};
        return decided_;
    }

    // When all have ended.

    /// Whether the race ended as stopped: nobody had a value or an error.
    bool stopped() const noexcept { return won_.is_stopped() && errors_.empty(); }

    /// The result. Throws the error that decided; exception_group if all have failed.
    race_result<T> take() {
        if (won_.is_stopped()) {
            std::vector<recorded_error> all(errors_.begin(), errors_.end());
            throw exception_group("taskscope: nobody won the race", std::move(all));
        }
        if constexpr (std::is_void_v<T>) {
            std::move(won_).take();
            return {winner_, std::move(errors_)};
        } else {
            return {std::move(won_).take(), winner_, std::move(errors_)};
        }
    }

    std::deque<async_event> over;  ///< by contender: set when it has ended

private:
    const bool first_success_;
    std::mutex mutex_;  // guards what follows, until all have ended
    bool decided_ = false;
    std::size_t winner_ = 0;
    settled<T> won_;
    std::vector<std::exception_ptr> errors_;
};

/// One contender. Who fails when the race is decided already fails as a child: for the handler of the scope.
template <class T>
task<> contend(contest<T>& all, task_scope& s, std::size_t index, task<T> t) {
    settled<T> how = co_await settle(std::move(t));
    const auto verdict = all.ended(index, how);
    if (verdict == contest<T>::verdict::decided) s.request_stop();
    all.over[index].set();
    if (verdict == contest<T>::verdict::too_late && how.has_error()) {
        std::rethrow_exception(how.error());
    }
}

/// Runs the contenders that `start(index)` gives: all at once; or, with `stagger`, each when the one before has
/// ended, or had so much time.
template <class T, class Start>
task<race_result<T>> run_race(std::size_t contenders, Start start, bool first_success,
                              std::optional<std::chrono::steady_clock::duration> stagger,
                              std::source_location where) {
    contest<T> all(contenders, first_success);
    const auto body = [&](task_scope& s) -> task<> {
        for (std::size_t i = 0; i < contenders && !all.decided(); ++i) {
            s.spawn(contend(all, s, i, start(i)), where);
            if (!stagger || i + 1 == contenders) continue;
            const auto next = saturating_add(s.get_executor().now(), *stagger);
            [[maybe_unused]] const bool ended = co_await all.over[i].wait_until(next);
        }
    };
    auto block = with_scope("race", body, where);
    const settled<void> end = co_await settle(std::move(block));
    if (end.has_error()) std::rethrow_exception(end.error());
    if (all.stopped()) co_await just_stopped();
    co_return all.take();
}

}  // namespace detail
}  // namespace taskscope
