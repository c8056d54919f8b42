#pragma once

// One keep-alive connection of a load generator to the server: writes a request, reads the answer to it.
// Knows as much of HTTP/1.1 as the server's own answers need (a status line, Content-Length) so that what is
// measured is the server. Whatever is not as expected throws std::runtime_error: a measurement with errors in
// it is none.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/asio/asio.h"

namespace ganglion::bench {

struct ServerAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::optional<std::string> token = {};  // bearer
};

struct Answer {
  int status = 0;
  std::string_view body;  // until the next exchange
};

class HttpConnection {
 public:
  HttpConnection(asio::io_context& context, std::uint16_t port)
      : socket_(context), endpoint_(asio::ip::address_v4::loopback(), port) {}
  HttpConnection(asio::io_context& context, asio::ip::tcp::endpoint endpoint)
      : socket_(context), endpoint_(std::move(endpoint)) {}

  Awaitable<void> connect();
  // `request` must outlive the call.
  Awaitable<Answer> exchange(std::string_view request);
  // Writes only; for connections that are left waiting.
  Awaitable<void> send(std::string_view request);
  // Whether the server has closed the connection or sent something unasked.
  bool closed();

 private:
  LoopSocket socket_;
  asio::ip::tcp::endpoint endpoint_;
  std::string buffer_;
};

// Blocks. Throws std::runtime_error for a host that has no address.
asio::ip::tcp::endpoint endpoint_of(const ServerAddress& server);

// With Host, Content-Length and what else the server wants to know.
struct RequestLine {
  std::string_view method;
  std::string_view target;
};
std::string request_to(const ServerAddress& server, const RequestLine& line, std::string_view body,
                       std::string_view content_type = "application/json");
std::string post_request(std::string_view target, std::string_view body);

struct OwnedAnswer {
  int status = 0;
  std::string body;
};
// One request on a connection of its own. What is passed must outlive the call.
Awaitable<OwnedAnswer> ask_on(asio::io_context& context, const ServerAddress& server, const RequestLine& line,
                              std::string_view body, std::string_view content_type);
// The same, blocking, for 30 s at most.
OwnedAnswer ask(const ServerAddress& server, const RequestLine& line, std::string_view body = {},
                std::string_view content_type = "application/json");

}  // namespace ganglion::bench
