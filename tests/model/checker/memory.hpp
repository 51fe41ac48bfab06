// tests/model/checker/memory.hpp - the atomics of the modelled program: what a load may return.
// SPDX-License-Identifier: MIT
//
// C++20's memory model [intro.races, atomics.order] as a machine. Each variable keeps all its stores in
// modification order. Each thread has a view: for every variable the oldest store it may still read. A load
// picks any store from there to the newest. Release operations put their view into the store they make, acquire
// operations take over the view of the store they read; seq_cst operations go through one more view that all
// have in common. A store need not come last in modification order: it may go anywhere behind the view of its
// thread, but not between a read-modify-write and what that has read.
//
// Sources
//   Norris, Demsky: CDSchecker. OOPSLA 2013, doi:10.1145/2509136.2509514.
//   Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing sequential consistency in C/C++11. PLDI 2017,
//     doi:10.1145/3062341.3062352 (what seq_cst fences do to views).
//   Goodwin, Dang, Lea: P1202, the pair of light and heavy fences.
// Not shown: a load never returns a store that is executed later (load buffering).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace model {

constexpr unsigned max_threads = 8;

/// Vector clock: how far each thread had come.
using clocks = std::array<std::uint32_t, max_threads>;

inline void join(clocks& a, const clocks& b) noexcept {
    for (unsigned i = 0; i < max_threads; ++i) a[i] = a[i] < b[i] ? b[i] : a[i];
}

enum class order : std::uint8_t { relaxed, consume, acquire, release, acq_rel, seq_cst };

constexpr bool acquires(order o) noexcept {
    return o == order::acquire || o == order::consume || o == order::acq_rel || o == order::seq_cst;
}
constexpr bool releases(order o) noexcept {
    return o == order::release || o == order::acq_rel || o == order::seq_cst;
}

/// What one thread tells another: how far everybody was, and the newest store known of each variable.
struct knowledge {
    clocks when{};
    std::vector<std::uint16_t> view;  // by variable: index of a store

    void clear() noexcept {
        when = {};
        view.clear();
    }
};

class memory {
public:
    /// Picks one of n possibilities.
    using chooser = std::function<unsigned(unsigned)>;

    memory(chooser choose, unsigned stale_reads, unsigned outdated)
        : choose_(std::move(choose)), stale_(stale_reads), outdated_(outdated) {}

    void begin_run();

    struct access {
        std::uint64_t value = 0;  ///< what was read, or was there before
        bool stale = false;  ///< a newer store existed, or the store was put before a newer one
        bool stored = false;
    };

    access load(unsigned thread, void* address, unsigned size, order o);
    access store(unsigned thread, void* address, unsigned size, std::uint64_t value, order o);
    /// `change` maps the old value to the new one.
    template <class F>
    access update(unsigned thread, void* address, unsigned size, order o, F change);
    /// `may_fail`: a weak one may fail for no reason.
    access compare_exchange(unsigned thread, void* address, unsigned size, std::uint64_t expected,
                            std::uint64_t desired, order success, order failure, bool may_fail);
    void fence(unsigned thread, order o);
    void light_fence(unsigned thread);
    void heavy_fence(unsigned thread, unsigned threads);

    /// What the kernel sees of a futex word: the newest value.
    static std::uint64_t newest(const void* address, unsigned size) noexcept;

    /// A plain write, or the end of the variable's life: its history begins anew.
    void forget(std::uintptr_t address) noexcept;

    // Hand-over by other means than atomics: mutexes, starting and joining threads.

    void release_to(unsigned thread, knowledge& k);
    void acquire_from(unsigned thread, const knowledge& k);

    const clocks& now(unsigned thread) const noexcept { return threads_[thread].current.when; }

private:
    static constexpr std::uint32_t nothing = ~0U;

    struct stored {
        std::uint64_t value;
        std::uint32_t message;   // index of knowledge; nothing if an acquire load gets none
        std::uint16_t position;  // in modification order
        bool reads_previous;     // by a read-modify-write
    };
    struct variable {
        std::uintptr_t address = 0;
        unsigned size = 0;
        std::vector<stored> stores;        // in order of execution
        std::vector<std::uint16_t> order;  // modification order: indices of stores
        std::array<std::uint16_t, max_threads> last_stale{};
        std::array<std::uint8_t, max_threads> times_stale{};
    };
    struct thread_state {
        knowledge current;
        knowledge pending;   // of relaxed loads: current after an acquire fence
        knowledge released;  // current at the last release fence
        knowledge light;     // current at the last light fence
        bool has_released = false;
        bool has_pending = false;
    };

    std::uint32_t find(void* address, unsigned size);
    void grow(std::size_t size);
    std::uint16_t position(const knowledge& k, std::uint32_t v) const noexcept;
    void raise(knowledge& k, std::uint32_t v, std::uint16_t store);
    void join_view(knowledge& a, const knowledge& b);
    void join(knowledge& a, const knowledge& b);
    std::uint32_t floor(unsigned thread, std::uint32_t v, bool sc) const noexcept;
    bool too_stale(const variable& v, unsigned thread, std::uint16_t store) const noexcept;
    bool may_follow(const variable& v, std::uint32_t position) const noexcept;
    access did_read(unsigned thread, std::uint32_t v, std::uint16_t store, order o);
    void did_store(unsigned thread, std::uint32_t v, std::uint32_t position, std::uint64_t value,
                   order o, std::uint32_t read);
    unsigned pick();
    std::uint32_t pick_for_update(unsigned thread, std::uint32_t v, order o);
    void tick(unsigned thread) noexcept { ++threads_[thread].current.when[thread]; }

    static void write(std::uintptr_t address, unsigned size, std::uint64_t value) noexcept;

    chooser choose_;
    unsigned stale_;
    unsigned outdated_;  // at most so many in one run
    unsigned used_outdated_ = 0;
    std::vector<variable> variables_;
    std::size_t used_ = 0;  // of variables_, whose memory is kept from run to run
    std::vector<knowledge> messages_;
    std::size_t used_messages_ = 0;
    std::array<thread_state, max_threads> threads_;
    knowledge sc_;                        // the view that all seq_cst operations share
    knowledge heavy_;                     // what heavy fences have made visible to later light ones
    std::vector<std::uint32_t> options_;  // the newest first; pick() chooses among them

    // Address to variable: open addressing, emptied by counting runs.
    struct slot {
        std::uintptr_t address = 0;
        std::uint32_t run = 0;
        std::uint32_t index = 0;
    };
    std::vector<slot> table_ = std::vector<slot>(4096);
    std::uint32_t run_ = 0;
};

template <class F>
memory::access memory::update(unsigned thread, void* address, unsigned size, order o, F change) {
    const std::uint32_t v = find(address, size);
    const std::uint32_t position = pick_for_update(thread, v, o);
    const std::uint16_t read = variables_[v].order[position];
    access a = did_read(thread, v, read, o);
    did_store(thread, v, position + 1, change(a.value), o, read);
    a.stored = true;
    return a;
}

}  // namespace model
