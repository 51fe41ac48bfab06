// net/src/io.cpp - running Asio on borrowed threads, and stops on their way to operations.
// SPDX-License-Identifier: MIT
#include "asio_reactor.hpp"

#include <taskscope/errors.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace taskscope::net {
namespace detail {

using taskscope::detail::outcome;

// The executor asks for less; but Asio adds the limit to the present time, which must not overflow.
constexpr std::chrono::seconds longest_wait{1};

// How an io_context knows its reactor.
class asio_reactor::link final : public boost::asio::execution_context::service {
public:
    using key_type = link;
    inline static boost::asio::execution_context::id id;

    explicit link(boost::asio::execution_context& c) : boost::asio::execution_context::service(c) {}
    void shutdown() override {}

    asio_reactor* reactor = nullptr;
};

template <class T>
class asio_reactor::wake_allocator {
public:
    using value_type = T;

    explicit wake_allocator(asio_reactor& r) noexcept : reactor_(&r) {}
    template <class U>
    wake_allocator(const wake_allocator<U>& other) noexcept : reactor_(other.reactor_) {}

    T* allocate(std::size_t) noexcept {
        static_assert(sizeof(T) <= std::tuple_size_v<decltype(wake_memory_)>);
        return reinterpret_cast<T*>(reactor_->wake_memory_.data());
    }
    void deallocate(T*, std::size_t) noexcept {}

    friend bool operator==(const wake_allocator&, const wake_allocator&) = default;

private:
    template <class>
    friend class wake_allocator;

    asio_reactor* reactor_;
};

class asio_reactor::wake_handler {
public:
    using allocator_type = wake_allocator<void>;

    explicit wake_handler(asio_reactor& r) noexcept : reactor_(&r) {}
    allocator_type get_allocator() const noexcept { return allocator_type(*reactor_); }
    void operator()() const noexcept {
        // edge net.wake, both halves: we have seen what whoever wanted to wake us did before, and whoever posts
        // next may have the memory, which Asio has left already. Weaker: the runner could miss a stop.
        reactor_->posted_.exchange(false, std::memory_order_acq_rel);
    }

private:
    asio_reactor* reactor_;
};

// 1: run by one thread at a time. Posting stays allowed for all.
asio_reactor::asio_reactor(executor& home) : io_(1), work_(io_.get_executor()) {
    boost::asio::use_service<link>(io_).reactor = this;
    // The first I/O object starts epoll. From now on a driver never waits in Asio's condition variable.
    boost::asio::steady_timer starts_epoll{io_};
    home.attach(*this);
}

asio_reactor::~asio_reactor() = default;

asio_reactor* asio_reactor::of(boost::asio::execution_context& c) noexcept {
    return boost::asio::has_service<link>(c) ? boost::asio::use_service<link>(c).reactor : nullptr;
}

bool asio_reactor::poll() noexcept { return run_ready() != 0; }

void asio_reactor::wait(clock::duration limit) noexcept {
    const std::size_t n = io_.run_one_for(std::min<clock::duration>(limit, longest_wait));
    const bool any = tell(n != 0);
    if (any || n != 0 || io_.stopped()) run_ready();
}

void asio_reactor::interrupt() noexcept {
    // edge net.wake, both halves, as in wake_handler. If a wake-up is posted already its handler has yet to
    // run, and sees what we did before.
    if (posted_.exchange(true, std::memory_order_acq_rel)) return;
    boost::asio::post(io_, wake_handler(*this));
}

std::size_t asio_reactor::run_ready() noexcept {
    if (io_.stopped()) io_.restart();  // somebody called stop(): a driver would spin
    std::size_t n = io_.poll();
    if (tell(n != 0)) n += io_.poll();
    return n;
}

void asio_reactor::stop(operation& o) noexcept {
    {
        const std::lock_guard lock{mutex_};
        // relaxed: ordered by the mutex against forget(), which comes after `over` was set.
        if ((o.state_.load(std::memory_order_relaxed) & operation::over) != 0) return;
        stopped_.push_back(o);
    }
    interrupt();
}

bool asio_reactor::forget(operation& o) noexcept {
    const std::lock_guard lock{mutex_};
    o.stop_hook::unlink();
    o.left_ = o.telling_;
    return !o.telling_;
}

// Tells operations to end. Those that were told before, too, if `again`: a composed operation may have been
// between two steps then, and Beast's forget what they are told there. Returns whether there was one.
bool asio_reactor::tell(bool again) noexcept {
    std::unique_lock lock{mutex_};
    if (again) stopped_.splice(stopped_.end(), told_);
    const bool any = !stopped_.empty();
    while (!stopped_.empty()) {
        operation& o = stopped_.front();
        stopped_.pop_front();
        told_.push_back(o);
        o.telling_ = true;
        lock.unlock();
        // relaxed: read by the handler, which the runner calls, or which takes the mutex first.
        o.state_.fetch_or(operation::told, std::memory_order_relaxed);
        o.signal_.emit(boost::asio::cancellation_type::terminal);
        lock.lock();
        o.telling_ = false;
        if (o.left_) o.wait_.decide(o.how_);  // After this line o may be gone.
    }
    return any;
}

void operation::on_stop::operator()() const noexcept {
    // relaxed: whichever of this and end() comes second sees the other's bit; the rest is done under the mutex.
    if ((self->state_.fetch_or(stopping, std::memory_order_relaxed) & over) != 0) return;
    if (asio_reactor* r = asio_reactor::of(*self->where_)) r->stop(*self);
}

void operation::completed(bool aborted) noexcept {
    const bool ours = (state_.load(std::memory_order_relaxed) & told) != 0;
    end(aborted && ours ? outcome::stopped : outcome::value);
}

void operation::dropped() noexcept { end(outcome::stopped); }

void operation::end(outcome how) noexcept {
    how_ = how;
    // relaxed: as in on_stop. What the task will see is ordered by its suspension.
    if ((state_.fetch_or(over, std::memory_order_relaxed) & stopping) != 0) {
        asio_reactor* r = asio_reactor::of(*where_);
        if (r != nullptr && !r->forget(*this)) return;
    }
    wait_.decide(how);  // After this line *this may be gone.
}

}  // namespace detail

boost::asio::io_context& context(executor& home) {
    if (taskscope::detail::is_manual(home)) {
        throw misuse_error(
            "taskscope: net::context() of manual_executor \"" + std::string(home.name()) +
            "\": its clock stands still while the kernel's moves. Test I/O with an executor of "
            "one worker.");
    }
    return taskscope::detail::extension_of<detail::asio_reactor>(home).io();
}

}  // namespace taskscope::net
