// <taskscope/detail/child.hpp> - the record of a spawned task: whose it is, where it came from, what it holds.
// SPDX-License-Identifier: MIT
#pragma once

#include <taskscope/detail/await_trace.hpp>
#include <taskscope/detail/context.hpp>
#include <taskscope/detail/current.hpp>
#include <taskscope/detail/locals.hpp>
#include <taskscope/detail/scope_state.hpp>
#include <taskscope/detail/watcher.hpp>
#include <taskscope/task.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace taskscope::detail {

struct observed_extras;

/// What few children have: a name, and locals that are not those of the scope.
struct child_extras {
    explicit child_extras(std::source_location at) noexcept : spawned_at(at) {}

    std::source_location spawned_at;
    std::string name;
    local_chain locals;
    task_context context;
};

/// Base of all records. Allocated from frame memory; gone before the member leaves its scope.
struct child : watched, traced_receiver {
    child(function f, scope_state& s, std::source_location at) noexcept
        : traced_receiver(f), scope(&s), site_(at) {}
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child() {
        if (!has_extras_) return;
        if (is_observed_) [[unlikely]]
            free_observed();
        else
            delete site_.extras;
    }

    std::source_location spawned_at() const noexcept {
        return has_extras_ ? site_.extras->spawned_at : site_.place;
    }
    /// Empty if it has none.
    std::string_view name() const noexcept {
        return has_extras_ ? std::string_view(site_.extras->name) : std::string_view();
    }
    /// Throws std::bad_alloc.
    void set_name(std::string_view name) { extras().name = name; }

    /// The context for the child's task: `usual`, or a copy of it with the locals of the task that spawns it, if it
    /// has others. Throws std::bad_alloc.
    task_context& context_for(task_context& usual) {
        const task_context* const spawner = current_context();
        if (spawner == nullptr || spawner->locals == usual.locals) [[likely]]
            return usual;
        child_extras& own = extras();
        own.locals = local_chain::share(spawner->locals);
        own.context = usual;
        own.context.locals = spawner->locals;
        return own.context;
    }
    /// What context_for(), or an observer, has given, if `usual` is what the first was asked with.
    task_context& context_of(task_context& usual) noexcept {
        return has_extras_ && site_.extras->context.home != nullptr ? site_.extras->context : usual;
    }
    /// When the child has completed.
    void drop_locals() noexcept {
        if (has_extras_) site_.extras->locals = {};
    }

    // For observers; src/observers.cpp.

    bool is_observed() const noexcept { return is_observed_; }
    observed_extras& observed() noexcept;
    /// What it has extras becomes part of that. Null without memory.
    observed_extras* become_observed() noexcept;

    /// Where it was last suspended; null if nobody wants to know, or it is no task.
    const await_trace* awaits() const noexcept;

    /// Where its scope counts it.
    scope_state::place membership() const noexcept {
        return counted_apart ? stripe : scope_state::in_word;
    }

    static constexpr std::uint32_t nowhere = static_cast<std::uint32_t>(-1);

    // With the kind of job eight bytes, without a gap.
    bool counted_apart : 1 = false;  ///< not in the word of its scope
    bool never_runs : 1 = false;     ///< no task: a stop was requested before it was spawned
    bool is_task : 1 = false;        ///< it is a child_of_task

private:
    bool has_extras_ : 1 = false;
    bool is_observed_ : 1 = false;  // the extras are an observed_extras

public:
    std::uint8_t no_flags : 3 = 0;  ///< written too, or compilers would read the rest of the byte
    std::uint16_t stripe = 0;  ///< of whoever has spawned it, in the registry and in a spread scope
    std::uint32_t place = nowhere;  ///< where the registry has it, in that stripe
    scope_state* scope;

private:
    child_extras& extras() {
        if (!has_extras_) {
            site_.extras = new child_extras(site_.place);
            has_extras_ = true;
        }
        return *site_.extras;
    }

    void free_observed() noexcept;

    union site {
        explicit site(std::source_location at) noexcept : place(at) {}
        std::source_location place;
        child_extras* extras;
    } site_;
};

static_assert(sizeof(child) == 40, "there may be millions");

/// One that is told of the end of a task.
struct child_of_task : child {
    child_of_task(function end, scope_state& s, std::source_location at) noexcept
        : child(end, s, at) {
        is_task = true;
        trace = nullptr;
    }
    ~child_of_task() { delete trace; }
    child_of_task(const child_of_task&) = delete;
    child_of_task& operator=(const child_of_task&) = delete;
};

inline const await_trace* child::awaits() const noexcept { return is_task ? trace : nullptr; }

