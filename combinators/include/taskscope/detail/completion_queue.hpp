// <taskscope/detail/completion_queue.hpp> - how tasks ended, in the order in which they did, for one reader.
// SPDX-License-Identifier: MIT
//
// Bounded. What becomes of a completion that finds the queue full is the policy's: the oldest goes, it goes itself,
// or its child waits with it for room, in its own frame. So what nobody reads never accumulates here.
//
// An event is set under the mutex, and whoever waits for it takes the mutex before the event goes: set() has
// returned then.
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/errors.hpp>
#include <taskscope/settled.hpp>
#include <taskscope/task.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace taskscope {

/// How a task ended, and which: counted from 0, in the order of the tasks, or of spawning.
template <class T>
struct completed {
    std::size_t index;
    settled<T> result;
};

/// What becomes of a completion when as many are unread as may be.
enum class overflow {
    wait,  ///< its child waits for room and stays a child: who spawns sees how many there are
    drop_oldest,  ///< the one that has waited longest is dropped
    drop_newest,  ///< it is dropped itself
};

namespace detail {

template <class T>
class completion_queue {
public:
    completion_queue(std::size_t capacity, overflow when_full)
        : capacity_(capacity), when_full_(when_full) {}
    completion_queue(const completion_queue&) = delete;
    completion_queue& operator=(const completion_queue&) = delete;

    /// Stands for one completion that is to come. If it is destroyed before, the task was stopped without having
    /// run.
    class ticket {
    public:
        explicit ticket(completion_queue& q) : queue_(&q), index_(q.expect_one()) {}
        ticket(ticket&& other) noexcept
            : queue_(std::exchange(other.queue_, nullptr)), index_(other.index_) {}
        ticket& operator=(ticket&&) = delete;
        ~ticket() {
            if (queue_ != nullptr) queue_->forgo(index_);
        }

        std::size_t index() const noexcept { return index_; }
        void used() noexcept { queue_ = nullptr; }

    private:
        completion_queue* queue_;
        std::size_t index_;
    };

    /// The next completion; nothing if none is left and none is to come.
    task<std::optional<completed<T>>> next() {
        for (;;) {
            reader r(*this);
            std::optional<completed<T>> c;
            if (try_take(c, r)) co_return std::move(c);
            co_await r.ready.wait();
        }
    }

    /// Runs `t` and puts in how it ended.
    task<> feed(ticket k, task<T> t) {
        completed<T> c{k.index(), {}};
        c.result = co_await settle(std::move(t));
        writer w(*this, c);
        const bool waits = !try_put(w);
        k.used();
        if (waits) co_await w.room.wait();
    }

    /// Nobody reads any more. An error that comes now is its child's, for the handler of the scope.
    void close() noexcept {
        const std::lock_guard lock{mutex_};
        closed_ = true;
    }

    std::uint64_t dropped() const {
        const std::lock_guard lock{mutex_};
        return dropped_;
    }

private:
    /// Who waits for a completion.
    struct reader {
        explicit reader(completion_queue& q) noexcept : queue(q) {}
        reader(const reader&) = delete;
        reader& operator=(const reader&) = delete;
        ~reader() {
            const std::lock_guard lock{queue.mutex_};
            if (queue.reader_ == this) queue.reader_ = nullptr;
        }
        completion_queue& queue;
        async_event ready;
    };

    /// Who waits for room, with a completion.
    struct writer {
        writer(completion_queue& q, completed<T>& c) noexcept : queue(q), item(c) {}
        writer(const writer&) = delete;
        writer& operator=(const writer&) = delete;
        ~writer() { queue.leave(*this); }
        completion_queue& queue;
        completed<T>& item;
        async_event room;
        writer* next = nullptr;  // these: guarded by the mutex
        writer* prev = nullptr;
        bool waiting = false;
    };

    std::size_t expect_one() {
        const std::lock_guard lock{mutex_};
        ++expected_;
        return next_index_++;
    }

    void forgo(std::size_t index) noexcept {
        const std::lock_guard lock{mutex_};
        --expected_;
        completed<T> c{index, {}};
        if (unread_.size() >= capacity_ || !try_push(c)) ++dropped_;
        wake_reader();
    }

    bool try_take(std::optional<completed<T>>& c, reader& r) {
        const std::lock_guard lock{mutex_};
        if (!unread_.empty()) {
            c.emplace(std::move(unread_.front()));
            unread_.pop_front();
            if (first_ != nullptr) admit(*first_);
            return true;
        }
        if (first_ != nullptr) {  // there was no memory when there was room for it
            writer& w = *first_;
            c.emplace(std::move(w.item));
            let_go(w);
            return true;
        }
        if (expected_ == 0) return true;
        if (reader_ != nullptr) {
            throw misuse_error("taskscope: two tasks wait for the next completion; one reads");
        }
        reader_ = &r;
        return false;
    }

    /// False if the writer has to wait for room.
    bool try_put(writer& w) {
        const std::lock_guard lock{mutex_};
        if (closed_ && w.item.result.has_error()) std::rethrow_exception(w.item.result.error());
        if (unread_.size() >= capacity_) {
            if (when_full_ == overflow::wait) {
                link(w);
                return false;
            }
            ++dropped_;
            if (when_full_ == overflow::drop_newest) {
                --expected_;
                return true;
            }
            unread_.pop_front();
        }
        if (!try_push(w.item)) throw std::bad_alloc();
        --expected_;
        wake_reader();
        return true;
    }

    // The mutex is held.

    /// False, and `c` is as it was, if there is no memory.
    bool try_push(completed<T>& c) noexcept {
        try {
            unread_.push_back({c.index, {}});
        } catch (const std::bad_alloc&) {
            return false;
        }
        unread_.back().result = std::move(c.result);
        return true;
    }

    void wake_reader() noexcept {
        if (reader_ != nullptr) std::exchange(reader_, nullptr)->ready.set();
    }

    void admit(writer& w) noexcept {
        if (try_push(w.item)) let_go(w);  // else at the next occasion
    }

    /// Its completion is not with the writer any more.
    void let_go(writer& w) noexcept {
        unlink(w);
        --expected_;
        w.room.set();
    }

    void link(writer& w) noexcept {
        w.prev = last_;
        (last_ != nullptr ? last_->next : first_) = &w;
        last_ = &w;
        w.waiting = true;
    }
    void unlink(writer& w) noexcept {
        (w.prev != nullptr ? w.prev->next : first_) = w.next;
        (w.next != nullptr ? w.next->prev : last_) = w.prev;
        w.waiting = false;
    }

    /// The writer goes. If it still waits it was stopped, and its completion is lost.
    void leave(writer& w) noexcept {
        const std::lock_guard lock{mutex_};
        if (!w.waiting) return;
        unlink(w);
        --expected_;
        ++dropped_;
        wake_reader();
    }

    const std::size_t capacity_;
    const overflow when_full_;
    mutable std::mutex mutex_;  // guards what follows
    std::deque<completed<T>> unread_;
    std::size_t expected_ = 0;  // completions that are to come
    std::size_t next_index_ = 0;
    std::uint64_t dropped_ = 0;
    bool closed_ = false;
    reader* reader_ = nullptr;
    writer* first_ = nullptr;
    writer* last_ = nullptr;
};

}  // namespace detail
}  // namespace taskscope
