// tests/model/checker/hooks.cpp - where the program meets the checker: instructions, threads, the kernel.
// SPDX-License-Identifier: MIT
//
// The program is compiled with -fsanitize=thread, which makes every access to memory and every atomic operation
// a call, and is linked without ThreadSanitizer: these are the functions it calls instead. Threads, mutexes,
// futexes, membarrier, the clock and the heap are replaced by defining the functions of the C library. So what
// runs is the production code as it is, std::atomic and std::mutex included.
#include "runtime.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <type_traits>

namespace model {
namespace {

// GCC's and clang's __ATOMIC_* have the same numbers; the upper bits are hints.
constexpr order order_of(int mo) { return static_cast<order>(mo & 7); }

template <class T>
T atomic_load(const volatile T* a, int mo, const void* where) {
    runtime* r = runtime::running();
    if (r == nullptr) return *a;
    const not_modelled guard;
    return static_cast<T>(r->load(const_cast<T*>(a), sizeof(T), order_of(mo), where));
}

template <class T>
void atomic_store(volatile T* a, T value, int mo, const void* where) {
    runtime* r = runtime::running();
    if (r == nullptr) {
        *a = value;
        return;
    }
    const not_modelled guard;
    r->store(const_cast<T*>(a), sizeof(T), static_cast<std::make_unsigned_t<T>>(value),
             order_of(mo), where);
}

template <class T, class F>
T atomic_update(volatile T* a, int mo, const void* where, F change) {
    runtime* r = runtime::running();
    if (r == nullptr) {
        const T old = *a;
        *a = change(old);
        return old;
    }
    const not_modelled guard;
    return static_cast<T>(
        r->update(const_cast<T*>(a), sizeof(T), order_of(mo), where, [&](std::uint64_t old) {
            return static_cast<std::uint64_t>(
                static_cast<std::make_unsigned_t<T>>(change(static_cast<T>(old))));
        }));
}

template <class T>
int atomic_compare(volatile T* a, T* expected, T desired, int success, int failure, bool weak,
                   const void* where) {
    runtime* r = runtime::running();
    if (r == nullptr) {
        const T old = *a;
        const bool same = old == *expected;
        if (same) *a = desired;
        *expected = old;
        return same ? 1 : 0;
    }
    const not_modelled guard;
    using U = std::make_unsigned_t<T>;
    std::uint64_t e = static_cast<U>(*expected);
    const bool done = r->compare_exchange(const_cast<T*>(a), sizeof(T), e, static_cast<U>(desired),
                                          order_of(success), order_of(failure), weak, where);
    *expected = static_cast<T>(e);
    return done ? 1 : 0;
}

void touched(const void* a, std::size_t size, touch kind, const void* where) {
    runtime* r = runtime::running();
    if (r == nullptr) return;
    const not_modelled guard;
    r->touched(reinterpret_cast<std::uintptr_t>(a), size, kind, where);
}

void fence(int mo, bool of_the_compiler, const void* where) {
    runtime* r = runtime::running();
    if (r == nullptr) return;
    const not_modelled guard;
    if (!of_the_compiler) {
        r->fence(order_of(mo), where);
    } else if (order_of(mo) == order::seq_cst) {
        r->light_fence(where);  // the light side of a membarrier
    }
}

void* allocate(std::size_t size, std::size_t alignment) {
    if (runtime* r = runtime::running()) {
        const not_modelled guard;
        return r->allocate(size, alignment);
    }
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void release(void* block, const void* where) {
    if (!runtime::owns(block)) {
        std::free(block);
    } else if (runtime* r = runtime::running()) {  // else the run it belongs to is over
        const not_modelled guard;
        r->free(block, where);
    }
}

std::int64_t nanoseconds(const timespec* t) {
    return t == nullptr ? -1 : t->tv_sec * 1'000'000'000 + t->tv_nsec;
}

long futex(runtime& r, void* word, int operation, std::uint32_t value, const timespec* limit,
           const void* where) {
    switch (operation & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
            switch (r.futex_wait(word, value, nanoseconds(limit), where)) {
                case runtime::wait_end::woken:
                case runtime::wait_end::spurious:
                    return 0;
                case runtime::wait_end::changed:
                    errno = EAGAIN;
                    return -1;
                case runtime::wait_end::timed_out:
                    errno = ETIMEDOUT;
                    return -1;
            }
            return 0;
        case FUTEX_WAKE:
        case FUTEX_WAKE_BITSET:
            return r.futex_wake(word, value, where);
        default:
            r.fail("a futex operation that the checker does not know");
    }
}

long membarrier(runtime& r, int command, const void* where) {
    if (!r.opts().membarrier) {
        errno = ENOSYS;
        return -1;
    }
    if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED) r.heavy_fence(where);
    return 0;
}

}  // namespace
}  // namespace model

