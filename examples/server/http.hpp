// examples/server/http.hpp - the names of Boost that the server uses, and what a request and a reply are.
// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;

using request = http::request<http::string_body>;

/// What a route answers. The session makes a response of it.
struct reply {
    // Not an aggregate: g++ 12 destroys temporary aggregates twice when there is a co_await near.
    reply(http::status s, std::string text, std::string_view content_type = "text/plain")
        : status(s), body(std::move(text)), type(content_type) {}

    http::status status;
    std::string body;
    std::string_view type;
};

/// The path of a request, without its query.
inline std::string_view path_of(const request& r) {
    const std::string_view target(r.target().data(), r.target().size());
    return target.substr(0, target.find('?'));
}

/// `name=<digits>` of a request's query, at most `most`; else `otherwise`.
unsigned query_number(const request& r, std::string_view name, unsigned otherwise, unsigned most);

}  // namespace web
