// tests/model/checker/memory.cpp - stores, views, and who may read what.
// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <algorithm>
#include <cstring>

namespace model {

void memory::begin_run() {
    ++run_;
    used_ = 0;
    used_messages_ = 0;
    used_outdated_ = 0;
    for (thread_state& t : threads_) {
        t.current.clear();
        t.pending.clear();
        t.released.clear();
        t.light.clear();
        t.has_released = t.has_pending = false;
    }
    for (unsigned i = 0; i < max_threads; ++i) threads_[i].current.when[i] = 1;
    sc_.clear();
    heavy_.clear();
}

std::uint64_t memory::newest(const void* address, unsigned size) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, address, size);
    return value;
}

void memory::write(std::uintptr_t address, unsigned size, std::uint64_t value) noexcept {
    std::memcpy(reinterpret_cast<void*>(address), &value, size);  // NOLINT: little endian
}

std::uint32_t memory::find(void* address, unsigned size) {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    const std::uint64_t value = newest(address, size);
    std::size_t i = (a * 0x9e3779b97f4a7c15U >> 40) % table_.size();
    for (;; i = (i + 1) % table_.size()) {
        slot& s = table_[i];
        if (s.run != run_) break;
        if (s.address != a) continue;
        variable& v = variables_[s.index];
        // Somebody may have written plainly, where we did not see it: then that is what everybody sees.
        if (!v.stores.empty() && v.size == size && v.stores[v.order.back()].value == value)
            return s.index;
        v.address = 0;
        s.address = 1;  // no variable is there; the chain goes on
    }
    if (used_ == variables_.size()) variables_.emplace_back();
    const auto index = static_cast<std::uint32_t>(used_++);
    table_[i] = {a, run_, index};
    variable& v = variables_[index];
    v.address = a;
    v.size = size;
    v.stores.assign(1, {value, nothing, 0, false});
    v.order.assign(1, 0);
    v.last_stale = {};
    v.times_stale = {};
    return index;
}

void memory::forget(std::uintptr_t address) noexcept {
    std::size_t i = (address * 0x9e3779b97f4a7c15U >> 40) % table_.size();
    for (; table_[i].run == run_; i = (i + 1) % table_.size()) {
        if (table_[i].address == address) {
            table_[i].address = 1;
            return;
        }
    }
}

std::uint16_t memory::position(const knowledge& k, std::uint32_t v) const noexcept {
    return v < k.view.size() ? variables_[v].stores[k.view[v]].position : std::uint16_t{0};
}

void memory::raise(knowledge& k, std::uint32_t v, std::uint16_t store) {
    if (k.view.size() <= v) k.view.resize(v + 1, 0);
    const std::vector<stored>& s = variables_[v].stores;
    if (s[store].position > s[k.view[v]].position) k.view[v] = store;
}

void memory::join_view(knowledge& a, const knowledge& b) {
    if (a.view.size() < b.view.size()) a.view.resize(b.view.size(), 0);
    for (std::size_t v = 0; v < b.view.size(); ++v) {
        if (a.view[v] != b.view[v]) raise(a, static_cast<std::uint32_t>(v), b.view[v]);
    }
}

void memory::join(knowledge& a, const knowledge& b) {
    model::join(a.when, b.when);
    join_view(a, b);
}

// The first position in modification order that the thread may read.
std::uint32_t memory::floor(unsigned thread, std::uint32_t v, bool sc) const noexcept {
    const std::uint16_t own = position(threads_[thread].current, v);
    return sc ? std::max(own, position(sc_, v)) : own;
}

// A store becomes visible in finite time: the same outdated value is not returned for ever.
bool memory::too_stale(const variable& v, unsigned thread, std::uint16_t store) const noexcept {
    return v.last_stale[thread] == store && v.times_stale[thread] >= stale_;
}

// Whether a new store may come right behind `position`.
bool memory::may_follow(const variable& v, std::uint32_t position) const noexcept {
    return position + 1 == v.order.size() || !v.stores[v.order[position + 1]].reads_previous;
}

memory::access memory::did_read(unsigned thread, std::uint32_t index, std::uint16_t store,
                                order o) {
    variable& v = variables_[index];
    const stored& s = v.stores[store];
    thread_state& t = threads_[thread];
    const bool stale = s.position + 1U != v.order.size();
    if (stale && v.last_stale[thread] == store) {
        ++v.times_stale[thread];
    } else if (stale) {
        v.last_stale[thread] = store;
        v.times_stale[thread] = 1;
    }
    raise(t.current, index, store);
    if (s.message != nothing) {
        if (acquires(o)) {
            join(t.current, messages_[s.message]);
        } else {
            join(t.pending, messages_[s.message]);
            t.has_pending = true;
        }
    }
    if (o == order::seq_cst) raise(sc_, index, store);
    return {s.value, stale, false};
}