// NOLINTBEGIN: the names and signatures are the compilers' and the C library's
#define HERE __builtin_return_address(0)

using model::touch;

#define MODEL_ACCESS(n)                                                                   \
    void __tsan_read##n(void* a) { model::touched(a, n, touch::read, HERE); }             \
    void __tsan_write##n(void* a) { model::touched(a, n, touch::write, HERE); }           \
    void __tsan_unaligned_read##n(void* a) { model::touched(a, n, touch::read, HERE); }   \
    void __tsan_unaligned_write##n(void* a) { model::touched(a, n, touch::write, HERE); } \
    void __tsan_read_write##n(void* a) { model::touched(a, n, touch::write, HERE); }      \
    void __tsan_unaligned_read_write##n(void* a) { model::touched(a, n, touch::write, HERE); }

#define MODEL_ATOMIC(bits)                                                                        \
    using a##bits = std::int##bits##_t;                                                           \
    a##bits __tsan_atomic##bits##_load(const volatile a##bits* a, int mo) {                       \
        return model::atomic_load(a, mo, HERE);                                                   \
    }                                                                                             \
    void __tsan_atomic##bits##_store(volatile a##bits* a, a##bits v, int mo) {                    \
        model::atomic_store(a, v, mo, HERE);                                                      \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_exchange(volatile a##bits* a, a##bits v, int mo) {              \
        return model::atomic_update(a, mo, HERE, [v](a##bits) { return v; });                     \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_fetch_add(volatile a##bits* a, a##bits v, int mo) {             \
        return model::atomic_update(a, mo, HERE, [v](a##bits x) { return a##bits(x + v); });      \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_fetch_sub(volatile a##bits* a, a##bits v, int mo) {             \
        return model::atomic_update(a, mo, HERE, [v](a##bits x) { return a##bits(x - v); });      \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_fetch_and(volatile a##bits* a, a##bits v, int mo) {             \
        return model::atomic_update(a, mo, HERE, [v](a##bits x) { return a##bits(x & v); });      \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_fetch_or(volatile a##bits* a, a##bits v, int mo) {              \
        return model::atomic_update(a, mo, HERE, [v](a##bits x) { return a##bits(x | v); });      \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_fetch_xor(volatile a##bits* a, a##bits v, int mo) {             \
        return model::atomic_update(a, mo, HERE, [v](a##bits x) { return a##bits(x ^ v); });      \
    }                                                                                             \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile a##bits* a, a##bits* e, a##bits v, \
                                                      int mo, int fail) {                         \
        return model::atomic_compare(a, e, v, mo, fail, false, HERE);                             \
    }                                                                                             \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile a##bits* a, a##bits* e, a##bits v,   \
                                                    int mo, int fail) {                           \
        return model::atomic_compare(a, e, v, mo, fail, true, HERE);                              \
    }                                                                                             \
    a##bits __tsan_atomic##bits##_compare_exchange_val(volatile a##bits* a, a##bits e, a##bits v, \
                                                       int mo, int fail) {                        \
        model::atomic_compare(a, &e, v, mo, fail, false, HERE);                                   \
        return e;                                                                                 \
    }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void** a) { model::touched(a, sizeof(*a), touch::read, HERE); }
void __tsan_vptr_update(void** a, void* fresh) {
    if (*a != fresh) model::touched(a, sizeof(*a), touch::write, HERE);
}
void __tsan_read_range(void* a, unsigned long n) { model::touched(a, n, touch::read, HERE); }
void __tsan_write_range(void* a, unsigned long n) { model::touched(a, n, touch::write, HERE); }
void* __tsan_memcpy(void* to, const void* from, unsigned long n) {
    model::touched(from, n, touch::read, HERE);
    model::touched(to, n, touch::write, HERE);
    return __builtin_memcpy(to, from, n);
}
void* __tsan_memmove(void* to, const void* from, unsigned long n) {
    model::touched(from, n, touch::read, HERE);
    model::touched(to, n, touch::write, HERE);
    return __builtin_memmove(to, from, n);
}
void* __tsan_memset(void* to, int c, unsigned long n) {
    model::touched(to, n, touch::write, HERE);
    return __builtin_memset(to, c, n);
}
MODEL_ACCESS(1)
MODEL_ACCESS(2)
MODEL_ACCESS(4)
MODEL_ACCESS(8)
MODEL_ACCESS(16)
MODEL_ATOMIC(8)
MODEL_ATOMIC(16)
MODEL_ATOMIC(32)
MODEL_ATOMIC(64)
void __tsan_atomic_thread_fence(int mo) { model::fence(mo, false, HERE); }
void __tsan_atomic_signal_fence(int mo) { model::fence(mo, true, HERE); }

// Threads. Outside of a model there is one thread, and nothing to do.

int pthread_mutex_lock(pthread_mutex_t* m) noexcept {
    if (model::runtime* r = model::runtime::running()) {
        const model::not_modelled guard;
        r->lock(m, (m->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP, HERE);
    }
    return 0;
}
int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
    model::runtime* r = model::runtime::running();
    if (r == nullptr) return 0;
    const model::not_modelled guard;
    return r->try_lock(m, (m->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP, HERE) ? 0 : EBUSY;
}
int pthread_mutex_unlock(pthread_mutex_t* m) noexcept {
    if (model::runtime* r = model::runtime::running()) {
        const model::not_modelled guard;
        r->unlock(m, HERE);
    }
    return 0;
}
int pthread_create(pthread_t* thread, const pthread_attr_t*, void* (*f)(void*),
                   void* argument) noexcept {
    model::runtime* r = model::runtime::running();
    if (r == nullptr) {
        std::fputs("model: a thread was started outside of a model\n", stderr);
        std::abort();
    }
    const model::not_modelled guard;
    *thread = r->create(f, argument, HERE) + 1;
    return 0;
}
int pthread_join(pthread_t thread, void** result) {
    model::runtime* r = model::runtime::running();
    if (r == nullptr) std::abort();
    const model::not_modelled guard;
    void* const returned = r->join(static_cast<unsigned>(thread - 1), HERE);
    if (result != nullptr) *result = returned;
    return 0;
}
int pthread_detach(pthread_t) noexcept {
    model::runtime* r = model::runtime::running();
    if (r == nullptr) std::abort();
    const model::not_modelled guard;
    r->fail("a thread was detached: nobody can know whether it has ended");
}
int pthread_setname_np(pthread_t thread, const char* name) noexcept {
    if (model::runtime* r = model::runtime::running()) {
        const model::not_modelled guard;
        r->set_name(static_cast<unsigned>(thread - 1), name);
    }
    return 0;
}
pthread_t pthread_self() noexcept {
    const model::runtime* r = model::runtime::running();
    return r != nullptr ? r->self() + 1 : 1;
}
int sched_yield() noexcept {
    if (model::runtime* r = model::runtime::running()) {
        const model::not_modelled guard;
        r->yield(HERE);
    }
    return 0;
}

// The kernel.

long syscall(long number, ...) noexcept {
    model::runtime* r = model::runtime::running();
    va_list list;
    va_start(list, number);
    long result = 0;
    if (r == nullptr) {
        std::fprintf(stderr, "model: system call %ld outside of a model\n", number);
        std::abort();
    } else if (number == SYS_futex) {
        void* const word = va_arg(list, void*);
        const int operation = va_arg(list, int);
        const auto value = va_arg(list, std::uint32_t);
        const auto* limit = va_arg(list, const timespec*);
        if ((operation & FUTEX_CMD_MASK) == FUTEX_WAKE) limit = nullptr;
        const model::not_modelled guard;
        result = model::futex(*r, word, operation, value, limit, HERE);
    } else if (number == SYS_membarrier) {
        const int command = va_arg(list, int);
        const model::not_modelled guard;
        result = model::membarrier(*r, command, HERE);
    } else {
        const model::not_modelled guard;
        r->fail("system call " + std::to_string(number) + ", which the checker does not know");
    }
    va_end(list);
    return result;
}

int clock_gettime(clockid_t id, timespec* t) noexcept {
    if (model::runtime* r = model::runtime::running()) {
        const std::int64_t now = r->now(HERE);
        *t = {now / 1'000'000'000, now % 1'000'000'000};
        return 0;
    }
    static const auto real =
        reinterpret_cast<int (*)(clockid_t, timespec*)>(dlsym(RTLD_NEXT, "clock_gettime"));
    return real(id, t);
}

}  // extern "C"

// The heap.

void* operator new(std::size_t n) { return model::allocate(n, 16); }
void* operator new[](std::size_t n) { return model::allocate(n, 16); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return model::allocate(n, 16); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
    return model::allocate(n, 16);
}
void* operator new(std::size_t n, std::align_val_t a) { return model::allocate(n, std::size_t(a)); }
void* operator new[](std::size_t n, std::align_val_t a) {
    return model::allocate(n, std::size_t(a));
}
void operator delete(void* p) noexcept { model::release(p, HERE); }
void operator delete[](void* p) noexcept { model::release(p, HERE); }
void operator delete(void* p, std::size_t) noexcept { model::release(p, HERE); }
void operator delete[](void* p, std::size_t) noexcept { model::release(p, HERE); }
void operator delete(void* p, std::align_val_t) noexcept { model::release(p, HERE); }
void operator delete[](void* p, std::align_val_t) noexcept { model::release(p, HERE); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { model::release(p, HERE); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { model::release(p, HERE); }
// NOLINTEND
