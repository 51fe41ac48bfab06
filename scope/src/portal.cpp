// scope/src/portal.cpp - what a portal takes along, and waiting on the outside of it.
// SPDX-License-Identifier: MIT
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/portal.hpp>
#include <taskscope/scope_tree.hpp>

namespace taskscope {
namespace {

const detail::local_binding* locals_for(const detail::scope_state& s) noexcept {
    const detail::task_context* const maker = detail::current_context();
    return maker != nullptr ? maker->locals : s.context.locals;
}

}  // namespace

portal::portal(task_scope& scope)
    : scope_(detail::scope_reference::retain(detail::scope_access::state(scope))),
      locals_(detail::local_chain::share(locals_for(*scope_))),
      context_(scope_->context) {
    context_.locals = locals_.get();
    context_.limit = nullptr;  // the scope's may be gone before we are
}

portal::portal(const portal& other) noexcept
    : scope_(detail::scope_reference::retain(*other.scope_)),
      locals_(other.locals_),
      context_(other.context_) {}

void portal::wait_for(async_event& end) const {
    if (!end.blocking_wait(*context_.home)) {
        detail::contract_violation(
            "a call through a portal to a manual_executor waits for what can not happen:\n" +
            dump(scope_->facade()));
    }
}

}  // namespace taskscope
