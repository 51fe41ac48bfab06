// scope/src/scope_state.cpp - the beginning and the end of a scope, and its place in the tree.
// SPDX-License-Identifier: MIT
#include "observers.hpp"
#include "scope_runtime.hpp"

#include <taskscope/detail/scope_state.hpp>
#include <taskscope/errors.hpp>

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace taskscope::detail {
namespace {

// Without a name of its own a scope is called by the place where it was opened.
std::string name_or_place(std::string_view name, const std::source_location& at) {
    return name.empty() && at.line() != 0 ? place(at) : std::string(name);
}

}  // namespace

std::string place(const std::source_location& at) {
    std::string_view file = at.file_name();
    file.remove_prefix(file.rfind('/') + 1);
    return std::string(file) + ':' + std::to_string(at.line());
}

scope_state::scope_state(const task_context& above, scope_runtime& r, scope_state* parent,
                         task_scope* f, const scope_options& options, std::source_location where,
                         bool body)
    : runtime(r),
      name(name_or_place(options.name, where)),
      opened_at(where),
      opened_when(above.home->now()),
      limits(options.limits),
      is_block(body),
      stop(above.stop),
      closing(parent != nullptr ? parent->closing.token() : stop_token{}),
      word_(body ? one_child : 0),
      facade_(f),
      core_(&executor_access::core(*above.home)),
      workers_(above.home->workers()),
      locals_(local_chain::share(above.locals)),
      parent_(parent),
      policy_(options.policy) {
    context = {above.home, stop.token(), this, above.limit, locals_.get()};
    cleanup_context = {above.home, {}, this, nullptr, locals_.get()};
    all_watched.store(policy_access::wants_all(policy_), std::memory_order_relaxed);
    scope_access::make_view(*this, static_cast<void*>(&view_));
    if (parent == nullptr) return;
    std::unique_lock lock{parent->mutex_};
    // A child of a closed scope may still open a block: it is part of what it has to finish. Anything else
    // would be new.
    if (!parent->enter_scope(is_block ? ending : closed)) {
        lock.unlock();
        throw_scope_closed(*parent);
    }
    next_sibling_ = parent->first_child_;
    if (next_sibling_ != nullptr) next_sibling_->prev_sibling_ = this;
    parent->first_child_ = this;
}

void scope_state::release() noexcept {
    // edge scope.release, both halves: the last owner destroys what the others wrote.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

scope_state* scope_state::end() noexcept {
    stop.detach();
    closing.detach();
    remember_reason();
    if (runtime.observed.load(std::memory_order_relaxed)) [[unlikely]]
        runtime.all_observers->ended(*this);
    scope_state* const up = leave_tree();
    ended.set();  // lets the owner destroy its task_scope
    release();    // the reference that was ours from the beginning
    return up;    // its member we still are
}

scope_state* scope_state::leave_tree() noexcept {
    scope_state* const up = parent_;  // written only here
    if (up == nullptr) return nullptr;
    {
        const std::lock_guard lock{up->mutex_};
        (prev_sibling_ != nullptr ? prev_sibling_->next_sibling_ : up->first_child_) =
            next_sibling_;
        if (next_sibling_ != nullptr) next_sibling_->prev_sibling_ = prev_sibling_;
    }
    const std::lock_guard lock{mutex_};
    parent_ = nullptr;
    return up;
}

void scope_state::set_error() noexcept {
    // edge scope.error, release half (acquire half: the load in has_errors()).
    word_.fetch_or(error, std::memory_order_release);
}

std::shared_ptr<admission_state> scope_state::admission() {
    const std::lock_guard lock{mutex_};
    return admission_;
}

bool scope_state::set_admission(const std::shared_ptr<admission_state>& expected,
                                std::shared_ptr<admission_state> next) noexcept {
    const std::lock_guard lock{mutex_};
    if (admission_ != expected) return false;
    admission_.swap(next);
    return true;
}

scope_state* scope_state::parent() noexcept {
    const std::lock_guard lock{mutex_};
    if (parent_ != nullptr) parent_->retain();
    return parent_;
}

std::vector<scope_reference> scope_state::children() {
    std::vector<scope_reference> result;
    const std::lock_guard lock{mutex_};
    for (scope_state* c = first_child_; c != nullptr; c = c->next_sibling_) {
        result.push_back(scope_reference::retain(*c));
    }
    std::reverse(result.begin(), result.end());  // in order of creation
    return result;
}

void scope_state::depends_on(scope_state& other) {
    const scope_reference up(parent());
    const scope_reference up_other(other.parent());
    if (!up || up.get() != up_other.get() || this == &other) {
        throw misuse_error("taskscope: scope " + path() + " can depend only on another one below " +
                           "the same scope, and " + other.path() + " is none");
    }
    const std::lock_guard lock{up->mutex_};
    std::vector<const scope_state*> todo{&other};
    std::unordered_set<const scope_state*> seen;
    while (!todo.empty()) {
        const scope_state* const s = todo.back();
        todo.pop_back();
        if (s == this) {
            throw misuse_error("taskscope: scope " + other.name + " depends on " + name +
                               " already: neither could be ended before the other");
        }
        if (!seen.insert(s).second) continue;
        for (const scope_reference& n : s->needs_) todo.push_back(n.get());
    }
    needs_.push_back(scope_reference::retain(other));
}

std::vector<scope_reference> scope_state::needs() {
    std::vector<scope_reference> result;
    const scope_reference up(parent());
    if (!up) return result;
    const std::lock_guard lock{up->mutex_};
    for (const scope_reference& n : needs_) result.push_back(scope_reference::retain(*n));
    return result;
}

std::string scope_state::path() {
    std::vector<std::string> names;
    for (scope_reference s = scope_reference::retain(*this); s; s = scope_reference(s->parent())) {
        names.push_back(s->name);
    }
    std::string result;
    for (std::size_t i = names.size(); i-- > 0;) {
        if (names[i].empty()) continue;  // the root
        result += '/';
        result += names[i];
    }
    return result.empty() ? "/" : result;
}

}  // namespace taskscope::detail
