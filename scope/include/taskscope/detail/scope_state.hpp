// <taskscope/detail/scope_state.hpp> - the inside of a task_scope: one atomic word, a place in the tree.
// SPDX-License-Identifier: MIT
//
// The word holds the numbers of members, children and child scopes, above the flags, so that each of these
// is decided by one read-modify-write: spawn against close, the last member against a join, the first error.
//
//     bits 40..63  child scopes    join_wanted   a join waits for the members to be gone
//     bits  8..39  children*       ending        they are gone and nobody can enter: set once, and whoever
//     bit  0       closed                        sets it runs end()
//     bit  1       has_errors      abandoned     shutdown() has given up on them; end() may find the task_scope gone
//     bit  6       spread          deferred      when they are gone there is still something to call
//     * of a spread scope: and stripes that are not empty
//
// A word that many processors want at the same time serves one of them at a time. Where that is seen the scope is spread:
// children are counted in a stripe for each worker, which is in the word as one child as long as there is one in it
// (src/members.cpp). There a spawn that comes at the same time as close() may still be let in.
//
// At its end a member does, in this order: error policy, registry, frame with its captures, leave(). After the
// read-modify-write there it touches nothing of the scope, unless that has left a stripe empty, or set `ending`.
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/context.hpp>
#include <taskscope/detail/locals.hpp>
#include <taskscope/scope_policy.hpp>
#include <taskscope/shutdown.hpp>
#include <taskscope/stop_reason.hpp>
#include <taskscope/stop_token.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskscope {

struct scope_counts;
struct scope_options;

namespace detail {

class admission_state;
struct child;
struct deferred_child;
class scope_runtime;
struct scope_access;
struct shutdown_operation;
class scope_reference;

class scope_state {
public:
    /// Throws scope_closed if `parent` does not accept members any more. `parent` is null for roots.
    /// `body`: one follows. It is a member before anybody can find the scope and end it.
    /// `above`: where it is opened: whose executor, stops and deadlines it takes over.
    scope_state(const task_context& above, scope_runtime& r, scope_state* parent, task_scope* f,
                const scope_options& options, std::source_location where, bool body);
    scope_state(const scope_state&) = delete;
    scope_state& operator=(const scope_state&) = delete;

    // Lifetime: one reference for the task_scope, one for end(), from the beginning, because nothing holds the
    // state between the read-modify-write that decides to call it and its first line; one for each snapshot or
    // shutdown.

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;

    // Members.

    /// Where a child is counted: in the word, in the stripe of that number; or not at all, for the scope is closed.
    using place = std::uint32_t;
    static constexpr place in_word = static_cast<place>(-1);
    static constexpr place refused = static_cast<place>(-2);

    /// A child enters.
    place try_enter() noexcept {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        // relaxed: entering carries nothing; the spawner keeps the scope alive by other means.
        if ((word & (closed | spread)) == 0 &&
            word_.compare_exchange_weak(word, word + one_child, std::memory_order_relaxed))
            [[likely]]
            return in_word;
        return enter_among_others();
    }
    /// One that has entered there is counted in `spawned`; or not any more, with -1.
    void count_spawned(place p, int by = 1) noexcept {
        const auto d = static_cast<std::uint64_t>(by);
        if (p == in_word) {
            count.spawned.fetch_add(d, std::memory_order_relaxed);
        } else if (atomic<std::uint64_t>& n = stripe_at(p).spawned; p >= workers_) {
            n.fetch_add(d, std::memory_order_relaxed);
        } else {  // nobody but that worker writes it
            n.store(n.load(std::memory_order_relaxed) + d, std::memory_order_relaxed);
        }
    }
    /// All threads that are no workers of the executor, but perhaps of another one, share so many places.
    static constexpr place foreign_places = shrinkable<place>(4, 1);
    /// The number of the worker this thread is; of all other threads one of those after the last. What a worker works for
    /// says nothing: it may have come through a portal.
    place my_place() const noexcept;

