// executor/src/frame_memory.cpp - each thread's cache of blocks, and the list of all caches.
// SPDX-License-Identifier: MIT
#include "frame_depot.hpp"

#include <taskscope/detail/frame_meter.hpp>

#include <cstdlib>
#include <mutex>
#include <new>
#include <span>
#include <string_view>

extern "C" [[gnu::weak]] void __asan_init();  // NOLINT(bugprone-reserved-identifier): is it there?

namespace taskscope {
namespace detail {

namespace {

// Never destroyed, as what follows.
union nobodys_cache {
    constexpr nobodys_cache() noexcept : cache(frame_cache::none{}) {}
    ~nobodys_cache() {}  // NOLINT(modernize-use-equals-default): that one would be deleted
    frame_cache cache;
};
constinit nobodys_cache nobodys;

}  // namespace

constinit thread_local frame_cache* thread_frames [[gnu::tls_model("initial-exec")]] =
    &nobodys.cache;
constinit thread_local frame_meter* innermost_meter = nullptr;

constinit thread_local block_class newest_block [[gnu::tls_model("initial-exec")]];

namespace {

bool wants_recycling() noexcept {
    if (!shrinkable(true, false)) return false;  // a model check wants to see each frame freed
    const char* const said = std::getenv("TASKSCOPE_RECYCLE_FRAMES");
    return said != nullptr ? std::string_view(said) != "0" : __asan_init == nullptr;
}

// Never destroyed: frames may be freed after main() has returned.
struct process {
    const bool recycles = wants_recycling();
    frame_depot depot;
    std::mutex mutex;  // guards what follows
    frame_cache* caches = nullptr;
    std::int64_t unlisted = 0;  // of caches that are gone
};

process& all() noexcept {
    alignas(process) static unsigned char memory[sizeof(process)];
    static process* const p = ::new (static_cast<void*>(memory)) process;
    return *p;
}

// A thread's cache, given back when the thread ends.
struct owner {
    owner() { thread_frames = &cache; }
    ~owner() {
        thread_frames = &nobodys.cache;
        innermost_meter = nullptr;  // if std::exit() has left one, it has this cache
    }
    frame_cache cache;
};

void make_cache() noexcept { thread_local owner of_this_thread; }

bool has_cache() noexcept { return thread_frames != &nobodys.cache; }

}  // namespace

// When a thread ends, destructors of its static objects may still make and free frames: these go to the depot and
// back.
struct without_cache {
    static void* allocate(std::size_t bytes) {
        if (innermost_meter != nullptr && innermost_meter->cache_ != nullptr) {
            void* const memory = innermost_meter->cache_->allocate(bytes);
            innermost_meter->bytes_ += frame_class::bytes(frame_class::of(bytes));
            return memory;
        }
        make_cache();
        if (has_cache()) return thread_frames->allocate(bytes);
        frame_cache passing;
        return passing.allocate(bytes);
    }

