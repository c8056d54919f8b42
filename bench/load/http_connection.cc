#include "bench/load/http_connection.h"

#include <charconv>
#include <exception>
#include <stdexcept>
#include <utility>

namespace ganglion::bench {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;
constexpr std::chrono::seconds kPatience{30};
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
  co_await socket_.async_connect(endpoint_, use_awaitable);
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

asio::ip::tcp::endpoint endpoint_of(const ServerAddress& server) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code error;
  const auto found = resolver.resolve(server.host, std::to_string(server.port), error);
  if (error || found.empty()) throw std::runtime_error("no address for the host " + server.host);
  return found.begin()->endpoint();
}

std::string request_to(const ServerAddress& server, const RequestLine& line, std::string_view body,
                       std::string_view content_type) {
  std::string request(line.method);
  request.append(" ").append(line.target).append(" HTTP/1.1\r\nHost: ").append(server.host);
  request.append(":").append(std::to_string(server.port)).append("\r\n");
  if (server.token) request.append("Authorization: Bearer ").append(*server.token).append("\r\n");
  if (!body.empty()) request.append("Content-Type: ").append(content_type).append("\r\n");
  if (line.method != "GET")
    request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return request.append("\r\n").append(body);
}

std::string post_request(std::string_view target, std::string_view body) {
  return request_to({.port = 80}, {.method = "POST", .target = target}, body);
}

Awaitable<OwnedAnswer> ask_on(asio::io_context& context, const ServerAddress& server, const RequestLine& line,
                              std::string_view body, std::string_view content_type) {
  HttpConnection connection(context, endpoint_of(server));
  const std::string request = request_to(server, line, body, content_type);
  co_await connection.connect();
  const Answer answer = co_await connection.exchange(request);
  co_return OwnedAnswer{.status = answer.status, .body = std::string(answer.body)};
}

OwnedAnswer ask(const ServerAddress& server, const RequestLine& line, std::string_view body,
                std::string_view content_type) {
  asio::io_context context(1);
  OwnedAnswer answered;
  std::exception_ptr failed;
  asio::co_spawn(context.get_executor(), ask_on(context, server, line, body, content_type),
                 [&](const std::exception_ptr& error, OwnedAnswer answer) {
                   failed = error;
                   answered = std::move(answer);
                 });
  context.run_for(kPatience);
  if (failed) std::rethrow_exception(failed);
  if (answered.status == 0) throw std::runtime_error("no answer to " + std::string(line.target));
  return answered;
}

}  // namespace ganglion::bench
