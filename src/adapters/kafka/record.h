#pragma once

// A record of Kafka as messages are written into it: properties are headers of the same names, the body is
// the value. One that others have produced may lack all of them.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/lib_rdkafka.h"
#include "ports/bus.h"

namespace ganglion::kafka {

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr char kDeliveries[] = "deliveries";  // before this record
inline constexpr char kReason[] = "reason";          // of a dead letter
inline constexpr char kTopic[] = "topic";            // of what is said on one
// Of the largest message, with its headers and what Kafka writes around it.
inline constexpr std::size_t kMaxRecord = 8 << 20;

Headers headers_of(const BusMessage& message);

struct Record {
  std::int64_t offset = 0;
  BusMessage message = {};
  std::uint32_t deliveries = 0;
  std::string topic = {};
};
Record record_of(const rd_kafka_message_t& message);

}  // namespace ganglion::kafka