    /// The last thing a child does, or several that are counted in the same place. After it the scope may be gone.
    void leave(place p, std::uint32_t children = 1) noexcept;

    /// From now on children are counted in stripes. Does nothing the second time. Called when threads are seen to stand
    /// in line for the word.
    void spread_members() noexcept;

    void close() noexcept;
    /// Ends the scope now, if it has no members, or else when the last one leaves.
    void want_join() noexcept;
    /// Ends the scope if it has no members; false if it has.
    bool try_end() noexcept;
    void set_error() noexcept;
    /// Asks the members to stop. The first reason is kept.
    bool request_stop(stop_kind kind, std::string_view text) noexcept;
    /// Why they were asked to, here or above; nothing if they were not.
    std::shared_ptr<const stop_reason> reason();

    bool is_closed() const noexcept {
        return (word_.load(std::memory_order_relaxed) & closed) != 0;
    }
    bool has_errors() const noexcept {
        // edge scope.error, acquire half (release half: the RMW in set_error()).
        return (word_.load(std::memory_order_acquire) & error) != 0;
    }
    bool has_ended() const noexcept { return ended.is_set(); }

    // Deferred functions. src/deferred.cpp.

    /// Puts it on top of those that are begun when the members are gone, one after the other, each as a member.
    /// False if the scope has ended.
    bool defer(deferred_child& d) noexcept;

    // Policy. src/completion.cpp.

    void child_failed(const child& c, std::exception_ptr failure) noexcept;
    /// For values and stops, if `all_watched`.
    void child_ended(completion_kind kind) noexcept;
    void body_ended(completion_kind kind, std::exception_ptr failure) noexcept;
    /// Of the root: an error that is no child's, to its policy; else it is printed.
    void tell_unhandled(const error_context& e) noexcept;
    void set_policy(scope_policy policy);
    scope_policy policy() noexcept;

    // The tree.

    /// A reference, to be released; or nullptr.
    scope_state* parent() noexcept;
    std::vector<scope_reference> children();
    std::string path();
    void depends_on(scope_state& other);
    /// Those it depends on.
    std::vector<scope_reference> needs();

    /// What children see: the owner's task_scope; once they are abandoned, one that stays as long as they do.
    task_scope& facade() noexcept { return *facade_.load(std::memory_order_relaxed); }

    task_context context;
    task_context cleanup_context;  ///< of deferred functions: no stop reaches them
    /// The policy is to be told of values and stops too. Here because every child reads what is around it.
    atomic<bool> all_watched{false};
    scope_runtime& runtime;
    const std::string name;
    const std::source_location opened_at;
    const clock::time_point opened_when;
    const std::optional<shutdown_limits> limits;  ///< its own
    const bool is_block;  ///< of with_scope() or with_group(): its task has to finish it
    stop_source stop;     ///< asks the members to stop
    stop_source closing;  ///< requested by close(), here or above: nothing new is coming
    async_event ended;    ///< the members are gone, for good

    scope_counts counts() const noexcept;

    struct counters {
        atomic<std::uint64_t> spawned{0};
        atomic<std::uint64_t> failed{0};
        atomic<std::uint64_t> stopped{0};
        atomic<std::uint64_t> refused{0};
        atomic<std::uint64_t> handler_failures{0};
        atomic<std::uint64_t> starting{0};  // now
    };
    // The last of what is public: with the word they fill a line, which whoever spawns has to have anyway.
    alignas(cache_line) counters count;

    // Shutting down; src/shutdown.cpp.

    /// Or hurries the one that was begun.
    std::shared_ptr<shutdown_operation> begin_shutdown(const shutdown_limits& whole);
    void abandon() noexcept;
    bool is_abandoned() const noexcept {
        return (word_.load(std::memory_order_relaxed) & abandoned) != 0;
    }

