// tests/noise/point.cpp - the generator behind each point, and points around the calls of the kernel's futexes.
// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <noise/point.hpp>
#include <random>
#include <thread>

namespace noise {
namespace {

std::atomic<std::uint64_t> stream{1};   // what reseed() has chosen
std::atomic<std::uint64_t> threads{0};  // that have come since
std::atomic<std::uint64_t> timed_out{0};

// One for each thread; no constructor, because threads free frames at their very end.
struct generator {
    std::uint64_t of;  // the stream it belongs to
    std::uint64_t state;
    std::uint32_t left;  // points until the next mood
    std::uint32_t calm;  // of a power of two points so many bits; the others are nothing
};

std::uint64_t mix(std::uint64_t x) noexcept {  // splitmix64
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

std::uint64_t next(generator& g) noexcept { return mix(g.state += 0x9e3779b97f4a7c15U); }

void spin(std::uint64_t rounds) noexcept {
    for (std::uint64_t i = 0; i < rounds; ++i) asm volatile("" ::: "memory");
}

void sleep(std::uint64_t nanoseconds) noexcept {
    const timespec t{0, static_cast<long>(nanoseconds)};
    nanosleep(&t, nullptr);
}

void hold_up(std::uint64_t how) noexcept {
    const std::uint64_t size = how >> 8;
    switch (how & 31) {
        case 0:
            return sleep(size % 100'000);
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
            return std::this_thread::yield();
        default:
            return spin(size % 1'000);
    }
}

}  // namespace

// noinline: a coroutine may go on on another thread, and compilers keep addresses of thread-locals.
[[gnu::noinline]] void point() noexcept {
    static constinit thread_local generator g{};
    const std::uint64_t present = stream.load(std::memory_order_relaxed);
    if (g.of != present) {
        g = {present, mix(present + threads.fetch_add(1, std::memory_order_relaxed)), 0, 0};
    }
    const std::uint64_t n = next(g);
    if (g.left-- == 0) {
        constexpr std::uint32_t moods[] = {2, 5, 8, 11};
        g.calm = moods[n % 4];
        g.left = 64 + static_cast<std::uint32_t>(n >> 32) % 512;
    }
    if ((n >> (64 - g.calm)) == 0) hold_up(next(g));
}

std::uint64_t seed() {
    static const std::uint64_t value = [] {
        const char* text = std::getenv("TASKSCOPE_NOISE_SEED");
        const std::uint64_t s =
            text != nullptr ? std::strtoull(text, nullptr, 0) : std::random_device()();
        std::printf("noise: TASKSCOPE_NOISE_SEED=%llu\n", static_cast<unsigned long long>(s));
        return s;
    }();
    return value;
}

void reseed(std::string_view name) noexcept {
    threads.store(0, std::memory_order_relaxed);
    stream.store(mix(seed() ^ std::hash<std::string_view>{}(name)) | 1, std::memory_order_relaxed);
}

std::uint64_t time_outs() noexcept { return timed_out.load(std::memory_order_relaxed); }

}  // namespace noise

// Stands before the C library's. The rooms call futexes by it, and nothing else does.
extern "C" long syscall(long number, ...) noexcept {
    using function = long (*)(long, ...);
    static const auto real = reinterpret_cast<function>(dlsym(RTLD_NEXT, "syscall"));
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& argument : a) argument = va_arg(list, long);
    va_end(list);
    if (number == SYS_futex) noise::point();
    const long result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    const int error = errno;
    if (number == SYS_futex) {
        if (result == -1 && error == ETIMEDOUT) {
            noise::timed_out.fetch_add(1, std::memory_order_relaxed);
        }
        noise::point();
    }
    errno = error;
    return result;
}
