#include "http_connection.h"

#include <charconv>
#include <stdexcept>

namespace ganglion::bench {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;
constexpr std::string_view kLengthName = "content-length:";

std::size_t content_length(std::string_view head) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2);
    bool matches = line.size() > kLengthName.size();
    for (std::size_t i = 0; matches && i < kLengthName.size(); ++i) {
      const char c = line[i];
      matches = (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) == kLengthName[i];
    }
    if (!matches) continue;
    line.remove_prefix(kLengthName.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    std::size_t length = 0;
    std::from_chars(line.data(), line.data() + line.size(), length);
    if (length > kMaxAnswer) throw std::runtime_error("an answer is too large");
    return length;
  }
  throw std::runtime_error("an answer has no Content-Length: " + std::string(head));
}

}  // namespace

Awaitable<void> HttpConnection::connect() {
  co_await socket_.async_connect({asio::ip::address_v4::loopback(), port_}, use_awaitable);
  socket_.set_option(asio::ip::tcp::no_delay(true));
}

Awaitable<void> HttpConnection::send(std::string_view request) {
  co_await asio::async_write(socket_, asio::buffer(request), use_awaitable);
}

Awaitable<Answer> HttpConnection::exchange(std::string_view request) {
  co_await send(request);
  std::size_t used = 0;
  std::size_t head_end = std::string::npos;
  std::size_t wanted = 0;
  while (head_end == std::string::npos || used < wanted) {
    // Grown, never cleared: filling it with zeros each time would be most of this program's work.
    if (buffer_.size() - used < kReadSize) buffer_.resize(used + kReadSize);
    used += co_await socket_.async_read_some(asio::buffer(buffer_.data() + used, buffer_.size() - used),
                                             use_awaitable);
    if (head_end != std::string::npos) continue;
    const std::string_view received(buffer_.data(), used);
    head_end = received.find("\r\n\r\n");
    if (head_end != std::string_view::npos)
      wanted = head_end + 4 + content_length(received.substr(0, head_end));
  }
  if (used != wanted || !buffer_.starts_with("HTTP/1.1 ")) throw std::runtime_error("an answer is malformed");
  int status = 0;
  std::from_chars(buffer_.data() + 9, buffer_.data() + 12, status);
  co_return Answer{status, std::string_view(buffer_).substr(head_end + 4, used - head_end - 4)};
}

bool HttpConnection::closed() {
  socket_.non_blocking(true);
  char byte = 0;
  boost::system::error_code error;
  socket_.read_some(asio::buffer(&byte, 1), error);
  return error != asio::error::would_block;
}

std::string post_request(std::string_view target, std::string_view body) {
  std::string request = "POST ";
  request.append(target).append(
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ");
  request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return request;
}

}  // namespace ganglion::bench
