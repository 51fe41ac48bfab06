// examples/server/bounded_queue.hpp - a queue with room for so many values, and consumers that wait.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/task.hpp>

#include <boost/circular_buffer.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace web {

/// Thread safety: all members from any thread.
template <class T>
class bounded_queue {
public:
    explicit bounded_queue(std::size_t capacity) : values_(capacity) {}

    /// False if there is no room.
    [[nodiscard]] bool try_push(T value) {
        std::shared_ptr<taskscope::async_event> arrival;
        {
            const std::lock_guard lock{mutex_};
            if (values_.full()) return false;
            values_.push_back(std::move(value));
            arrival = std::exchange(arrival_, nullptr);
        }
        if (arrival) arrival->set();  // whoever waits looks again
        return true;
    }

    std::optional<T> try_pop() {
        const std::lock_guard lock{mutex_};
        return take();
    }

    /// Waits for a value. Stop: completes as stopped; no value is taken then.
    taskscope::task<T> pop() {
        for (;;) {
            std::shared_ptr<taskscope::async_event> arrival;
            {
                const std::lock_guard lock{mutex_};
                if (std::optional<T> value = take()) co_return std::move(*value);
                if (!arrival_) arrival_ = std::make_shared<taskscope::async_event>();
                arrival = arrival_;
            }
            co_await arrival->wait();
        }
    }

private:
    std::optional<T> take() {
        if (values_.empty()) return std::nullopt;
        std::optional<T> value(std::move(values_.front()));
        values_.pop_front();
        return value;
    }

    std::mutex mutex_;  // guards all below
    boost::circular_buffer<T> values_;
    std::shared_ptr<taskscope::async_event> arrival_;  // of the next value; null if nobody waits
};

}  // namespace web
