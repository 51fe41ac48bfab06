// scope/src/stop_reason.cpp - the first reason is kept where it came from, and looked up from below.
// SPDX-License-Identifier: MIT
#include "scope_runtime.hpp"

#include <taskscope/stop_reason.hpp>

#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace taskscope {

const char* name_of(stop_kind kind) noexcept {
    switch (kind) {
        case stop_kind::request:
            return "request";
        case stop_kind::error:
            return "error";
        case stop_kind::enough:
            return "enough";
        case stop_kind::outer:
            return "outer task";
        case stop_kind::shutdown:
            return "shutdown";
        case stop_kind::fatal:
            return "fatal error";
    }
    return "?";
}

namespace detail {

bool scope_state::request_stop(stop_kind kind, std::string_view text) noexcept {
    if (stop.stop_requested()) return false;
    std::shared_ptr<const taskscope::stop_reason> why;
    try {
        why = std::make_shared<const taskscope::stop_reason>(
            taskscope::stop_reason{kind, std::string(text), path(), context.home->now()});
    } catch (const std::bad_alloc&) {
        why.reset();  // then without
    }
    {
        const std::lock_guard lock{mutex_};
        if (reason_ == nullptr) reason_ = std::move(why);
    }
    return stop.request_stop();
}

// A scope that was stopped from above has not written down why: the nearest one above that has is the one it came from,
// for who is stopped already writes nothing. What was found is left along the way, so that all scopes of a tree find
// it in a time linear in their number.
std::shared_ptr<const stop_reason> scope_state::reason() {
    std::shared_ptr<const stop_reason> why;
    std::vector<scope_reference> without;
    for (auto s = scope_reference::retain(*this); s && s->stop.stop_requested();
         s = scope_reference(without.back()->parent())) {
        {
            const std::lock_guard lock{s->mutex_};
            why = s->reason_;
        }
        if (why != nullptr) break;
        without.push_back(std::move(s));
    }
    if (why == nullptr && !without.empty()) {
        scope_state& top = *without.back();
        why = std::make_shared<const taskscope::stop_reason>(
            taskscope::stop_reason{stop_kind::outer, {}, top.path(), context.home->now()});
    }
    for (const scope_reference& s : without) {
        const std::lock_guard lock{s->mutex_};
        if (s->reason_ == nullptr) s->reason_ = why;
    }
    return why;
}

void scope_state::remember_reason() noexcept {
    if (!stop.stop_requested()) return;
    try {
        reason();
    } catch (const std::bad_alloc&) {
        return;  // then without
    }
}

}  // namespace detail
}  // namespace taskscope
