// scope/src/observer_list.hpp - a list that many walk without a lock, and from which what they walk over is removed.
// SPDX-License-Identifier: MIT
//
// Each worker says by a number of its own, odd while it walks, that it does; threads that are no workers put themselves
// down under the mutex. Who removes an observer takes it out of the list and then waits until everybody who was walking
// has come to an end. Walks that begin later do not find it, so there is an end to the waiting.
//
//             walker                                     remover
//     1       walks = odd                                removed = true, and out of the list
//     2       light_barrier()                            heavy_barrier()
//     3       read the list                              read walks; while it is what it was, and odd, wait
//     4       walks = even
//
// If 3 on the left finds the observer, 1 on the left came before the barrier 2 on the right, so 3 on the right waits
// for 4. The same pair as in the registry (child_registry.hpp), the other way round: there the frequent side is waited for
// by nobody, here it is the one that is waited for.
#pragma once

#include <taskscope/detail/barrier.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/observer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <vector>

namespace taskscope::detail {

struct observer_entry {
    observer_entry(std::shared_ptr<observer> o, std::source_location where)
        : who(std::move(o)), at(where) {}

    const std::shared_ptr<observer> who;
    const std::source_location at;
    std::uint64_t number = 0;  // grows along the list
    atomic<observer_entry*> next{nullptr};
    atomic<bool> removed{false};  // written under the mutex
    observer_entry* next_retired = nullptr;
};

/// That a thread is walking over a list. Marks are on its stack.
struct walk_mark {
    const void* list;
    const walk_mark* outer;  ///< of the same thread, of any list
};

extern constinit thread_local const walk_mark* innermost_walk;

class observer_list {
public:
    /// `core`: whose workers have numbers of their own.
    observer_list(const executor_core& core, std::size_t workers);
    ~observer_list();
    observer_list(const observer_list&) = delete;
    observer_list& operator=(const observer_list&) = delete;

    std::uint64_t add(std::unique_ptr<observer_entry> e);
    /// False if it was removed before. Waits for walks on other threads, unless this one is walking.
    bool remove(std::uint64_t number) noexcept;
    bool is_empty() noexcept;

    /// Calls `f(entry&, entered)` in the order of addition. `entered`: number of the last entry that was met here, on a
    /// worker; null on other threads.
    template <class F>
    void for_each(F f) {
        const walk here(*this);
        // edge observers.entry, acquire half (release half: the stores in add() and remove()), here and below.
        for (auto* e = first_.load(std::memory_order_acquire); e != nullptr;
             e = e->next.load(std::memory_order_acquire)) {
            // relaxed: ordered by the barriers; or it is we who remove it.
            if (!e->removed.load(std::memory_order_relaxed)) f(*e, here.entered());
        }
    }

private:
    struct alignas(cache_line_pair) worker_walks {
        atomic<std::uint64_t> number{0};
        std::uint64_t entered = 0;  // the worker's own
    };

    class walk : walk_mark {
    public:
        explicit walk(observer_list& l) noexcept;
        ~walk();
        walk(const walk&) = delete;
        walk& operator=(const walk&) = delete;

        std::uint64_t* entered() const noexcept {
            return worker_ != nullptr ? &worker_->entered : nullptr;
        }
        static bool is_here(const observer_list& l) noexcept;

    private:
        friend class observer_list;

        observer_list& list_;
        bool inner_;  // the worker was walking here already
        worker_walks* worker_ = nullptr;
        std::uint64_t ticket_ = 0;  // these three: of other threads, under the mutex
        walk* before_ = nullptr;
        walk* after_ = nullptr;
    };

    void wait_for_walks() noexcept;
    bool outsider_before(std::uint64_t ticket) noexcept;
    void free_retired(observer_entry* e) noexcept;

    const executor_core& core_;
    std::vector<worker_walks> workers_;
    atomic<observer_entry*> first_{nullptr};

    std::mutex mutex_;  // guards what follows, and changes of the list
    observer_entry* retired_ = nullptr;
    walk* oldest_outsider_ = nullptr;
    walk* newest_outsider_ = nullptr;
    std::uint64_t tickets_ = 0;
};

}  // namespace taskscope::detail
