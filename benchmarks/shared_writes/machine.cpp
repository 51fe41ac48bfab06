// benchmarks/shared_writes/machine.cpp - whose turn it is; futexes, mutexes and membarriers of the simulated threads.
// SPDX-License-Identifier: MIT
#include "shared_writes/machine.hpp"

#include "shared_writes/lines.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <limits>

namespace shared_writes {
namespace {

/// The C library's own, behind those at the end of this file. No static local: its guard would call them.
template <class F>
F* real(std::atomic<F*>& known, const char* name) noexcept {
    F* f = known.load(std::memory_order_relaxed);
    if (f == nullptr) {
        f = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
        known.store(f, std::memory_order_relaxed);
    }
    return f;
}
constinit std::atomic<long (*)(long, ...)> known_syscall{nullptr};
constinit std::atomic<int (*)(pthread_mutex_t*)> known_lock{nullptr};
constinit std::atomic<int (*)(pthread_mutex_t*)> known_trylock{nullptr};
constinit std::atomic<int (*)(pthread_mutex_t*)> known_unlock{nullptr};

long kernel(long number, const long* a) noexcept {
    return real(known_syscall, "syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// A simulated thread.
struct actor {
    unsigned number = 0;
    std::uint64_t clock = 0;
    bool runnable = true;
    bool timed_out = false;
    const void* waits_on = nullptr;    // a futex
    std::uint64_t deadline = never;    // of that wait
    std::atomic<std::uint32_t> go{0};  // its turn: 1
};

class guard {
public:
    explicit guard(pthread_mutex_t& m) noexcept : mutex_(m) {
        real(known_lock, "pthread_mutex_lock")(&mutex_);
    }
    ~guard() { real(known_unlock, "pthread_mutex_unlock")(&mutex_); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

private:
    pthread_mutex_t& mutex_;
};

std::atomic<bool> simulating{false};
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // guards what follows
std::deque<actor> actors;
actor* running = nullptr;
lines memory;
std::uint64_t barriers = 0;
std::uint64_t wakes = 0;

constinit thread_local actor* self = nullptr;

void wait_for_turn(actor& a) noexcept {
    while (a.go.load(std::memory_order_acquire) == 0) {
        const long arguments[6] = {reinterpret_cast<long>(&a.go), FUTEX_WAIT_PRIVATE, 0, 0, 0, 0};
        kernel(SYS_futex, arguments);
    }
}

void give_turn(actor& a) noexcept {
    running = &a;
    a.go.store(1, std::memory_order_release);
    const long arguments[6] = {reinterpret_cast<long>(&a.go), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0};
    kernel(SYS_futex, arguments);
}

/// Whoever is behind all others; if all wait, the one whose time is over first. nullptr: nobody can go on.
actor* next() noexcept {
    actor* best = nullptr;
    for (actor& a : actors) {
        if (a.runnable && (best == nullptr || a.clock < best->clock)) best = &a;
    }
    if (best != nullptr) return best;
    for (actor& a : actors) {
        if (a.deadline != never && (best == nullptr || a.deadline < best->deadline)) best = &a;
    }
    if (best != nullptr) {
        best->clock = best->deadline;
        best->timed_out = best->runnable = true;
        best->waits_on = nullptr;
    }
    return best;
}

/// Lets whoever is next go on, and returns when it is our turn again. The mutex is held, and not when it returns.
class turn {
public:
    turn() noexcept { real(known_lock, "pthread_mutex_lock")(&mutex); }
    ~turn() {
        actor& me = *self;
        actor* const then = simulating.load(std::memory_order_relaxed) ? next() : &me;
        if (then != &me) {
            me.go.store(0, std::memory_order_relaxed);
            running = nullptr;
            if (then != nullptr) give_turn(*then);
        }
        real(known_unlock, "pthread_mutex_unlock")(&mutex);
        if (then != &me) wait_for_turn(me);
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
};

/// Whether this thread is simulated. A new one comes in with the clock of whoever runs.
bool taking_part() noexcept {
    if (!simulating.load(std::memory_order_relaxed)) return false;
    if (self != nullptr) return true;
    bool mine = false;
    {
        const guard g(mutex);
        actor& a = actors.emplace_back();
        a.number = static_cast<unsigned>(actors.size() - 1);
        if (actors.size() > max_threads) std::abort();
        if (running != nullptr) a.clock = running->clock;
        self = &a;
        mine = running == nullptr;
        if (mine) {
            running = &a;
            a.go.store(1, std::memory_order_relaxed);
        }
    }
    if (!mine) wait_for_turn(*self);
    return simulating.load(std::memory_order_relaxed);
}

// noinline: a coroutine may go on on another thread, and compilers keep addresses of thread-locals.

[[gnu::noinline]] void touch(bool writes, const void* address,
                             const std::source_location& at) noexcept {
    if (!taking_part()) return;
    const turn t;
    const bool miss =
        writes ? memory.write(address, self->number, at) : memory.read(address, self->number, at);
    self->clock += miss ? miss_ns : hit_ns;
}

[[gnu::noinline]] void advance(std::uint64_t ns) noexcept {
    const turn t;
    self->clock += ns;
}

long futex_wait(const void* address, long expected, const timespec* limit) noexcept {
    actor& me = *self;
    {
        const turn t;
        if (std::atomic_ref(*static_cast<std::uint32_t*>(const_cast<void*>(address)))
                .load(std::memory_order_acquire) != static_cast<std::uint32_t>(expected)) {
            errno = EAGAIN;
            return -1;
        }
        me.runnable = me.timed_out = false;
        me.waits_on = address;
        me.deadline = limit == nullptr
                          ? never
                          : me.clock + static_cast<std::uint64_t>(limit->tv_sec) * 1'000'000'000U +
                                static_cast<std::uint64_t>(limit->tv_nsec);
    }
    me.deadline = never;
    if (!me.timed_out) return 0;
    errno = ETIMEDOUT;
    return -1;
}

long futex_wake(const void* address, long count) noexcept {
    const turn t;
    long woken = 0;
    ++wakes;
    for (actor& a : actors) {
        if (woken == count || a.waits_on != address) continue;
        a.waits_on = nullptr;
        a.runnable = true;
        a.clock = std::max(a.clock, self->clock + wake_ns);
        ++woken;
    }
    if (woken != 0) self->clock += wakers_ns;
    return woken;
}

void interrupt_all() noexcept {
    const turn t;
    ++barriers;
    for (actor& a : actors) {
        if (a.runnable) a.clock += &a == self ? barrier_ns : interrupted_ns;
    }
}

}  // namespace

void read(const void* address, const std::source_location& at) noexcept {
    touch(false, address, at);
}
void write(const void* address, const std::source_location& at) noexcept {
    touch(true, address, at);
}
void work(std::uint64_t ns) noexcept {
    if (taking_part()) advance(ns);
}

void begin() {
    const guard g(mutex);
    simulating = true;
}

void reset() {
    const guard g(mutex);
    memory.reset();
    barriers = wakes = 0;
}

report end() {
    const guard g(mutex);
    simulating = false;
    report r = memory.take();
    r.barriers = barriers;
    r.wakes = wakes;
    for (actor& a : actors) give_turn(a);
    return r;
}

}  // namespace shared_writes

// These stand before the C library's.

extern "C" long syscall(long number, ...) noexcept {
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& argument : a) argument = va_arg(list, long);
    va_end(list);
    namespace sw = shared_writes;
    if ((number == SYS_futex || number == SYS_membarrier) && sw::taking_part()) {
        const auto* const address = reinterpret_cast<const void*>(a[0]);
        const long operation = a[1] & FUTEX_CMD_MASK;
        if (number == SYS_futex && operation == FUTEX_WAIT) {
            return sw::futex_wait(address, a[2], reinterpret_cast<const timespec*>(a[3]));
        }
        if (number == SYS_futex && operation == FUTEX_WAKE) return sw::futex_wake(address, a[2]);
        if (number == SYS_membarrier && a[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED)
            sw::interrupt_all();
    }
    return sw::kernel(number, a);
}

extern "C" int sched_yield() noexcept {
    if (shared_writes::taking_part()) shared_writes::advance(100);
    return 0;
}

extern "C" int pthread_mutex_lock(pthread_mutex_t* m) noexcept {
    namespace sw = shared_writes;
    if (!sw::taking_part()) return sw::real(sw::known_lock, "pthread_mutex_lock")(m);
    sw::write(m, std::source_location::current());
    while (true) {
        const int result = sw::real(sw::known_trylock, "pthread_mutex_trylock")(m);
        if (result != EBUSY) return result;
        if (!sw::taking_part()) return sw::real(sw::known_lock, "pthread_mutex_lock")(m);
        sw::advance(50);
        sw::write(m, std::source_location::current());
    }
}

extern "C" int pthread_mutex_unlock(pthread_mutex_t* m) noexcept {
    namespace sw = shared_writes;
    if (sw::taking_part()) sw::write(m, std::source_location::current());
    return sw::real(sw::known_unlock, "pthread_mutex_unlock")(m);
}
