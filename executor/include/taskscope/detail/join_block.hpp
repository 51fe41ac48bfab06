// <taskscope/detail/join_block.hpp> - fork and join: the part of a fork_join() that its branches and thieves see.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/promise.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace taskscope::detail {

/// The join of one fork_join, directly before the pointers that own the branches' frames (join_of). It lives in the awaiter, in
/// the forking coroutine's frame; that of a range in a block of its own (branch_block).
///
/// The forking flow runs branch 0, then takes the next branch back out of its deque, and so on. As long as
/// it finds them there, nobody else has a part in this join, and nothing is counted. Whatever it does not
/// find was stolen, or taken by the loop while the flow was suspended; such a branch, and the flow at its
/// end, report with one atomic subtraction each, and the one that reaches zero goes on with the parent.
/// (docs/decisions/0002-join-without-atomics.md)
struct join_block {
    explicit join_block(std::uint16_t n) noexcept : outstanding(n), count(n) {}

    promise_base* parent;  // set by fork()
    // Eight bytes, without a gap: they are set by one store.
    atomic<std::uint32_t> outstanding;
    std::uint16_t count;
    atomic<std::uint16_t> stopped{0};  ///< 1: a branch was

    /// Null where a branch was stopped.
    promise_base** branches() noexcept { return reinterpret_cast<promise_base**>(this + 1); }

    /// `outstanding` when the value of each branch was taken: so all have ended with one, and none was stopped. More than
    /// there can be branches.
    static constexpr std::uint32_t all_taken = 0x10000;

    void have_taken_all() noexcept {
        outstanding.store(all_taken,
                          std::memory_order_relaxed);  // the join is complete: ours alone
    }

    /// So many branches have ended: those of the forking flow, of which there is nothing more to take back,
    /// or one that was stolen. Returns what to go on with.
    job* report(std::uint32_t done) noexcept;

protected:
    /// Destroys frames, but for those of branches that were stopped.
    static void destroy_each(promise_base** first, promise_base** last) noexcept;
    /// The same after have_taken_all(): frees the blocks of those that are recyclable.
    static void free_each(promise_base** first, promise_base** last) noexcept;

    void announce_to_tsan() noexcept;
    /// Pushes branches 1 ... into a deque without room for all. Returns the frame of branch 0.
    void* push_singly(worker& w) noexcept;
    /// Returns the frame of branch 0.
    void* wake_and_start(worker& w) noexcept;

private:
    bool subtract(std::uint32_t n) noexcept;
    void mark_parent() noexcept;
};

/// The join of exactly, or at most, `N` branches. Owns their frames.
template <std::size_t N, bool exactly = true>
struct join_of : join_block {
    static_assert(N > 0 && N < all_taken, "branches are numbered by 16 bits");
    static_assert(sizeof(join_block) % alignof(promise_base*) == 0);

    explicit join_of(std::uint16_t n = N) noexcept : join_block(n) {}
    join_of(const join_of&) = delete;
    join_of& operator=(const join_of&) = delete;
    [[gnu::always_inline]] ~join_of() {
        if (size() != 0) destroy_branches();
    }

    /// Destroys the branches now, and not when it ends itself.
    void leave_branches() noexcept
        requires(!exactly)
    {
        if (count != 0) destroy_branches();
        count = 0;
    }

    std::uint32_t size() const noexcept { return exactly ? N : count; }

    /// Pushes all but the first branch, and returns the handle of that one to go on with.
    template <class Promise>
    std::coroutine_handle<> fork(std::coroutine_handle<Promise> forking) noexcept {
        return std::coroutine_handle<>::from_address(fork_and_start(forking.address()));
    }

    std::array<promise_base*, N> owned;  ///< the first size() of them

private:
    // After have_taken_all() it frees the blocks of those that are recyclable; where all are of one class, and there is room
    // for all, by one operation. A call, as the next one.
    [[gnu::noinline]] void destroy_branches() noexcept {
        promise_base** const first = owned.data();
        const std::uint32_t n = size();
        // relaxed: whoever destroys the join is the only one who knows it.
        if (outstanding.load(std::memory_order_relaxed) != all_taken) [[unlikely]]
            return destroy_each(first, first + n);
        const std::size_t c = (*first)->recyclable_as;
        frame_cache& frames = *this_threads_frames();
        void** top = frames.room_for(c, n);
        if (top == nullptr) [[unlikely]]
            return free_each(first, first + n);
        for (std::uint32_t i = 0; i < n; ++i) {
            if (first[i]->recyclable_as != c) [[unlikely]] {
                frames.keep_up_to(c, top);
                return free_each(first + i, first + n);
            }
            *top++ = first[i]->handle().address();
        }
        frames.keep_up_to(c, top);
    }

    // A call, and not a part of the coroutine: there each resumption would save the registers that only the fork needs.
    // What is seldom comes last, for the same reason; and the frame's address is returned and not a handle, because g++ 12
    // makes no tail call of a function that returns an object.
    [[gnu::noinline]] void* fork_and_start(void* forking) noexcept {
        if (tsan_listens()) [[unlikely]]
            return fork_announced(forking);
        return fork_now(forking);
    }

    [[gnu::always_inline]] void* fork_now(void* forking) noexcept {
        promise_base& forking_promise = promise_base::of(forking);
        parent = &forking_promise;
        worker& w = *this_worker();
        task_context* const context = forking_promise.context;
        promise_base& first = *owned[0];
        const std::uint32_t n = size();
        for (std::uint32_t i = 0; i < n; ++i) {
            promise_base& b = *owned[i];
            b.context = context;
            const completion queued = i + 1 == n ? completion::last_branch : completion::branch;
            b.reports_to = i == 0 ? on_flow(queued) : queued;
            b.branch = static_cast<std::uint16_t>(i);
            b.join = this;
        }
        if (!w.forks.push_reversed(owned.data() + 1, n - 1)) [[unlikely]]
            return push_singly(w);
        if (w.sees_sleepers()) [[unlikely]]
            return wake_and_start(w);
        return w.transfer(first.handle(), first).address();
    }

    [[gnu::noinline]] void* fork_announced(void* forking) noexcept {
        announce_to_tsan();
        return fork_now(forking);
    }
};

}  // namespace taskscope::detail
