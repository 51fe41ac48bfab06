// tests/model/checker/shadow.cpp - cells, races, and the heap of the modelled program.
// SPDX-License-Identifier: MIT
#include "shadow.hpp"

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace model {
namespace {

void* map(std::size_t bytes) {
    void* p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        std::perror("model: mmap");
        std::abort();
    }
    return p;
}

struct span {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};

// The writable segment of this executable.
span globals() {
    span s;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& h = info->dlpi_phdr[i];
                if (h.p_type != PT_LOAD || (h.p_flags & PF_W) == 0) continue;
                auto& found = *static_cast<span*>(data);
                const std::uintptr_t begin = info->dlpi_addr + h.p_vaddr;
                if (found.begin == 0) found = {begin, begin};
                found.end = std::max(found.end, begin + h.p_memsz);
            }
            return 1;  // the first one is the executable
        },
        &s);
    return s;
}

constexpr std::size_t granule = 8;

}  // namespace

shadow::shadow() {
    heap_ = static_cast<char*>(map(heap_bytes));
    stacks_ = static_cast<char*>(map(max_threads * stack_bytes));
    watch(regions_[0], heap_, heap_bytes);
    watch(regions_[1], stacks_, max_threads * stack_bytes);
    const span g = globals();
    watch(regions_[2], reinterpret_cast<void*>(g.begin), g.end - g.begin);  // NOLINT
}

void shadow::watch(region& r, void* begin, std::size_t bytes) {
    r.begin = reinterpret_cast<std::uintptr_t>(begin) & ~(granule - 1);
    r.end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
    r.cells = static_cast<cell*>(map((r.end - r.begin + granule) / granule * sizeof(cell)));
}

void shadow::begin_run() {
    ++run_;
    for (const old_value& g : globals_before_) {
        std::memcpy(reinterpret_cast<void*>(g.address), &g.value, granule);  // NOLINT
    }
    globals_before_.clear();
    heap_used_ = 0;
    blocks_.clear();
    live_ = 0;
}

shadow::cell& shadow::fresh(cell& c) noexcept {
    if (c.run != run_) {
        c.run = run_;
        c.count = 0;
        c.allocated = c.freed = c.has_atomic = c.saved = false;
    }
    return c;
}

shadow::cell* shadow::find(std::uintptr_t address) noexcept {
    for (const region& r : regions_) {
        if (address >= r.begin && address < r.end)
            return &fresh(r.cells[(address - r.begin) / granule]);
    }
    return nullptr;
}

shadow::problem shadow::note(cell& c, unsigned thread, const clocks& now, std::uint8_t bytes,
                             touch kind, const void* where) noexcept {
    problem found;
    std::uint8_t kept = 0;
    for (unsigned i = 0; i < c.count; ++i) {
        const entry& e = c.entries[i];
        const bool before = e.thread == thread || e.when <= now[e.thread];
        const bool conflict = (e.bytes & bytes) != 0 && (is_write(e.kind) || is_write(kind)) &&
                              !(is_atomic(e.kind) && is_atomic(kind));
        if (!before && conflict) found = {"data race", 0, e.kind, e.thread, e.where};
        // A plain write that comes after an access speaks for it from now on, and so does the same again.
        const bool covered =
            before && (e.bytes & ~bytes) == 0 &&
            ((is_write(kind) && !is_atomic(kind)) || (e.kind == kind && e.thread == thread));
        if (!covered) c.entries[kept++] = e;
    }
    if (kept == c.entries.size()) {
        // No room: the oldest that is ordered before us goes.
        unsigned oldest = 0;
        for (unsigned i = kept; i-- > 0;) {
            if (c.entries[i].when <= now[c.entries[i].thread]) oldest = i;
        }
        c.entries[oldest] = c.entries[--kept];
    }
    c.entries[kept] = {now[thread], static_cast<std::uint8_t>(thread), kind, bytes, where};
    c.count = static_cast<std::uint8_t>(kept + 1);
    return found;
}

