// executor/src/join_block.cpp - what becomes of a fork: a branch has ended, was stolen, was stopped.
// SPDX-License-Identifier: MIT
//
// The fast paths call nothing, or last of all, so that they need not save a register: what is seldom is a
// function of its own. All return the address of the frame to go on with, and not a handle: a call that returns an
// object is no tail call with g++ 12.
#include <taskscope/detail/watcher.hpp>
#include <taskscope/fork_join.hpp>

#include <algorithm>
#include <stdexcept>

namespace taskscope::detail {
namespace {

// So many branches have ended. After that what holds the join may be gone.
[[gnu::noinline]] void* report_and_go_on(join_block& join, std::uint32_t done, worker& w) noexcept {
    job* const next = join.report(done);
    if (next == nullptr) return std::noop_coroutine().address();
    auto& parent = static_cast<promise_base&>(*next);
    // To be unwound; or the loop tells that it goes on.
    if (parent.result != outcome::pending || is_watched(w)) return w.bounce(parent).address();
    return w.go_on(parent.handle(), parent).address();
}

// What the flow has taken back out of the deque.
void* begin_inline(promise_base& b, worker& w) noexcept {
    b.reports_to = on_flow(b.reports_to);
    // The stack need not be looked at before the last one: it is at its end.
    if (b.reports_to == completion::inline_last_branch) [[likely]]
        return b.handle().address();
    return w.go_on(b.handle(), b).address();
}

// A thief may want the next branch too.
[[gnu::noinline]] void* take_back_contested(join_block& join, std::uint32_t next,
                                            worker& w) noexcept {
    if (!w.forks.take_contested()) return report_and_go_on(join, next, w);
    return begin_inline(*join.branches()[next], w);
}

// The forking flow has done all branches before `next`.
void* take_back(join_block& join, std::uint32_t next, worker& w) noexcept {
    // relaxed: as long as it is in our deque nobody else writes here.
    promise_base* const b = std::atomic_ref(join.branches()[next]).load(std::memory_order_relaxed);
    const fork_deque::popped taken = w.forks.try_pop_if(b);
    if (taken == fork_deque::popped::yes) [[likely]]
        return begin_inline(*b, w);
    if (taken == fork_deque::popped::perhaps) return take_back_contested(join, next, w);
    return report_and_go_on(join, next, w);
}

}  // namespace

void join_block::destroy_each(promise_base** first, promise_base** last) noexcept {
    for (; first != last; ++first)
        if (*first != nullptr) (*first)->handle().destroy();
}

void join_block::free_each(promise_base** first, promise_base** last) noexcept {
    for (; first != last; ++first) {
        const std::size_t c = (*first)->recyclable_as;
        if (c != 0) {
            free_frame((*first)->handle().address(), frame_class::bytes(c));
        } else {
            (*first)->handle().destroy();
        }
    }
}

void too_many_branches() {
    throw std::length_error("taskscope: fork_join<N> was given a range of more than N tasks");
}

void join_block::announce_to_tsan() noexcept {
    for (std::uint32_t i = 1; i < count; ++i) tsan_release(branches()[i]);
}

void* join_block::push_singly(worker& w) noexcept {
    for (std::uint32_t i = count; i-- > 1;) {
        if (!w.try_fork(*branches()[i])) w.hand_over(*branches()[i]);
    }
    return w.transfer(branches()[0]->handle(), *branches()[0]).address();
}

void* join_block::wake_and_start(worker& w) noexcept {
    promise_base& first = *branches()[0];
    w.wake_for_push();
    return w.transfer(first.handle(), first).address();
}

job* join_block::report(std::uint32_t done) noexcept {
    if (done != count && !subtract(done)) return nullptr;
    // relaxed: ordered by join.complete.
    if (stopped.load(std::memory_order_relaxed)) mark_parent();
    return parent;
}

// True for the caller that completes the join.
bool join_block::subtract(std::uint32_t n) noexcept {
    let_go(*this_worker(), parent->awaits_at);  // afterwards the child may have ended
    // edge join.complete, both halves: every branch releases its results, the last one acquires them
    // all. After a subtraction that did not reach zero what holds *this may be gone.
    tsan_release(this);
    if (outstanding.fetch_sub(n, std::memory_order_acq_rel) != n) return false;
    tsan_acquire(this);
    return true;
}

void join_block::mark_parent() noexcept {
    promise_base** const first = branches();
    promise_base** const last = first + count;
    promise_base** const error = std::find_if(first, last, [](const promise_base* b) {
        return b != nullptr && b->result == outcome::error;
    });
    if (error == last) {
        parent->result = outcome::stopped;
        return;
    }
    // The error is rethrown where the parent awaits; it goes before the stop. The parent looks at its branches in
    // order: what it finds in place of the first that was stopped is the error.
    promise_base** const stopped_branch = std::find(first, last, nullptr);
    if (stopped_branch < error) std::iter_swap(stopped_branch, error);
}

void* finish(void* frame) noexcept {
    promise_base& p = promise_base::of(frame);
    worker& w = *this_worker();
    // The most frequent first, one by one: a table would be an indirect jump that is hard to foresee.
    const completion how = p.reports_to;
    if (how == completion::inline_branch) [[likely]]
        return take_back(*p.join, p.branch + 1U, w);
    if (how == completion::inline_last_branch) [[likely]] {
        // No branch was stopped: a stop ends the flow, and so does a branch that somebody else has.
        return w.go_on(p.join->parent->handle(), *p.join->parent).address();
    }
    if (how == completion::awaited) return w.go_on(p.awaiting->handle(), *p.awaiting).address();
    if (is_queued_branch(how)) return report_and_go_on(*p.join, 1, w);
    return w.bounce(p).address();
}

}  // namespace taskscope::detail
