#pragma once

// AMQP 0-9-1 as bytes (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf): frames to send, frames that
// were received. librabbitmq codes methods and properties; it never sees a socket.

#include <amqp.h>
#include <amqp_framing.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ports/bus.h"

namespace ganglion::rabbitmq {

using Channel = std::uint16_t;  // 0 is the connection itself

inline constexpr std::string_view kProtocolHeader{"AMQP\0\0\x09\x01", 8};

inline amqp_bytes_t bytes_of(std::string_view text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};
}
inline std::string text_of(amqp_bytes_t bytes) {
  return std::string(static_cast<const char*>(bytes.bytes), bytes.len);
}

// Arguments of a method. Texts must outlive it.
class Table {
 public:
  Table& text(const char* key, std::string_view value);
  Table& number(const char* key, std::int64_t value);
  Table& flag(const char* key, bool value);
  Table& table(const char* key, const Table& value);

  amqp_table_t get() const;

 private:
  amqp_field_value_t& add(const char* key, std::uint8_t kind);

  std::vector<amqp_table_entry_t> entries_;
};

// `arguments` is the method's struct of librabbitmq.
void append_method(std::string& bytes, Channel channel, amqp_method_number_t method, void* arguments);
template <typename Arguments>
void append_method(std::string& bytes, Channel channel, amqp_method_number_t method, Arguments arguments) {
  append_method(bytes, channel, method, static_cast<void*>(&arguments));
}

// What follows the method that publishes. `number` comes back with a message that nobody takes.
void append_message(std::string& bytes, Channel channel, const BusMessage& message, std::uint64_t number,
                    std::size_t frame_max);
void append_heartbeat(std::string& bytes);

// A message as it arrives in pieces.
struct Content {
  BusMessage message;
  std::uint64_t number = 0;   // as it was given to append_message; 0 for others' messages
  std::uint64_t missing = 0;  // bytes of the body
};
Content content_of(const amqp_frame_t& header);

class FrameReader {
 public:
  FrameReader();

  // As the server and we have agreed.
  void set_frame_max(std::size_t bytes);
  // Takes some of the bytes. `frame` has type 0 when none is complete yet; what it points to lives until
  // `release`. False where the bytes are no frame.
  bool take(std::string_view& bytes, amqp_frame_t& frame);
  void release() { amqp_release_buffers(state_.get()); }

 private:
  struct Destroy {
    void operator()(amqp_connection_state_t state) const { amqp_destroy_connection(state); }
  };
  std::unique_ptr<std::remove_pointer_t<amqp_connection_state_t>, Destroy> state_;
};

}  // namespace ganglion::rabbitmq
