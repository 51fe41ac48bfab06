// scope/src/suspensions.hpp - where a child is suspended, as dumps and reports say it.
// SPDX-License-Identifier: MIT
#pragma once

#include "scope_runtime.hpp"

#include <taskscope/detail/child.hpp>

#include <cstddef>
#include <string>

namespace taskscope::detail {

/// Puts into a child_info or a straggler where `c` was last suspended. By a walker of the registry.
template <class Info>
void describe_suspension(const child& c, Info& info) {
    const await_trace* const trace = c.awaits();
    if (trace == nullptr) return;
    info.suspended_at = trace->innermost();
    await_list list;
    if (!trace->read(list)) return;
    info.await_chain.assign(list.places.begin(), list.places.begin() + list.count);
    info.awaits_unlisted = list.unlisted;
    if (list.count != 0) info.suspended_at = list.places.front();
}

/// Such as ", suspended at pool.hpp:30, awaited at session.cpp:88, server.cpp:12"; empty if it never was.
template <class Info>
std::string suspension_text(const Info& info) {
    if (info.suspended_at.line() == 0) return {};
    std::string text = ", suspended at " + place(info.suspended_at);
    for (std::size_t i = 1; i < info.await_chain.size(); ++i) {
        text += (i == 1 ? ", awaited at " : ", ") + place(info.await_chain[i]);
    }
    if (info.awaits_unlisted != 0) {
        text += " and " + std::to_string(info.awaits_unlisted) + " more";
    }
    return text;
}

}  // namespace taskscope::detail
