#include "adapters/kafka/record.h"

#include "base/url_parts.h"

namespace ganglion::kafka {
namespace {

void add(Headers& headers, const char* name, const std::string& value) {
  if (!value.empty()) headers.emplace_back(name, value);
}

}  // namespace

Headers headers_of(const BusMessage& message) {
  Headers headers;
  add(headers, "id", message.id);
  add(headers, "type", message.type);
  add(headers, "reply_to", message.reply_to);
  return headers;
}

Record record_of(const rd_kafka_message_t& message) {
  Record record{.offset = message.offset};
  if (message.payload != nullptr)
    record.message.body.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rdkafka().message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* bytes = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rdkafka().header_get_all(headers, i, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    const std::string_view key = name;
    const std::string_view value(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
    if (key == "id") record.message.id = value;
    if (key == "type") record.message.type = value;
    if (key == "reply_to") record.message.reply_to = value;
    if (key == kTopic) record.topic = value;
    if (key == kDeliveries) record.deliveries = parse_number<std::uint32_t>(value).value_or(0);
  }
  return record;
}

}  // namespace ganglion::kafka
