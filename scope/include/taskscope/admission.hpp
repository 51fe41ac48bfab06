// <taskscope/admission.hpp> - at most so many children of a scope at a time; the others wait in line, or are refused.
// SPDX-License-Identifier: MIT
//
//     task_scope handlers{app, {.name = "handlers"}};
//     admission door{handlers, {.max_live = 100, .max_waiting = 1000, .max_wait = 2s}};
//     co_await door.spawn_when_admitted(handle, std::move(socket));         // or throws admission_refused
//     if (!door.try_spawn(refresh)) ...                                     // full
//
// A child that was admitted holds a place, which is part of what it holds and goes with it: after its frame and its
// captures, before it leaves the scope. The scope knows nothing of places, so one without limits pays nothing for
// them; and scope.spawn() goes past the door, for children that serve the others and must not wait for them.
#pragma once

#include <taskscope/async_event.hpp>
#include <taskscope/detail/contract.hpp>
#include <taskscope/detail/frame_meter.hpp>
#include <taskscope/detail/spawn_verbs.hpp>
#include <taskscope/detail/time.hpp>
#include <taskscope/stop_token.hpp>
#include <taskscope/task_scope.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace taskscope {

/// Limits of an admission. By default there are none. Trivially copyable.
struct admission_limits {
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t max_live = none;     ///< children at a time
    std::uint64_t max_waiting = none;  ///< spawners in line
    /// For the records and first frames of the children; what these await comes and goes, and is not counted.
    std::uint64_t max_bytes = none;
    /// How long a spawner stays in line.
    std::chrono::steady_clock::duration max_wait = std::chrono::steady_clock::duration::max();
};

/// Figures of an admission, of one moment.
struct admission_counts {
    std::uint64_t live = 0;        ///< places that are taken
    std::uint64_t waiting = 0;     ///< spawners in line
    std::uint64_t bytes = 0;       ///< of the children that have a place
    std::uint64_t admitted = 0;    ///< places ever given
    std::uint64_t full = 0;        ///< refused, for this reason; see refusal
    std::uint64_t queue_full = 0;  ///< the same
    std::uint64_t too_late = 0;    ///< the same

    std::uint64_t refused() const noexcept { return full + queue_full + too_late; }
};

struct admission_info {
    admission_limits limits;
    admission_counts counts;
};

enum class refusal : unsigned char {
    full,        ///< try_spawn() found no place, or somebody in line for it
    queue_full,  ///< as many as may are waiting
    too_late,    ///< waited as long as it may
};

/// Thrown by spawn_when_admitted().
class admission_refused : public std::runtime_error {
public:
    admission_refused(refusal why, const std::string& scope_path);

    refusal reason() const noexcept { return reason_; }

private:
    refusal reason_;
};

class admission_place;

namespace detail {

template <class F, class... Args>
class admitted_call;

/// What an admission and the children it has admitted share.
class admission_state {
public:
    admission_state(scope_reference s, const admission_limits& limits);
    admission_state(const admission_state&) = delete;
    admission_state& operator=(const admission_state&) = delete;

    void set_limits(const admission_limits& limits) noexcept;
    admission_info info() const;

    /// The scope is closed: nobody will be admitted any more.
    void close() noexcept;

    /// A place; nothing if there is none, or somebody waits for one.
    static admission_place try_enter(const std::shared_ptr<admission_state>& self) noexcept;

    /// Waits for a place. Throws admission_refused, scope_closed.
    static task<admission_place> enter(std::shared_ptr<admission_state> self);

    scope_state& scope() const noexcept { return *scope_; }

private:
    friend taskscope::admission_place;

    /// One spawner in line. It lives in the frame of enter().
    class waiter {
    public:
        explicit waiter(admission_state& s) : state_(s) { s.join(*this); }
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;
        ~waiter() { state_.withdraw(*this); }

        async_event ready;

