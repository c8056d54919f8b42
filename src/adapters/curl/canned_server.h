#pragma once

// For tests: a server on loopback that records what it is sent and answers what the test wants. One request
// per read of a connection, connections kept alive.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/asio/asio.h"

namespace ganglion {

class CannedServer {
 public:
  // Gets the request's head and body, returns the bytes of the answer; an empty one closes the connection.
  using Answer = std::function<std::string(const std::string& head, const std::string& body)>;

  CannedServer(asio::io_context& loop, Answer answer)
      : answer_(std::move(answer)), acceptor_(loop.get_executor(), {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(loop.get_executor(), accept(acceptor_, *this), asio::detached);
  }
  ~CannedServer() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }

  static std::string ok(const std::string& body, const std::string& headers = "") {
    return with_status("200 OK", body, headers);
  }
  static std::string with_status(const std::string& status, const std::string& body,
                                 const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  int connections = 0;
  std::vector<std::string> heads;
  std::vector<std::string> bodies;

 private:
  static Awaitable<void> accept(LoopAcceptor& acceptor, CannedServer& server) {
    while (true) {
      boost::system::error_code failed;
      LoopSocket socket = co_await acceptor.async_accept(asio::redirect_error(use_awaitable, failed));
      if (failed) co_return;
      ++server.connections;
      LoopExecutor executor = socket.get_executor();
      asio::co_spawn(executor, serve(std::move(socket), server), asio::detached);
    }
  }

  static std::size_t body_length(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }

  static Awaitable<void> serve(LoopSocket socket, CannedServer& server) {
    std::string bytes;
    std::array<char, 16 * 1024> buffer{};
    while (true) {
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string::npos || bytes.size() < end + 4 + body_length(bytes.substr(0, end))) {
        boost::system::error_code failed;
        const std::size_t size = co_await socket.async_read_some(asio::buffer(buffer),
                                                                 asio::redirect_error(use_awaitable, failed));
        if (failed) co_return;
        bytes.append(buffer.data(), size);
        continue;
      }
      const std::string head = bytes.substr(0, end);
      const std::string body = bytes.substr(end + 4, body_length(head));
      bytes.erase(0, end + 4 + body.size());
      server.heads.push_back(head);
      server.bodies.push_back(body);
      const std::string answer = server.answer_(head, body);
      if (answer.empty()) co_return;
      boost::system::error_code failed;
      co_await asio::async_write(socket, asio::buffer(answer), asio::redirect_error(use_awaitable, failed));
      if (failed) co_return;
    }
  }

  Answer answer_;
  LoopAcceptor acceptor_;
};

}  // namespace ganglion
