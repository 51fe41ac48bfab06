// tests/model/checker/runtime.hpp - the modelled machine: threads as fibers, and every step they take.
// SPDX-License-Identifier: MIT
//
// All threads run on one thread of the system, one at a time. Before each operation that others can see the
// running one asks who goes on. To go on with another although this one could is a preemption; the search is
// exhaustive for all schedules with at most so many of them.
//
// What is not tried, because it shows nothing new:
//   - a preemption before an operation on something that no other thread has ever touched. If a later run
//     shows that another does, the search starts again.
//   - after a preemption, to go on with the preempted thread before anybody has done something that its next
//     operation depends on: the same as to preempt it later. (A sleep set, for the running thread alone: for
//     others it would spend preemptions that the bound does not have.)
#pragma once

#include "memory.hpp"
#include "model.hpp"
#include "search.hpp"
#include "shadow.hpp"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace model {

enum class op : std::uint8_t {
    none,
    load,
    store,
    update,
    compare,
    fence,
    light_fence,
    heavy_fence,
    lock,
    unlock,
    futex_wait,
    futex_sleep,  // blocked in it
    futex_wake,
    create,
    join,
    exit,
    yield,
    clock,
    advance,
};

/// One step of the table that a failed run prints.
struct step {
    std::uint8_t thread;
    op kind;
    order how;
    bool stale;   ///< read an outdated value, or stored before a newer one
    bool failed;  ///< a compare_exchange that did
    std::uint64_t value;
    std::uint64_t result;
    std::uintptr_t address;
    const void* where;
};

class runtime {
public:
    runtime(const options& o, const std::function<void()>& body);

    result explore();

    /// Of the program that is running, if any, and not in the middle of the checker itself.
    static runtime* running() noexcept;

    // What the program does. `where` is the address of the instruction.

    std::uint64_t load(void* address, unsigned size, order o, const void* where);
    void store(void* address, unsigned size, std::uint64_t value, order o, const void* where);
    template <class F>
    std::uint64_t update(void* address, unsigned size, order o, const void* where, F change);
    bool compare_exchange(void* address, unsigned size, std::uint64_t& expected,
                          std::uint64_t desired, order success, order failure, bool weak,
                          const void* where);
    void fence(order o, const void* where);
    void light_fence(const void* where);
    void heavy_fence(const void* where);

    void touched(std::uintptr_t address, std::size_t size, touch kind, const void* where);

    void lock(void* mutex, bool recursive, const void* where);
    bool try_lock(void* mutex, bool recursive, const void* where);
    void unlock(void* mutex, const void* where);

    enum class wait_end : std::uint8_t { woken, changed, spurious, timed_out };
    /// `limit` in nanoseconds; negative: none.
    wait_end futex_wait(void* word, std::uint32_t expected, std::int64_t limit, const void* where);
    unsigned futex_wake(void* word, unsigned count, const void* where);

    unsigned create(void* (*function)(void*), void* argument, const void* where);
    void* join(unsigned thread, const void* where);
    void yield(const void* where);
    unsigned self() const noexcept { return current_; }
    void set_name(unsigned thread, const char* name) { threads_[thread].name = name; }

    std::int64_t now(const void* where);
    void advance(std::int64_t by, const void* where);
    unsigned choose(unsigned n) { return search_.choose(n); }

    void* allocate(std::size_t size, std::size_t alignment) {
        return shadow_.allocate(size, alignment);
    }
    static bool owns(const void* block) noexcept;
    void free(void* block, const void* where);

    [[noreturn]] void fail(const std::string& what);

    const options& opts() const noexcept { return options_; }

    /// Saved and restored when threads take turns.
    static std::vector<void**>& thread_locals();

private:
    enum class state : std::uint8_t { unused, ready, finished };

    struct fiber {
        state at = state::unused;
        bool built = false;
        bool asleep = false;   // preempted, and nothing has happened since that it depends on
        bool yielded = false;  // lets others go first
        bool woken = false;
        bool detached = false;
        op next = op::none;  // what it is about to do
        order how = order::relaxed;
        std::uintptr_t address = 0;
        std::int64_t wakes_at = -1;
        std::uint32_t priority = 0;
        void* (*function)(void*) = nullptr;
        void* argument = nullptr;
        void* returned = nullptr;
        knowledge at_end;
        std::string name;
        std::array<void*, 2> exceptions{};  // __cxa_eh_globals
        std::vector<void*> locals;
        std::jmp_buf place;
        std::jmp_buf start;
    };
    struct mutex_state {
        int owner = -1;
        unsigned depth = 0;
        knowledge released;
    };
    enum class ending : std::uint8_t { none, finished, failed, pruned };

    void run_once();
    void begin_run();
    static void trampoline();
    void main_of_thread();
    void build(unsigned thread);
    void start(unsigned thread);
    void switch_to(unsigned thread);
    [[noreturn]] void leave(ending e);

    /// A step: who takes it is decided before, and who depends on it wakes.
    void before(op kind, std::uintptr_t address, order how, bool free_choice = true);
    void schedule(bool may_preempt);
    unsigned pick();
    bool enabled(const fiber& f) const;
    static bool can_be_shared(op kind);
    bool shared(op kind, std::uintptr_t address);
    bool depends(const fiber& f, op kind, std::uintptr_t address, order how) const;
    bool time_passes();
    void note(op kind, std::uintptr_t address, order how, std::uint64_t value, std::uint64_t result,
              const void* where, bool stale = false, bool failed = false);
    void report(const shadow::problem& p, std::uintptr_t address, touch kind, const void* where);
    void check_end();

    options options_;
    const std::function<void()>& body_;
    search search_;
    memory memory_;
    shadow& shadow_;

    std::array<fiber, max_threads> threads_;
    unsigned count_ = 0;
    unsigned current_ = 0;
    unsigned preemptions_ = 0;
    unsigned spurious_ = 0;
    std::int64_t clock_ = 0;
    std::unordered_map<std::uintptr_t, mutex_state> mutexes_;
    std::vector<unsigned> candidates_;
    std::vector<unsigned> change_points_;  // mode::pct

    // Which addresses more than one thread has operated on, in any run.
    std::unordered_map<std::uintptr_t, std::uint8_t> touched_by_;
    std::unordered_set<std::uintptr_t> shared_;
    bool more_shared_ = false;

    std::vector<step> steps_;
    std::jmp_buf host_;
    ending ending_ = ending::none;
    std::string what_;
    result result_;
};

/// Marks the time the checker itself works: what it allocates and writes is not the program's.
class not_modelled {
public:
    not_modelled() noexcept;
    ~not_modelled();
    not_modelled(const not_modelled&) = delete;
    not_modelled& operator=(const not_modelled&) = delete;

private:
    bool before_;
};

/// The failed run as a table, for people.
std::string table(const std::vector<step>& steps, const std::vector<std::string>& names);
/// Where in the sources an instruction is: file:line, and what stands there.
std::vector<std::string> places(const std::vector<const void*>& instructions, bool with_text);

template <class F>
std::uint64_t runtime::update(void* address, unsigned size, order o, const void* where, F change) {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    before(op::update, a, o);
    touched(a, size, touch::atomic_write, where);
    std::uint64_t now = 0;
    const memory::access done = memory_.update(
        current_, address, size, o, [&](std::uint64_t old) { return now = change(old); });
    note(op::update, a, o, now, done.value, where, done.stale);
    return done.value;
}

}  // namespace model
