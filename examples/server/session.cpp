// examples/server/session.cpp - reading requests, having them answered, and watching the client meanwhile.
// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "application.hpp"
#include "server.hpp"

#include <taskscope/net/use_task.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <utility>

namespace web {

namespace ts = taskscope;
namespace net = taskscope::net;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t most_header_bytes = 8 * 1024;
constexpr std::uint64_t most_body_bytes = 64 * 1024;
constexpr std::size_t read_bytes = 4 * 1024;
constexpr auto idle_limit = 60s;
constexpr auto goodbye_limit = 1s;
// A request may be on its way to us while we see the server close. Those who send one request after the
// other are answered if we wait a moment; 50 ms is many round trips in a data centre.
constexpr auto last_call = 50ms;

http::status status_of(const error_code& e) {
    if (e == http::error::header_limit || e == http::error::buffer_overflow) {
        return http::status::request_header_fields_too_large;
    }
    if (e == http::error::body_limit) return http::status::payload_too_large;
    return http::status::bad_request;
}

bool is_bad_http(const error_code& e) {
    return e.category() == http::make_error_code(http::error::bad_method).category() &&
           e != http::error::end_of_stream && e != http::error::partial_message;
}

/// Requests a stop when the task that holds it ends, whichever way.
class stop_on_exit {
public:
    explicit stop_on_exit(std::shared_ptr<ts::stop_source> s) noexcept : source_(std::move(s)) {}
    stop_on_exit(const stop_on_exit&) = delete;
    stop_on_exit& operator=(const stop_on_exit&) = delete;
    ~stop_on_exit() { source_->request_stop(); }

private:
    std::shared_ptr<ts::stop_source> source_;
};

}  // namespace

session::session(server& home, tcp::socket socket)
    : server_(home), socket_(std::move(socket)), descriptor_(socket_.native_handle()) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    allow(idle_limit);
}

ts::task<> session::run(ts::task_scope& own) {
    own.spawn({"watchdog"}, &session::watch, this, std::ref(own));
    bool more = true;
    while (more) more = co_await exchange();
    co_await say_goodbye();
    own.request_stop();  // the watchdog: nobody else is left
}

/// One request and its response. Returns whether there may be another one.
ts::task<bool> session::exchange() {
    const bool begun = co_await wait_for_request();
    if (!begun) co_return false;

    allow(server_.settings().patience);
    request_parser parser;
    parser.header_limit(most_header_bytes);
    parser.body_limit(most_body_bytes);
    const error_code failure = co_await read_request(parser);
    if (is_bad_http(failure)) {
        reply bad(status_of(failure), failure.message() + '\n');
        co_await write(std::move(bad), 11, false, false);
    }
    if (failure) co_return false;

    request r = parser.release();
    const unsigned version = r.version();
    const bool head = r.method() == http::verb::head;
    const bool wants_more = r.keep_alive();
    answering_.store(true, std::memory_order_relaxed);
    reply answered = co_await answer(std::move(r));
    answering_.store(false, std::memory_order_relaxed);

    allow(server_.settings().patience);
    const bool keep_alive = wants_more && !server_.connections().is_closed();
    co_return co_await write(std::move(answered), version, head, keep_alive);
}

/// Returns whether there is something to read. Nothing is read here, so that a stop of the wait loses nothing.
ts::task<bool> session::wait_for_request() {
    if (buffer_.size() > 0) co_return true;  // sent together with the request before
    allow(idle_limit);
    const ts::stop_token closing = server_.connections().closing_token();
    const auto got = co_await ts::stopped_as_optional(ts::stop_when(closing, read_some()));
    if (got) co_return !*got;
    error_code failure;
    if (socket_.available(failure) == 0) co_await ts::sleep_for(last_call);
    co_return socket_.available(failure) > 0;
}

/// Waits until something has arrived, and adds it to the buffer.
ts::task<error_code> session::read_some() {
    for (;;) {
        error_code failure = co_await socket_.async_wait(tcp::socket::wait_read, net::use_task);
        if (failure) co_return failure;
        const std::size_t n = socket_.read_some(buffer_.prepare(read_bytes), failure);
        buffer_.commit(n);
        if (failure == asio::error::would_block) continue;
        client_closed_ = failure == asio::error::eof;
        co_return failure;
    }
}

