// benchmarks/shared_writes/lines.cpp - lines of 64 bytes, and names for the places that write to them.
// SPDX-License-Identifier: MIT
#include "shared_writes/lines.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace shared_writes {
namespace {

/// "deque::pop" of "taskscope::detail::job* taskscope::detail::deque::pop()", whatever compiler wrote it.
std::string name_of(const std::source_location& at) {
    std::string_view text = at.function_name();
    text = text.substr(0, text.find('('));
    text = text.substr(0, text.find(" [with"));
    int depth = 0;
    std::size_t from = text.size();
    int parts = 0;
    while (from > 0) {
        const char c = text[from - 1];
        if (c == '>') ++depth;
        if (c == '<') --depth;
        if (depth == 0 && (c == ' ' || c == '*' || c == '&')) break;
        if (depth == 0 && c == ':' && ++parts == 3) break;  // the second ::
        --from;
    }
    return std::string(text.substr(from));
}

}  // namespace

void counts::add(const counts& other) noexcept {
    writes += other.writes;
    moved += other.moved;
    taken_back += other.taken_back;
    fetched += other.fetched;
}

std::size_t lines::by_text::operator()(const std::source_location& at) const noexcept {
    return std::hash<std::string_view>{}(at.function_name()) + at.line();
}
bool lines::by_text::operator()(const std::source_location& a,
                                const std::source_location& b) const noexcept {
    return a.line() == b.line() &&
           std::string_view(a.function_name()) == std::string_view(b.function_name());
}

lines::line& lines::of(const void* address) {
    return lines_[reinterpret_cast<std::uintptr_t>(address) / 64];
}

bool lines::read(const void* address, unsigned thread, const std::source_location& at) {
    line& l = of(address);
    const bool miss = l.writer >= 0 && l.writer != static_cast<int>(thread) && !l.readers[thread];
    l.readers.set(thread);
    if (miss) {
        ++l.misses;
        ++places_[at].fetched;
    }
    return miss;
}

bool lines::write(const void* address, unsigned thread, const std::source_location& at) {
    line& l = of(address);
    counts& c = places_[at];
    ++c.writes;
    const bool moved = l.writer >= 0 && l.writer != static_cast<int>(thread);
    l.readers.reset(thread);
    const bool taken_back = !moved && l.readers.any();
    c.moved += moved ? 1 : 0;
    c.taken_back += taken_back ? 1 : 0;
    l.misses += moved || taken_back ? 1 : 0;
    l.writer = static_cast<int>(thread);
    l.readers.reset();
    return moved || taken_back;
}

void lines::reset() {
    places_.clear();
    for (auto& [address, l] : lines_) l.misses = 0;
}

report lines::take() const {
    report r;
    for (const auto& [at, c] : places_) {
        r.by_place[name_of(at)].add(c);
        r.all.add(c);
    }
    for (const auto& [address, l] : lines_) r.hottest_line = std::max(r.hottest_line, l.misses);
    return r;
}

}  // namespace shared_writes