    static void free(void* memory, std::size_t bytes) noexcept {
        if (innermost_meter != nullptr && innermost_meter->cache_ != nullptr)
            return innermost_meter->cache_->free(memory, bytes);
        make_cache();
        if (has_cache()) return thread_frames->free(memory, bytes);
        frame_cache passing;
        passing.free(memory, bytes);
    }
};

namespace {

// Of the stacks of all classes; there are none without memory for them, and then each block comes from the depot.
constexpr std::size_t slots_of_all = [] {
    std::size_t n = 0;
    for (std::size_t c = 1; c < frame_class::count; ++c) n += 2 * frame_class::batch(c);
    return n;
}();

// Not by braces: from C++26 on these would mean a list of two blocks.
std::span<void* const> blocks(void** first, void** last) noexcept {
    return std::span<void* const>(first, last);
}

}  // namespace

frame_cache::frame_cache() noexcept {
    process& p = all();
    // Not a member: the thread's stack would be the smaller by it.
    void** slot =
        p.recycles ? static_cast<void**>(::operator new(slots_of_all * sizeof(void*), std::nothrow))
                   : nullptr;
    for (std::size_t c = 1; slot != nullptr && c < stacks_.size(); ++c) {
        stacks_[c].bottom = slot;
        stacks_[c].top.store(slot, std::memory_order_relaxed);
        slot += 2 * frame_class::batch(c);
        stacks_[c].end = slot;
    }
    const std::lock_guard lock{p.mutex};
    next_ = p.caches;
    if (next_ != nullptr) next_->prev_ = this;
    p.caches = this;
}

frame_cache::~frame_cache() {
    process& p = all();
    const std::lock_guard lock{p.mutex};
    for (std::size_t c = 1; c < stacks_.size(); ++c) {
        const stack& s = stacks_[c];
        p.depot.give(c, blocks(s.bottom, s.top.load(std::memory_order_relaxed)));
    }
    ::operator delete(static_cast<void*>(stacks_[1].bottom));
    p.unlisted += unlisted_.load(std::memory_order_relaxed);
    if (next_ != nullptr) next_->prev_ = prev_;
    (prev_ != nullptr ? prev_->next_ : p.caches) = next_;
}

void frame_cache::count_unlisted(std::int64_t n) noexcept {
    unlisted_.store(unlisted_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

void* frame_cache::allocate_elsewhere(std::size_t bytes) {
    if (this == &nobodys.cache) return without_cache::allocate(bytes);
    const std::size_t c = frame_class::of(bytes);
    if (!all().recycles || c >= stacks_.size()) {
        void* memory = ::operator new(bytes);
        count_unlisted(1);
        return memory;
    }
    stack& s = stacks_[c];
    if (s.bottom == nullptr) {
        void* one = nullptr;
        all().depot.take(c, std::span(&one, 1));
        return one;
    }
    const std::span batch(s.bottom, frame_class::batch(c));
    batch.front() = batch.back() = nullptr;  // new pages are cleared here, and not under a lock
    void** const top = s.bottom + all().depot.take(c, batch);
    s.top.store(top - 1, std::memory_order_relaxed);
    return top[-1];
}

void frame_cache::free_elsewhere(void* memory, std::size_t bytes) noexcept {
    if (this == &nobodys.cache) return without_cache::free(memory, bytes);
    const std::size_t c = frame_class::of(bytes);
    if (!all().recycles || c >= stacks_.size()) {
        count_unlisted(-1);
        ::operator delete(memory);
        return;
    }
    stack& s = stacks_[c];
    if (s.bottom == nullptr) {
        all().depot.give(c, blocks(&memory, &memory + 1));
        return;
    }
    void** const top = s.end - frame_class::batch(c);
    all().depot.give(c, blocks(top, s.end));
    *top = memory;
    s.top.store(top + 1, std::memory_order_relaxed);
}

frame_meter::frame_meter(std::size_t& bytes) noexcept : bytes_(bytes), outer_(innermost_meter) {
    make_cache();
    cache_ = outer_ != nullptr ? outer_->cache_ : has_cache() ? thread_frames : nullptr;
    thread_frames = &nobodys.cache;
    innermost_meter = this;
}

frame_meter::~frame_meter() {
    innermost_meter = outer_;
    if (innermost_meter == nullptr && cache_ != nullptr) thread_frames = cache_;
}

}  // namespace detail

frame_statistics frames() noexcept {
    detail::process& p = detail::all();
    const std::lock_guard lock{p.mutex};
    const detail::frame_depot::totals depot = p.depot.count();
    frame_statistics s;
    s.reserved = depot.reserved;
    std::int64_t unlisted = p.unlisted;
    for (const detail::frame_cache* c = p.caches; c != nullptr; c = c->next_) {
        for (const detail::frame_cache::stack& kept : c->stacks_)
            s.kept += kept.top.load(std::memory_order_relaxed) - kept.bottom;
        unlisted += c->unlisted_.load(std::memory_order_relaxed);
    }
    s.live = depot.out - s.kept + unlisted;
    return s;
}

}  // namespace taskscope
