#pragma once

// For tests: a server that has its answers written down.

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/asio/asio.h"

namespace ganglion::cli {

// Answers one connection after another with the next of the given texts, and closes it.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) {
    thread_ = std::jthread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) {
        LoopSocket socket(loop_);
        acceptor_.accept(socket);
        boost::system::error_code ignored;
        std::string request;
        for (char byte = 0;
             !request.ends_with("\r\n\r\n") && socket.read_some(asio::buffer(&byte, 1), ignored) == 1;) {
          request += byte;
        }
        requests_.push_back(request.substr(0, request.find(" HTTP/")));
        asio::write(socket, asio::buffer(answer), ignored);
      }
    });
  }

  std::string address() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  // What was asked, once every answer has been given.
  std::vector<std::string> requests() {
    thread_.join();
    return requests_;
  }

 private:
  asio::io_context loop_;
  LoopAcceptor acceptor_{loop_, asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  std::vector<std::string> requests_;
  std::jthread thread_;
};

}  // namespace ganglion::cli