    private:
        friend admission_state;
        admission_state& state_;
        waiter* next_ = nullptr;  // these: guarded by the mutex of the state
        waiter* prev_ = nullptr;
        bool linked_ = false;
        bool admitted_ = false;
        std::uint64_t bytes_ = 0;  // that its place was charged with
    };

    bool has_place() const noexcept;
    std::uint64_t take_place() noexcept;
    void give_back(std::uint64_t bytes) noexcept;
    void serve() noexcept;
    void unlink(waiter& w) noexcept;
    void join(waiter& w);
    void withdraw(waiter& w) noexcept;
    std::uint64_t claim(waiter& w);
    clock::time_point end_of_patience() const;

    const scope_reference scope_;
    mutable std::mutex mutex_;  // guards what follows
    admission_limits limits_;
    admission_counts counts_;
    std::uint64_t expected_ = 0;  // the size of the child made last
    bool closed_ = false;
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

}  // namespace detail

/// A place that was taken, or nothing; given back when it is destroyed. May be moved to other tasks and threads.
class [[nodiscard]] admission_place {
public:
    /// Holds nothing.
    admission_place() noexcept = default;
    admission_place(admission_place&&) noexcept = default;
    admission_place& operator=(admission_place&& other) noexcept {
        std::swap(state_, other.state_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~admission_place();

    explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    friend class admission;
    friend detail::admission_state;
    template <class F, class... Args>
    friend class detail::admitted_call;

    admission_place(std::shared_ptr<detail::admission_state> s, std::uint64_t bytes) noexcept
        : state_(std::move(s)), bytes_(bytes) {}

    /// The child was made, and is as large as that.
    void set_bytes(std::uint64_t bytes) noexcept;

    std::shared_ptr<detail::admission_state> state_;
    std::uint64_t bytes_ = 0;  // that it is charged with
};

namespace detail {

/// What an admission spawns: a callable with its arguments, and its place, which goes last.
template <class F, class... Args>
class admitted_call {
public:
    template <class G, class... As>
    explicit admitted_call(admission_place&& p, G&& f, As&&... args)
        : place_(std::move(p)), call_(std::forward<G>(f), std::forward<As>(args)...) {}

    auto operator()() {
        std::size_t bytes = sizeof(callable_child<admitted_call>);
        auto t = make(bytes);
        place_.set_bytes(bytes);
        return t;
    }

private:
    auto make(std::size_t& bytes) {
        const frame_meter meter(bytes);
        if constexpr (is_task_type<decltype(call_())>) {
            return call_();
        } else {
            return call_inside();
        }
    }
    task<> call_inside() {
        call_();
        co_return;
    }

    admission_place place_;
    [[no_unique_address]] bound_call<F, Args...> call_;
};

}  // namespace detail

/// A door to a scope: admits so many children at a time.
///
/// Order: first come, first served. try_spawn() gets past nobody.
/// Limits: all may be changed while it is in use. Raised, they admit those who wait at once; lowered, they take
///   nothing away from anybody, and nobody is admitted until there is room again. Bytes are known when a child is
///   made; until then it is taken to be as large as the one before it.
/// Beware: scope.spawn(), and spawn() in a child, go past the door and take no place.
/// Lifetime: the scope may hold one admission at a time; misuse_error for a second one. It may go at any time when
///   nobody waits: children that it has admitted go on.
/// Thread safety: all members from any thread, construction and destruction excepted.
/// Allocates: its state. Per child nothing more than a spawn does.
class admission {
public:
    explicit admission(task_scope& scope, const admission_limits& limits = {});
    admission(const admission&) = delete;
    admission& operator=(const admission&) = delete;
    ~admission();

    void set_limits(const admission_limits& limits) noexcept { state_->set_limits(limits); }
    admission_limits limits() const { return state_->info().limits; }
    /// Also in the scope's describe() and in dumps.
    admission_counts counts() const { return state_->info().counts; }

    /// A place, for a child that is spawned in another way: pass it as an argument, and it goes with the child.
    ///
    ///     auto place = co_await door.enter();
    ///     auto h = handlers.spawn_future(answer, std::move(place), request);
    ///
    /// Waits, throws and stops as spawn_when_admitted(). It counts for as many bytes as the child made last.
    task<admission_place> enter() { return detail::admission_state::enter(state_); }
    /// The same without waiting: nothing if there is no place, or somebody waits for one.
    admission_place try_enter() noexcept { return detail::admission_state::try_enter(state_); }

    /// Spawns `f(args...)` into the scope, as task_scope::try_spawn(), if there is a place and nobody waits for one.
    /// Returns: false, and spawns nothing, if there is none, or the scope is closed.
    template <class F, class... Args>
        requires detail::spawnable<F, Args...>
    [[nodiscard]] bool try_spawn(const spawn_options& o, F&& f, Args&&... args) {
        admission_place place = detail::admission_state::try_enter(state_);
        return place &&
               spawn_into(std::move(place), o, std::forward<F>(f), std::forward<Args>(args)...);
    }
    template <class F>
        requires detail::spawnable<F>
    [[nodiscard]] bool try_spawn(F&& f,
                                 std::source_location where = std::source_location::current()) {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires detail::spawnable<F, A>
    [[nodiscard]] bool try_spawn(F&& f, A&& a,
                                 std::source_location where = std::source_location::current()) {
        return try_spawn(spawn_options{{}, where}, std::forward<F>(f), std::forward<A>(a));
    }

    /// `co_await door.spawn_when_admitted(f, args...)` waits until there is a place, and spawns `f(args...)` into the
    /// scope. `f` is called when it is admitted.
    ///
    /// Throws: admission_refused; scope_closed, also when the scope is closed while it waits; as spawn().
    /// Stop: a wait ends as stopped and leaves the line; a place that it was just being given goes to the next in
    ///   line. Whoever was admitted before spawns, and sees the stop later.
    /// Allocates: two frames, and, with a limit in time, a place in the timer queue.
    template <class F, class... Args>
        requires detail::spawnable<F, Args...>
    task<> spawn_when_admitted(const spawn_options& o, F&& f, Args&&... args) {
        TASKSCOPE_CHECK_AWAIT_ARGUMENT(F);
        return wait_and_spawn<std::decay_t<F>, std::decay_t<Args>...>(
            state_, std::string(o.name), o.location, std::forward<F>(f),
            std::forward<Args>(args)...);
    }
    template <class F>
        requires detail::spawnable<F>
    task<> spawn_when_admitted(F&& f,
                               std::source_location where = std::source_location::current()) {
        return spawn_when_admitted(spawn_options{{}, where}, std::forward<F>(f));
    }
    template <class F, class A>
        requires detail::spawnable<F, A>
    task<> spawn_when_admitted(F&& f, A&& a,
                               std::source_location where = std::source_location::current()) {
        return spawn_when_admitted(spawn_options{{}, where}, std::forward<F>(f),
                                   std::forward<A>(a));
    }

private:
    template <class F, class... Args>
    static bool spawn_into(admission_place place, const spawn_options& o, F&& f, Args&&... args) {
        detail::scope_state& s = place.state_->scope();
        return detail::launch(
            s, detail::prepare_callable(
                   s, o,
                   detail::admitted_call<std::decay_t<F>, std::decay_t<Args>...>(
                       std::move(place), std::forward<F>(f), std::forward<Args>(args)...)));
    }

    template <class F, class... Args>
    static task<> wait_and_spawn(std::shared_ptr<detail::admission_state> state, std::string name,
                                 std::source_location where, F f, Args... args) {
        admission_place place = co_await detail::admission_state::enter(state);
        const bool spawned =
            spawn_into(std::move(place), {name, where}, std::move(f), std::move(args)...);
        if (!spawned) detail::throw_scope_closed(state->scope());
    }

    struct closer {
        void operator()() const noexcept { state->close(); }
        detail::admission_state* state;
    };

    std::shared_ptr<detail::admission_state> state_;
    stop_callback<closer> on_close_;
};

}  // namespace taskscope