ts::task<error_code> session::read_request(request_parser& parser) {
    parser.eager(true);
    std::size_t header_bytes = 0;
    for (;;) {
        error_code failure = http::error::need_more;
        if (buffer_.size() > 0) {
            const std::size_t parsed = parser.put(buffer_.data(), failure);
            buffer_.consume(parsed);
            header_bytes += parsed;
        }
        if (parser.is_done()) co_return error_code();
        if (failure && failure != http::error::need_more) co_return failure;
        // Beast's limit is for what it has not parsed yet; fields that come one by one would never reach it.
        const bool too_long = header_bytes + buffer_.size() > most_header_bytes;
        if (too_long && !parser.is_header_done()) co_return http::error::header_limit;
        failure = co_await read_some();
        if (failure) co_return failure;
    }
}

ts::task<reply> session::answer(request r) {
    const std::string_view path = path_of(r);
    const bool reads = r.method() == http::verb::get || r.method() == http::verb::head;
    if (reads && path == "/tree") {
        co_return reply(http::status::ok, ts::dump(server_.root(), ts::format::text));
    }
    if (reads && path == "/tree.json") {
        co_return reply(http::status::ok, ts::dump(server_.root(), ts::format::json),
                        "application/json");
    }
    application* const app = server_.application_of(path);
    if (app == nullptr) co_return reply(http::status::not_found, "there is nothing here\n");
    co_return co_await answer_in(*app, std::move(r));
}

/// Has the request answered in the application's own scope. If this connection ends meanwhile, the handler
/// is asked to stop; if the application ends, so does the wait.
ts::task<reply> session::answer_in(application& app, request r) {
    auto gone = std::make_shared<ts::stop_source>();
    const stop_on_exit hang_up(gone);
    try {
        ts::admission_place place = co_await app.admit();
        auto handler = app.handle(std::move(place), std::move(r), gone);
        std::optional<reply> answered = co_await ts::stopped_as_optional(std::move(handler));
        if (answered) co_return std::move(*answered);
        co_return reply(http::status::service_unavailable, "stopping\n");
    } catch (const ts::scope_closed&) {
        co_return reply(http::status::service_unavailable, "stopping\n");
    } catch (const ts::admission_refused&) {
        co_return reply(http::status::service_unavailable, "too much to do, try later\n");
    } catch (const ts::timeout_error&) {  // the scope's error handler has been told, here too
        co_return reply(http::status::gateway_timeout, "it took too long\n");
    } catch (const std::exception&) {  // the scope's error handler has been told
        co_return reply(http::status::internal_server_error, "an error, and it has been noted\n");
    }
}

/// Returns whether the connection can be used again.
ts::task<bool> session::write(reply r, unsigned version, bool head, bool keep_alive) {
    http::response<http::string_body> response(r.status, version);
    response.set(http::field::server, "taskscope");
    response.set(http::field::content_type, r.type);
    if (r.status == http::status::service_unavailable) response.set(http::field::retry_after, "1");
    response.keep_alive(keep_alive);
    response.content_length(r.body.size());
    if (!head) response.body() = std::move(r.body);
    const auto [failure, n] = co_await http::async_write(socket_, response, net::use_task);
    co_return !failure && keep_alive;
}

/// Lets the client read what we have sent: to close a socket with unread bytes in it would reset the
/// connection, and the response could be lost on the way.
ts::task<> session::say_goodbye() {
    error_code failure;
    socket_.shutdown(tcp::socket::shutdown_send, failure);
    if (client_closed_) co_return;
    allow(goodbye_limit);
    while (!failure) {
        buffer_.clear();
        failure = co_await read_some();
    }
}

/// Looks after the client a few times per second; asks the connection's scope, that is also us, to stop.
ts::task<> session::watch(ts::task_scope& own) {
    const auto pause =
        std::clamp<std::chrono::milliseconds>(server_.settings().patience / 4, 10ms, 250ms);
    for (;;) {
        co_await ts::sleep_for(pause);
        const bool late =
            clock::now().time_since_epoch().count() > deadline_.load(std::memory_order_relaxed);
        const bool answering = answering_.load(std::memory_order_relaxed);
        if (answering ? client_has_gone() : late) own.request_stop();
    }
}

void session::allow(std::chrono::milliseconds time) noexcept {
    const clock::time_point until = clock::now() + time;
    deadline_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
}

/// Whether the client has closed the connection, while it should be waiting for our answer.
bool session::client_has_gone() const noexcept {
    char byte = 0;
    const ssize_t n = ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace web
