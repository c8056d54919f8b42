#pragma once

// What is said on a new connection before it carries channels: start, tune, open. Knows no socket.

#include <chrono>
#include <cstddef>
#include <string>

#include "adapters/rabbitmq/frames.h"
#include "adapters/rabbitmq/url.h"

namespace ganglion::rabbitmq {

class Handshake {
 public:
  // `url` must outlive it.
  explicit Handshake(const Url& url) : url_(url) {}

  // So often that the other side is heard of at least twice within `silence`.
  void ask_for_heartbeats(std::chrono::milliseconds silence);

  // What to send back.
  std::string answer(const amqp_method_t& method);

  bool done() const { return done_; }
  Channel channel_max() const { return channel_max_; }
  std::size_t frame_max() const { return frame_max_; }
  std::chrono::seconds heartbeat() const { return heartbeat_; }

 private:
  std::string start_ok() const;
  std::string tune_ok(const amqp_connection_tune_t& tune);

  const Url& url_;
  std::chrono::seconds heartbeat_{5};
  Channel channel_max_ = 1;
  std::size_t frame_max_ = 4096;  // until the broker has said what it takes
  bool done_ = false;
};

}  // namespace ganglion::rabbitmq