    /// The door that dumps tell of, if there is one. Replaces it if it is `expected`.
    std::shared_ptr<admission_state> admission();
    bool set_admission(const std::shared_ptr<admission_state>& expected,
                       std::shared_ptr<admission_state> next) noexcept;

private:
    static constexpr std::uint64_t closed = 1;
    static constexpr std::uint64_t error = 2;
    static constexpr std::uint64_t join_wanted = 4;
    static constexpr std::uint64_t ending = 8;
    static constexpr std::uint64_t abandoned = 16;
    static constexpr std::uint64_t deferred = 32;
    static constexpr std::uint64_t spread = 64;
    static constexpr std::uint64_t one_child = std::uint64_t{1} << 8;
    static constexpr std::uint64_t one_scope = std::uint64_t{1} << 40;

    struct alignas(cache_line_pair) stripe {
        atomic<std::uint64_t> children{0};
        atomic<std::uint64_t> spawned{0};
    };

    ~scope_state() = default;

    place enter_among_others() noexcept;
    bool enter_word() noexcept;
    /// `refusing`: the flag that keeps the scope below out.
    bool enter_scope(std::uint64_t refusing) noexcept;
    void stand_in_line() noexcept;
    stripe& stripe_at(place p) noexcept;
    void leave_word(std::uint64_t members) noexcept;
    // These return the scope above if it has to be left next.
    scope_state* leave_once(std::uint64_t members) noexcept;
    scope_state* end() noexcept;
    void remember_reason() noexcept;
    scope_state* leave_tree() noexcept;
    /// By a member, which the function becomes. False if there is none, or those that there were did not even begin.
    bool begin_deferred() noexcept;
    void hand_on(const error_context& e) noexcept;
    void policy_failed(const scope_policy& failed, const error_context* e) noexcept;

    // On the line of the counts.
    atomic<std::uint64_t> word_{0};
    atomic<std::uint32_t> references_{2};  // the task_scope's, and that of the end() to come
    atomic<std::uint32_t> in_line_{0};     // how often somebody stood in line for the word

    atomic<task_scope*> facade_;
    const executor_core* const core_;    // only to be compared: the executor may be gone
    const place workers_;                // how many; the executor may be gone
    std::unique_ptr<stripe[]> stripes_;  // set once, before `spread`
    void* view_ = nullptr;               // memory of a task_scope, which is one pointer
    const local_chain locals_;           // those in the context

    alignas(cache_line) std::mutex mutex_;  // guards what follows
    scope_state* parent_;
    scope_state* first_child_ = nullptr;
    scope_policy policy_;
    std::shared_ptr<const stop_reason> reason_;
    deferred_child* deferred_ = nullptr;  // on top the one that came last
    std::shared_ptr<shutdown_operation> shutdown_;
    std::shared_ptr<admission_state> admission_;

    scope_state* next_sibling_ = nullptr;  // these three: guarded by the parent's mutex
    scope_state* prev_sibling_ = nullptr;
    std::vector<scope_reference> needs_;
};

[[noreturn]] void throw_scope_closed(scope_state& s);

/// Owns one reference.
class scope_reference {
public:
    scope_reference() noexcept = default;
    /// Takes over a reference the caller holds.
    explicit scope_reference(scope_state* s) noexcept : state_(s) {}
    scope_reference(scope_reference&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
    scope_reference& operator=(scope_reference&& o) noexcept {
        std::swap(state_, o.state_);
        return *this;
    }
    ~scope_reference() {
        if (state_ != nullptr) state_->release();
    }
    static scope_reference retain(scope_state& s) noexcept {
        s.retain();
        return scope_reference(&s);
    }

    scope_state* get() const noexcept { return state_; }
    scope_state* operator->() const noexcept { return state_; }
    scope_state& operator*() const noexcept { return *state_; }
    explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    scope_state* state_ = nullptr;
};

}  // namespace detail
}  // namespace taskscope
