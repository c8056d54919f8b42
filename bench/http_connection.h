#pragma once

// One keep-alive connection of a load generator to the server: writes a request, reads the answer to it.
// Knows as much of HTTP/1.1 as the server's own answers need (a status line, Content-Length) so that what is
// measured is the server. Whatever is not as expected throws std::runtime_error: a measurement with errors in
// it is none.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/asio/asio.h"

namespace ganglion::bench {

struct Answer {
  int status = 0;
  std::string_view body;  // until the next exchange
};

class HttpConnection {
 public:
  HttpConnection(asio::io_context& context, std::uint16_t port) : socket_(context), port_(port) {}

  Awaitable<void> connect();
  // `request` must outlive the call.
  Awaitable<Answer> exchange(std::string_view request);
  // Writes only; for connections that are left waiting.
  Awaitable<void> send(std::string_view request);
  // Whether the server has closed the connection or sent something unasked.
  bool closed();

 private:
  LoopSocket socket_;
  std::uint16_t port_;
  std::string buffer_;
};

// With Host, Content-Type and Content-Length.
std::string post_request(std::string_view target, std::string_view body);

}  // namespace ganglion::bench