/// The record enters its scope. False if the scope is closed.
bool try_enter(child& c) noexcept;
/// The second half of that, for one that is a member already.
void enlist(child& c) noexcept;
/// Into the registry, where anybody may read the record: it does not change any more.
void list(child& c) noexcept;
/// Takes back the registration of a child that could not be started.
void unregister(child& c) noexcept;
/// Before it is listed: gives it a trace if its executor traces awaits.
void trace_awaits(child_of_task& c) noexcept;
/// Makes the record the owner of the task, and lists it. The task is ready to be scheduled then.
void adopt(child_of_task& c, promise_base& p, task_context& context) noexcept;

/// First half of a member's end: policy, observers, registry. `error` is not null if that is how it has ended.
void complete(child& c, outcome how, const std::exception_ptr* error) noexcept;
/// The same for a task, and its frame, which `p` is null without.
void complete(child& c, promise_base* p) noexcept;

/// Second half of a member's end. What this worker has worked for may be gone from here on.
inline void leave(scope_state& s, scope_state::place p) noexcept {
    this_worker()->context = nullptr;
    s.leave(p);  // After this line s may be gone.
}

/// Memory of a record of type `Record`, with construction and destruction.
template <class Record>
struct record_memory {
    template <class... Args>
    static Record* make(Args&&... args) {
        static_assert(alignof(Record) <= 2 * sizeof(void*),
                      "taskscope: arguments of a child must not be aligned to more than 16 bytes");
        void* memory = allocate_frame(sizeof(Record));
        try {
            return ::new (memory) Record(std::forward<Args>(args)...);
        } catch (...) {
            free_frame(memory, sizeof(Record));
            throw;
        }
    }
    static void destroy(Record* r) noexcept {
        r->~Record();
        free_frame(r, sizeof(Record));
    }
};

/// A child made from a task.
struct task_child : child_of_task {
    task_child(scope_state& s, std::source_location at) noexcept
        : child_of_task(&task_child::finish, s, at) {}

    static job* finish(receiver& r, promise_base* p) noexcept {
        auto* self = static_cast<task_child*>(&r);
        scope_state& scope = *self->scope;
        const scope_state::place place = self->membership();
        complete(*self, p);
        record_memory<task_child>::destroy(self);
        leave(scope, place);
        return nullptr;
    }
};

/// What the child of a callable gives: T if it returns task<T>, else void.
template <class R>
struct child_result {
    using type = void;
};
template <class T>
struct child_result<task<T>> {
    using type = T;
};
template <class F, class... Args>
using child_result_t = typename child_result<
    std::remove_cvref_t<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>>::type;

/// A callable with the arguments it gets, moved into the one call.
template <class F, class... Args>
struct bound_call {
    template <class G, class... As>
    explicit bound_call(G&& g, As&&... as)
        : function(std::forward<G>(g)), arguments(std::forward<As>(as)...) {}

    auto operator()() {
        return std::apply([this](Args&... as) { return std::invoke(function, std::move(as)...); },
                          arguments);
    }

    [[no_unique_address]] F function;
    [[no_unique_address]] std::tuple<Args...> arguments;
};

/// A child made from a callable and arguments, which live as long as it does. `Base` is child_of_task, or derived from it.
template <class Base, class F, class... Args>
struct callable_record : Base {
    template <class G, class... As>
    callable_record(scope_state& s, std::source_location at, G&& g, As&&... as)
        : Base(&callable_record::finish, s, at),
          call(std::forward<G>(g), std::forward<As>(as)...) {}

    static job* finish(receiver& r, promise_base* p) noexcept {
        auto* self = static_cast<callable_record*>(&r);
        scope_state& scope = *self->scope;
        const scope_state::place place = self->membership();
        complete(*self, p);
        record_memory<callable_record>::destroy(self);
        leave(scope, place);
        return nullptr;
    }

    [[no_unique_address]] bound_call<F, Args...> call;
};

template <class F, class... Args>
using callable_child = callable_record<child_of_task, F, Args...>;

/// Runs a callable that is no coroutine as a task. `f` outlives it.
template <class Record>
task<void> call_plain(Record& r) {
    r.call();
    co_return;
}

/// The task of a record with a callable: what it returns, or one that calls it.
template <class Record>
auto task_of(Record& r) {
    if constexpr (is_task_type<decltype(r.call())>) {
        return r.call();
    } else {
        return call_plain(r);
    }
}

/// Releases the frame from the task object.
template <class T>
promise_base& release_frame(task<T>& t) noexcept {
    return *std::exchange(task_access::frame(t), nullptr);
}

[[noreturn]] void throw_empty_task();
[[noreturn]] void throw_closure_task();

/// Throws misuse_error if `t` came from a lambda with captures, which is gone, or will be, before `t` ends.
template <class T>
void check_spawnable(task<T>& t) {
    if (!t) throw_empty_task();
    if ((task_access::promise(t).flags & promise_base::from_capturing_closure) != 0)
        throw_closure_task();
}

}  // namespace taskscope::detail