void memory::did_store(unsigned thread, std::uint32_t index, std::uint32_t position,
                       std::uint64_t value, order o, std::uint32_t read) {
    variable& v = variables_[index];
    thread_state& t = threads_[thread];
    const auto fresh = static_cast<std::uint16_t>(v.stores.size());
    v.stores.push_back({value, nothing, 0, read != nothing});
    v.order.insert(v.order.begin() + position, fresh);
    for (std::size_t i = position; i < v.order.size(); ++i) {
        v.stores[v.order[i]].position = static_cast<std::uint16_t>(i);
    }
    raise(t.current, index, fresh);
    if (o == order::seq_cst) raise(sc_, index, fresh);

    // What an acquire load of this store gets: all we know, or what we knew at our last release fence; and if
    // we have read a store, what came with that (a release sequence).
    const std::uint32_t inherited = read != nothing ? v.stores[read].message : nothing;
    if (releases(o) || t.has_released || inherited != nothing) {
        if (used_messages_ == messages_.size()) messages_.emplace_back();
        const auto m = static_cast<std::uint32_t>(used_messages_++);
        messages_[m].clear();
        if (releases(o)) {
            join(messages_[m], t.current);
        } else if (t.has_released) {
            join(messages_[m], t.released);
        }
        if (inherited != nothing) join(messages_[m], messages_[inherited]);
        v.stores[fresh].message = m;
    }
    write(v.address, v.size, v.stores[v.order.back()].value);
    tick(thread);
}

// The first option costs nothing.
unsigned memory::pick() {
    const bool free = used_outdated_ < outdated_;
    const unsigned taken = choose_(free ? static_cast<unsigned>(options_.size()) : 1);
    if (taken != 0) ++used_outdated_;
    return taken;
}

memory::access memory::load(unsigned thread, void* address, unsigned size, order o) {
    const std::uint32_t index = find(address, size);
    const variable& v = variables_[index];
    const std::uint32_t least = floor(thread, index, o == order::seq_cst);
    options_.clear();
    for (auto p = static_cast<std::uint32_t>(v.order.size()); p-- > least;) {
        if (p + 1 < v.order.size() && too_stale(v, thread, v.order[p])) break;
        options_.push_back(p);
    }
    const std::uint32_t p = options_[pick()];
    return did_read(thread, index, v.order[p], o);
}

memory::access memory::store(unsigned thread, void* address, unsigned size, std::uint64_t value,
                             order o) {
    const std::uint32_t index = find(address, size);
    const variable& v = variables_[index];
    const std::uint32_t least = floor(thread, index, o == order::seq_cst);
    options_.clear();
    for (auto p = static_cast<std::uint32_t>(v.order.size()); p > least; --p) {
        if (may_follow(v, p - 1)) options_.push_back(p);
    }
    const std::uint32_t p = options_[pick()];
    const bool last = p == v.order.size();
    did_store(thread, index, p, value, o, nothing);
    return {value, !last, true};
}

std::uint32_t memory::pick_for_update(unsigned thread, std::uint32_t index, order o) {
    const variable& v = variables_[index];
    const std::uint32_t least = floor(thread, index, o == order::seq_cst);
    options_.clear();
    for (auto p = static_cast<std::uint32_t>(v.order.size()); p-- > least;) {
        if (may_follow(v, p)) options_.push_back(p);
    }
    return options_[pick()];
}

memory::access memory::compare_exchange(unsigned thread, void* address, unsigned size,
                                        std::uint64_t expected, std::uint64_t desired,
                                        order success, order failure, bool may_fail) {
    const std::uint32_t index = find(address, size);
    const variable& v = variables_[index];
    const std::uint32_t least = floor(thread, index, false);
    const std::uint32_t least_sc = floor(thread, index, true);
    // An option is a position, times two, plus one for a weak failure.
    options_.clear();
    for (auto p = static_cast<std::uint32_t>(v.order.size()); p-- > least;) {
        const bool equal = v.stores[v.order[p]].value == expected;
        const bool last = p + 1 == v.order.size();
        if (equal) {
            if (may_follow(v, p) && (success != order::seq_cst || p >= least_sc))
                options_.push_back(2 * p);
            if (may_fail && last) options_.push_back(2 * p + 1);
        } else if ((failure != order::seq_cst || p >= least_sc) &&
                   (last || !too_stale(v, thread, v.order[p]))) {
            options_.push_back(2 * p);
        }
    }
    const std::uint32_t option = options_[pick()];
    const std::uint32_t p = option / 2;
    const std::uint16_t read = v.order[p];
    const bool succeeds = option % 2 == 0 && v.stores[read].value == expected;
    access a = did_read(thread, index, read, succeeds ? success : failure);
    if (succeeds) did_store(thread, index, p + 1, desired, success, read);
    a.stored = succeeds;
    return a;
}

void memory::fence(unsigned thread, order o) {
    thread_state& t = threads_[thread];
    if (acquires(o) && t.has_pending) join(t.current, t.pending);
    if (o == order::seq_cst) {
        join_view(t.current, sc_);
        join_view(sc_, t.current);
    }
    if (releases(o)) {
        t.released.clear();
        join(t.released, t.current);
        t.has_released = true;
        tick(thread);
    }
}

void memory::light_fence(unsigned thread) {
    thread_state& t = threads_[thread];
    join_view(t.current, heavy_);
    t.light.view = t.current.view;
}

void memory::heavy_fence(unsigned thread, unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) join_view(sc_, threads_[i].light);
    fence(thread, order::seq_cst);
    join_view(heavy_, threads_[thread].current);
}

void memory::release_to(unsigned thread, knowledge& k) {
    join(k, threads_[thread].current);
    tick(thread);
}

void memory::acquire_from(unsigned thread, const knowledge& k) {
    join(threads_[thread].current, k);
}

}  // namespace model
