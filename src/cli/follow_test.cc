#include "cli/follow.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "base/asio/asio.h"

namespace ganglion::cli {
namespace {

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

TEST(Follow, a_stream_that_breaks_off_after_the_end_of_the_run_is_no_lost_connection) {
  const std::string entry = R"({"seq":1,"at":"2026-01-01T00:00:00.000Z","type":"run_completed","data":{}})";
  const std::string run = R"({"id":"r","status":"completed","version":1})";
  ScriptedServer server(
      {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n"
       "id: 1\ndata: " +
           entry + "\n\n",
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(run.size()) + "\r\n\r\n" +
           run});
  Connection connection{Where::named_server, nullptr, std::make_unique<Api>(server.address(), std::nullopt)};
  JournalCursor cursor{"r"};
  std::vector<std::string> notes;
  const FollowSink sink{.on_entry = [](const JournalEntry&) {},
                        .on_tick = [] {},
                        .on_note = [&](const std::string& line) { notes.push_back(line); }};
  const Interrupts interrupts;
  const auto end = follow(connection, nullptr, cursor, sink, interrupts);
  ASSERT_TRUE(end) << end.error().text;
  EXPECT_EQ(*end, FollowEnd::run_ended);
  EXPECT_EQ(cursor.last_seq, 1u);
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(server.requests(), (std::vector<std::string>{"GET /v1/runs/r/journal", "GET /v1/runs/r"}));
}

}  // namespace
}  // namespace ganglion::cli
