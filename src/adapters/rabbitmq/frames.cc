#include "adapters/rabbitmq/frames.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/url_parts.h"

namespace ganglion::rabbitmq {
namespace {

constexpr std::size_t kFrameOverhead = 8;     // type, channel, size; the end's mark
constexpr std::size_t kMaxPayload = 8 << 10;  // of a method or of properties, all of which are ours
constexpr std::uint8_t kPersistent = 2;

void append_big_endian(std::string& bytes, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

void append_frame(std::string& bytes, std::uint8_t type, Channel channel, std::string_view payload) {
  append_big_endian(bytes, type, 1);
  append_big_endian(bytes, channel, 2);
  append_big_endian(bytes, payload.size(), 4);
  bytes += payload;
  append_big_endian(bytes, AMQP_FRAME_END, 1);
}

std::string property(const amqp_basic_properties_t& properties, amqp_flags_t flag, amqp_bytes_t value) {
  return (properties._flags & flag) != 0 ? text_of(value) : std::string();
}

}  // namespace

Table& Table::text(const char* key, std::string_view value) {
  add(key, AMQP_FIELD_KIND_UTF8).value.bytes = bytes_of(value);
  return *this;
}

Table& Table::number(const char* key, std::int64_t value) {
  add(key, AMQP_FIELD_KIND_I64).value.i64 = value;
  return *this;
}

Table& Table::flag(const char* key, bool value) {
  add(key, AMQP_FIELD_KIND_BOOLEAN).value.boolean = value ? 1 : 0;
  return *this;
}

Table& Table::table(const char* key, const Table& value) {
  add(key, AMQP_FIELD_KIND_TABLE).value.table = value.get();
  return *this;
}

amqp_table_t Table::get() const {
  return {.num_entries = static_cast<int>(entries_.size()),
          .entries = const_cast<amqp_table_entry_t*>(entries_.data())};
}

amqp_field_value_t& Table::add(const char* key, std::uint8_t kind) {
  amqp_table_entry_t& entry = entries_.emplace_back();
  entry.key = amqp_cstring_bytes(key);
  entry.value.kind = kind;
  return entry.value;
}

void append_method(std::string& bytes, Channel channel, amqp_method_number_t method, void* arguments) {
  std::array<char, kMaxPayload> payload;
  const amqp_bytes_t room{.len = payload.size() - 4, .bytes = payload.data() + 4};
  const int size = amqp_encode_method(method, arguments, room);
  GANGLION_ASSERT(size >= 0);
  for (int i = 0; i < 4; ++i)
    payload[static_cast<std::size_t>(i)] = static_cast<char>(method >> (24 - 8 * i));
  append_frame(bytes, AMQP_FRAME_METHOD, channel, {payload.data(), static_cast<std::size_t>(size) + 4});
}

void append_message(std::string& bytes, Channel channel, const BusMessage& message, std::uint64_t number,
                    std::size_t frame_max) {
  const std::string number_text = std::to_string(number);
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG |
                      AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG;
  properties.delivery_mode = kPersistent;
  properties.message_id = bytes_of(message.id);
  properties.type = bytes_of(message.type);
  properties.reply_to = bytes_of(message.reply_to);
  properties.correlation_id = bytes_of(number_text);
  std::array<char, kMaxPayload> encoded;
  const int size =
      amqp_encode_properties(AMQP_BASIC_CLASS, &properties, {.len = encoded.size(), .bytes = encoded.data()});
  GANGLION_ASSERT(size >= 0);
  std::string header;
  append_big_endian(header, AMQP_BASIC_CLASS, 2);
  append_big_endian(header, 0, 2);  // weight, which is always 0
  append_big_endian(header, message.body.size(), 8);
  header.append(encoded.data(), static_cast<std::size_t>(size));
  append_frame(bytes, AMQP_FRAME_HEADER, channel, header);
  const std::size_t piece = frame_max - kFrameOverhead;
  for (std::string_view rest = message.body; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
    append_frame(bytes, AMQP_FRAME_BODY, channel, rest.substr(0, piece));
}

void append_heartbeat(std::string& bytes) {
  append_frame(bytes, AMQP_FRAME_HEARTBEAT, 0, {});
}

Content content_of(const amqp_frame_t& header) {
  const auto& properties = *static_cast<const amqp_basic_properties_t*>(header.payload.properties.decoded);
  Content content;
  content.missing = header.payload.properties.body_size;
  content.message.id = property(properties, AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id);
  content.message.type = property(properties, AMQP_BASIC_TYPE_FLAG, properties.type);
  content.message.reply_to = property(properties, AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to);
  const std::string number = property(properties, AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id);
  content.number = parse_number<std::uint64_t>(number).value_or(0);
  return content;
}

FrameReader::FrameReader() : state_(amqp_new_connection()) {
  GANGLION_ASSERT(state_ != nullptr);
}

void FrameReader::set_frame_max(std::size_t bytes) {
  constexpr int kChannels = 0;  // as many as there are; they are counted elsewhere
  constexpr int kNoHeartbeat = 0;
  amqp_tune_connection(state_.get(), kChannels, static_cast<int>(bytes), kNoHeartbeat);
}

bool FrameReader::take(std::string_view& bytes, amqp_frame_t& frame) {
  frame.frame_type = 0;
  const int taken = amqp_handle_input(state_.get(), bytes_of(bytes), &frame);
  if (taken < 0) return false;
  bytes.remove_prefix(static_cast<std::size_t>(taken));
  return true;
}

}  // namespace ganglion::rabbitmq
