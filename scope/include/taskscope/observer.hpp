// <taskscope/observer.hpp> - being told of the lives of children, scopes and workers.
// SPDX-License-Identifier: MIT
//
//     struct slow_queries : observer {
//         void child_spawned(observed_child& c) override { c.emplace_slot<clock::time_point>(clock::now()); }
//         void child_completed(const observed_child& c, const child_end&) override {
//             if (clock::now() - *c.slot<clock::time_point>() > 1s) log(c.name(), c.spawned_at());
//         }
//     };
//     const observation o = observe(ex, std::make_shared<slow_queries>());
//
//     child_spawned   child_started   ( child_suspended   child_resumed )*   child_completed
//
// One child's events come in this order, each after the one before has been told; so a slot needs no lock. A child with
// a fork_join whose branches were stolen runs on several workers at once: between its start and its end each of these
// resumes and suspends it on its own.
#pragma once

#include <taskscope/scope_policy.hpp>
#include <taskscope/stop_token.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace taskscope {

class executor;
class task_scope;

/// Number of a child, never 0 and never used again in this process. Only children that were observed have one.
using child_id = std::uint64_t;

namespace detail {

class observers;
struct child;
struct observed_extras;

/// A value of any type, or nothing.
class slot {
public:
    template <class T, class... Args>
    T& emplace(Args&&... args) {
        value_ = {new T(std::forward<Args>(args)...), [](void* p) { delete static_cast<T*>(p); }};
        type_ = &typeid(T);
        return *static_cast<T*>(value_.get());
    }
    template <class T>
    T* get() const noexcept {
        return type_ != nullptr && *type_ == typeid(T) ? static_cast<T*>(value_.get()) : nullptr;
    }

private:
    std::unique_ptr<void, void (*)(void*)> value_{nullptr, [](void*) {}};
    const std::type_info* type_ = nullptr;
};

}  // namespace detail

/// A child as one observer sees it. Valid during the call.
class observed_child {
public:
    child_id id() const noexcept;
    /// The child that spawned it; 0 if that was not observed, or was none: the task given to run(), a foreign thread.
    child_id spawner() const noexcept;
    /// Empty if it has none.
    std::string_view name() const noexcept;
    std::source_location spawned_at() const noexcept;
    task_scope& scope() const noexcept;
    executor& get_executor() const noexcept;

    /// What this observer has put into its slot of this child; nullptr if it is nothing, or of another type.
    template <class T>
    T* slot() const noexcept {
        return own_->get<T>();
    }
    /// The same of the child's spawner. Only in child_spawned(): afterwards nullptr, for it may be gone.
    template <class T>
    T* spawner_slot() const noexcept {
        return spawners_ != nullptr ? spawners_->get<T>() : nullptr;
    }

    // Only in child_spawned(), where it has not begun to run.

    /// Makes the value in this observer's slot of this child. It is destroyed when the child has ended and all
    /// observers were told, before its frame is, and before a join returns; also if the observer was removed meanwhile.
    template <class T, class... Args>
    T& emplace_slot(Args&&... args) {
        check_spawning();
        return own_->emplace<T>(std::forward<Args>(args)...);
    }
    /// What asks this child alone to stop. May be kept: after the end of the child it reaches nobody.
    /// Throws: misuse_error in another hook than child_spawned(); std::bad_alloc.
    std::shared_ptr<stop_source> own_stop();

private:
    friend class detail::observers;

    observed_child(detail::child& c, detail::slot& own) noexcept : child_(&c), own_(&own) {}
    void check_spawning() const;

    detail::child* child_;
    detail::slot* own_;
    const detail::slot* spawners_ = nullptr;
    const stop_token* stop_ =
        nullptr;  // of the context it would have; null if it is not being spawned
};

/// How a child has ended.
struct child_end {
    completion_kind how;
    std::exception_ptr error;  ///< null unless `how` is error
    unsigned worker;           ///< on which it was
};

/// Overrides what it wants to hear.
///
/// An observer is told of the children that are spawned while it is observing, and of these until they end or it is
/// removed. The body of a block belongs to the child that opened it; a task given to run() is no child. A child that
/// is stopped before it began ends without a start. What ends a task, resumes it for the last time, or unwinds it, is a
/// step too, and comes after child_resumed().
/// Effects: several observers are told in the order in which they came. One that throws is removed, and what it threw
///   goes to the policy of the root scope, as from a task named "observer" that was spawned where it was added, once; the
///   others are told nevertheless, and the child notices nothing.
/// Hooks run inside of what they tell of, and hold it up. They may spawn, add and remove observers, themselves too, and
///   request stops; they must not wait for tasks.
/// Thread safety: called by all workers, and by threads that spawn, at the same time. The calls for one child are
///   ordered, as above.
/// Limits: of a child that is suspended in more than 256 tasks that await each other no resumption is told.
class observer {
public:
    virtual ~observer() = default;

    /// On the spawner's thread, before it can begin.
    virtual void child_spawned(observed_child&) {}
    virtual void child_started(const observed_child&, unsigned /*worker*/) {}
    virtual void child_resumed(const observed_child&, unsigned /*worker*/) {}
    /// `at`: the co_await in which it is suspended; line 0 if it only lets others go first.
    virtual void child_suspended(const observed_child&, unsigned /*worker*/,
                                 std::source_location /*at*/) {}
    /// After the policy has heard of it, before its frame is destroyed and before it leaves the scope.
    virtual void child_completed(const observed_child&, const child_end&) {}

    virtual void scope_opened(task_scope&) {}
    /// The members are gone; joiners do not know yet. Also of scopes that were there before the observer.
    virtual void scope_ended(task_scope&) {}

    /// On each worker's thread once: before the first other call there, and when the thread ends, if the observer is
    /// still there. `worker` is below executor::workers().
    virtual void worker_started(unsigned /*worker*/) {}
    virtual void worker_ended(unsigned /*worker*/) {}

protected:
    observer() = default;
    observer(const observer&) = default;
    observer& operator=(const observer&) = default;
};

/// That an observer is observing; until it is destroyed, or remove() is called.
///
/// Lifetime: any; it may outlive the executor.
class [[nodiscard]] observation {
public:
    observation() noexcept = default;
    observation(observation&& other) noexcept;
    observation& operator=(observation&& other) noexcept;
    ~observation();

    /// Effects: no call begins after it has returned, and none is running: it waits for those. From within a hook, of
    ///   this observer or another one of the same executor, it does not wait, since two that did could wait for each
    ///   other; then calls on other threads may still be running, and the observer is kept until they are through.
    /// Thread safety: any thread, against everything but itself. Do not hold a lock that a hook takes.
    void remove() noexcept;

private:
    friend observation observe(executor& home, std::shared_ptr<observer> who,
                               std::source_location where);

    std::shared_ptr<detail::observers> all_;
    std::uint64_t number_ = 0;
};

/// `who` is told of everything from now on that happens on `home`. With no observer all of this costs one branch where a
/// child is spawned, taken up by a worker, and ends; with one, each child has a record beside its own.
///
/// Throws: std::bad_alloc. Thread safety: any thread, hooks too; inside of a hook it may not hear of what that one does.
observation observe(executor& home, std::shared_ptr<observer> who,
                    std::source_location where = std::source_location::current());

}  // namespace taskscope
