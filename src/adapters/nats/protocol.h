#pragma once

// NATS' client protocol as bytes (https://docs.nats.io/reference/reference-protocols/nats-protocol): commands
// to send, what the server says. Knows no socket.

#include <cstdint>
#include <string>
#include <string_view>

namespace ganglion::nats {

using SubscriptionId = std::uint64_t;

struct Incoming {
  enum class Kind { info, message, ping, pong, error, fine };

  Kind kind = Kind::fine;
  SubscriptionId subscription = 0;  // the rest of a message's
  std::string_view subject = {};
  std::string_view reply = {};    // the subject for an answer
  std::string_view headers = {};  // see headers.h
  std::string_view text = {};     // a message's body, what `info` says in JSON, an error's words
};

// With `headers`, which may be empty.
void append_publish(std::string& bytes, std::string_view subject, std::string_view reply,
                    std::string_view headers, std::string_view body);
// Of those that subscribe with the same `group`, one gets a message; empty for everybody.
void append_subscribe(std::string& bytes, std::string_view subject, std::string_view group,
                      SubscriptionId subscription);
void append_unsubscribe(std::string& bytes, SubscriptionId subscription);
void append_connect(std::string& bytes, std::string_view json);
inline constexpr std::string_view kPing = "PING\r\n";
inline constexpr std::string_view kPong = "PONG\r\n";

// Finds in a stream of bytes what the server says.
class Reader {
 public:
  // Of a line and of a message, both far beyond what a server sends us.
  static constexpr std::size_t kMaxLine = 1 << 20;
  static constexpr std::size_t kMaxMessage = 64 << 20;

  enum class Found { nothing_yet, something, nonsense };

  void append(std::string_view bytes);
  // What `incoming` points to lives until the next `append`.
  Found next(Incoming& incoming);

 private:
  Found take_message(std::string_view rest, std::string_view arguments, bool has_headers, Incoming& incoming);

  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace ganglion::nats
