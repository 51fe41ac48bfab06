// tests/support/failing_threads.cpp - replaces pthread_create of the program it is linked into.
// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <support/failing_threads.hpp>

namespace support {
namespace {

constexpr int never = std::numeric_limits<int>::max();
std::atomic<int> threads_left{never};

}  // namespace

failing_threads::failing_threads(int k) noexcept { threads_left.store(k); }
failing_threads::~failing_threads() { threads_left.store(never); }

}  // namespace support

extern "C" {

// A sanitizer's own, if there is one: it must see every thread.
[[gnu::weak]] int __interceptor_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                                               void*);

// libstdc++ calls this one: a program's symbols come before those of its libraries.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*f)(void*),
                   void* argument) {
    using support::threads_left;
    if (threads_left.load() != support::never && threads_left.fetch_sub(1) <= 1) return EAGAIN;
    if (&__interceptor_pthread_create != nullptr) {
        return __interceptor_pthread_create(thread, attributes, f, argument);
    }
    using function = decltype(&pthread_create);
    static const auto real = reinterpret_cast<function>(dlsym(RTLD_NEXT, "pthread_create"));
    return real(thread, attributes, f, argument);
}

}  // extern "C"
