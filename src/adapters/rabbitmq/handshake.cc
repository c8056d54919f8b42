#include "adapters/rabbitmq/handshake.h"

#include <algorithm>

namespace ganglion::rabbitmq {
namespace {

constexpr std::size_t kFrameMax = 128 << 10;
constexpr Channel kChannelMax = 2047;

// 0 is the broker's word for no bound.
template <typename Number>
Number smaller(Number theirs, Number ours) {
  return theirs == 0 ? ours : std::min(theirs, ours);
}

}  // namespace

void Handshake::ask_for_heartbeats(std::chrono::milliseconds silence) {
  heartbeat_ =
      std::max(std::chrono::seconds(1), std::chrono::duration_cast<std::chrono::seconds>(silence / 2));
}

std::string Handshake::answer(const amqp_method_t& method) {
  if (method.id == AMQP_CONNECTION_START_METHOD) return start_ok();
  if (method.id == AMQP_CONNECTION_TUNE_METHOD)
    return tune_ok(*static_cast<const amqp_connection_tune_t*>(method.decoded));
  if (method.id == AMQP_CONNECTION_OPEN_OK_METHOD) done_ = true;
  return {};
}

std::string Handshake::start_ok() const {
  Table capabilities;
  capabilities.flag("publisher_confirms", true)
      .flag("basic.nack", true)
      .flag("consumer_cancel_notify", true)
      .flag("connection.blocked", true)
      .flag("authentication_failure_close", true);
  Table properties;
  properties.text("product", "Ganglion")
      .text("connection_name", "ganglion")
      .table("capabilities", capabilities);
  const std::string response = '\0' + url_.user + '\0' + url_.password;  // SASL's PLAIN
  amqp_connection_start_ok_t start{};
  start.client_properties = properties.get();
  start.mechanism = bytes_of("PLAIN");
  start.response = bytes_of(response);
  start.locale = bytes_of("en_US");
  std::string bytes;
  append_method(bytes, 0, AMQP_CONNECTION_START_OK_METHOD, start);
  return bytes;
}

std::string Handshake::tune_ok(const amqp_connection_tune_t& tune) {
  frame_max_ = smaller<std::size_t>(tune.frame_max, kFrameMax);
  channel_max_ = smaller(tune.channel_max, kChannelMax);
  heartbeat_ = std::chrono::seconds(smaller<std::int64_t>(tune.heartbeat, heartbeat_.count()));
  amqp_connection_tune_ok_t tuned{};
  tuned.channel_max = channel_max_;
  tuned.frame_max = static_cast<std::uint32_t>(frame_max_);
  tuned.heartbeat = static_cast<std::uint16_t>(heartbeat_.count());
  amqp_connection_open_t open{};
  open.virtual_host = bytes_of(url_.virtual_host);
  std::string bytes;
  append_method(bytes, 0, AMQP_CONNECTION_TUNE_OK_METHOD, tuned);
  append_method(bytes, 0, AMQP_CONNECTION_OPEN_METHOD, open);
  return bytes;
}

}  // namespace ganglion::rabbitmq
