// <taskscope/detail/plain_child.hpp> - a child that is no task but is called: one piece of memory, and no frame.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/child.hpp>
#include <taskscope/detail/job.hpp>

#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace taskscope::detail {

/// What adopt() is for a task: it is listed, and ready to be scheduled.
void prepare_plain(child& c, task_context& context) noexcept;
/// From here on the worker works for it. False if it is not to be called.
bool begin_plain(child& c) noexcept;
/// The second half of its end. Goes on with the next one of the same scope, if that is what the worker would do next, and
/// so on: they leave together. While one of them runs the scope cannot end anyway. Returns what the worker runs next.
job* leave_with_others(scope_state& s, scope_state::place p) noexcept;

/// The record of a function, which is queued itself.
template <class F, class... Args>
struct plain_record : child {
    template <class G, class... As>
    plain_record(scope_state& s, std::source_location at, G&& g, As&&... as)
        : child(&plain_record::run, s, at), body(std::forward<G>(g), std::forward<As>(as)...) {}

    static job* run(receiver& r, promise_base*) noexcept {
        auto* self = static_cast<plain_record*>(&r);
        scope_state& scope = *self->scope;
        const scope_state::place place = self->membership();
        self->run_body();
        record_memory<plain_record>::destroy(self);
        return leave_with_others(scope, place);
    }

private:
    void run_body() noexcept {
        if (!begin_plain(*this)) return complete(*this, outcome::stopped, nullptr);
        try {
            static_cast<void>(body());
        } catch (...) {
            const std::exception_ptr error = std::current_exception();
            return complete(*this, outcome::error, &error);
        }
        complete(*this, outcome::value, nullptr);
    }

    [[no_unique_address]] bound_call<F, Args...> body;
};

/// Whether a callable does its work when it is called, and gives no task.
template <class F, class... Args>
inline constexpr bool is_plain = !is_task_type<
    std::remove_cvref_t<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>>;

}  // namespace taskscope::detail