shadow::problem shadow::access(unsigned thread, const clocks& now, std::uintptr_t address,
                               std::size_t size, touch kind, const void* where, memory& atomics) {
    problem found;
    for (std::uintptr_t at = address; at < address + size;) {
        const std::uintptr_t begin = at & ~(granule - 1);
        const std::uintptr_t end = std::min(begin + granule, address + size);
        cell* c = find(at);
        if (c == nullptr) return found;  // not ours
        auto bytes =
            static_cast<std::uint8_t>(((1U << (end - begin)) - 1) & ~((1U << (at - begin)) - 1));
        const bool in_heap = at - reinterpret_cast<std::uintptr_t>(heap_) < heap_bytes;
        problem p;
        if (in_heap && !c->allocated) {
            p.what = c->freed ? "use after free" : "access outside of any block";
            if (c->freed && c->count > 0) {
                const entry& e = c->entries[c->count - 1U];
                p = {p.what, at, e.kind, e.thread, e.where};
            }
        } else {
            if (c->has_atomic && is_write(kind) && !is_atomic(kind)) {
                for (unsigned i = 0; i < granule; ++i) {
                    if ((bytes >> i & 1) != 0) atomics.forget(begin + i);
                }
            }
            if (is_write(kind) && !c->saved && begin >= regions_[2].begin &&
                begin < regions_[2].end) {
                c->saved = true;
                globals_before_.push_back(
                    {begin, memory::newest(reinterpret_cast<void*>(begin), granule)});
            }
            p = note(*c, thread, now, bytes, kind, where);
            c->has_atomic |= is_atomic(kind);
        }
        if (p.what != nullptr && found.what == nullptr) {
            found = p;
            found.address = at;
        }
        at = end;
    }
    return found;
}

void* shadow::allocate(std::size_t size, std::size_t alignment) {
    // An unallocated granule before each block catches accesses beyond the one before.
    std::size_t at = heap_used_ + granule;
    at = (at + alignment - 1) / alignment * alignment;
    const std::size_t rounded = (std::max<std::size_t>(size, 1) + granule - 1) / granule * granule;
    heap_used_ = at + rounded;
    if (heap_used_ > heap_bytes) {
        std::fprintf(stderr, "model: the program allocates more than the checker has\n");
        std::abort();
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(heap_ + at);
    for (std::uintptr_t a = begin; a < begin + rounded; a += granule) find(a)->allocated = true;
    blocks_.push_back({begin, rounded, true});
    ++live_;
    return heap_ + at;
}

bool shadow::owns(const void* p) const noexcept {
    return reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(heap_) <
           heap_bytes;
}

shadow::problem shadow::free(unsigned thread, const clocks& now, void* memory_block,
                             const void* where, memory& atomics) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory_block);
    const auto b = std::lower_bound(blocks_.begin(), blocks_.end(), begin,
                                    [](const block& x, std::uintptr_t a) { return x.begin < a; });
    if (b == blocks_.end() || b->begin != begin) return {"free of what is no block", begin};
    if (!b->live) {
        problem p = access(thread, now, begin, 1, touch::end, where, atomics);
        p.what = "double free";
        return p;
    }
    b->live = false;
    --live_;
    problem found;
    for (std::uintptr_t a = begin; a < begin + b->size; a += granule) {
        cell& c = *find(a);
        if (c.count != 0) {
            const problem p = access(thread, now, a, granule, touch::end, where, atomics);
            if (p.what != nullptr && found.what == nullptr) found = p;
        }
        c.allocated = false;
        c.freed = true;
    }
    if (found.what != nullptr) found.what = "freed while another thread may still use it";
    return found;
}

std::size_t shadow::a_live_size() const noexcept {
    for (const block& b : blocks_) {
        if (b.live) return b.size;
    }
    return 0;
}

}  // namespace model
