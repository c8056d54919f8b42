#include "adapters/kafka/reader.h"

#include <array>

#include "base/asio/asio.h"

namespace ganglion::kafka {
namespace {

constexpr std::size_t kRecordsATurn = 256;
// A broker answers a request when any of its partitions has something; one that is added waits for the next
// request.
constexpr const char* kFetchWaitMs = "20";

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(asio::io_context& context, const ClientOptions& options) {
  auto handle = open_client(RD_KAFKA_CONSUMER, options,
                            {{"auto.offset.reset", "earliest"},
                             {"fetch.wait.max.ms", kFetchWaitMs},
                             {"fetch.error.backoff.ms", "50"},
                             {"check.crcs", "true"}},
                            RD_KAFKA_EVENT_ERROR);
  if (!handle) return std::unexpected(std::move(handle.error()));
  return std::unique_ptr<Reader>(new Reader(context, std::move(*handle)));
}

Reader::Reader(asio::io_context& context, Owned<rd_kafka_t> handle)
    : handle_(std::move(handle)),
      events_(rdkafka().queue_get_main(handle_.get())),
      records_(rdkafka().queue_new(handle_.get())),
      event_signal_(std::make_unique<Signal>(context, events_.get(), [this] { drain_events(); })),
      record_signal_(std::make_unique<Signal>(context, records_.get(), [this] { drain_records(); })) {}

Reader::~Reader() {
  for (auto& [name, reading] : readings_) rdkafka().consume_stop(reading.topic.get(), 0);
}

void Reader::start(const std::string& topic, std::int64_t offset, Sink sink) {
  stop(topic);
  Reading reading{
      .topic = Owned<rd_kafka_topic_t>(rdkafka().topic_new(handle_.get(), topic.c_str(), nullptr)),
      .sink = std::make_shared<Sink>(std::move(sink))};
  rdkafka().consume_start_queue(reading.topic.get(), 0, offset, records_.get());
  readings_.insert_or_assign(topic, std::move(reading));
}

void Reader::stop(const std::string& topic) {
  const auto reading = readings_.extract(topic);
  if (!reading.empty()) rdkafka().consume_stop(reading.mapped().topic.get(), 0);
}

std::int64_t Reader::known_end(const std::string& topic) const {
  std::int64_t first = RD_KAFKA_OFFSET_INVALID;
  std::int64_t end = RD_KAFKA_OFFSET_INVALID;
  rdkafka().get_watermark_offsets(handle_.get(), topic.c_str(), 0, &first, &end);
  return end;
}

// A sink may start and stop readings, or destroy everything.
void Reader::drain_records() {
  const std::weak_ptr alive = alive_;
  std::size_t count = 0;
  for (; count < kRecordsATurn; ++count) {
    rd_kafka_message_t* next = nullptr;
    if (rdkafka().consume_batch_queue(records_.get(), 0, &next, 1) != 1) return;
    const Owned<rd_kafka_message_t> message(next);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->rkt == nullptr) continue;
    const auto reading = readings_.find(std::string_view(rdkafka().topic_name(message->rkt)));
    if (reading == readings_.end()) continue;
    const std::shared_ptr<Sink> sink = reading->second.sink;
    (*sink)(record_of(*message));
    if (alive.expired()) return;
  }
  record_signal_->again();
}

void Reader::drain_events() {
  const std::weak_ptr alive = alive_;
  while (const Owned<rd_kafka_event_t> event{rdkafka().queue_poll(events_.get(), 0)}) {
    if (rdkafka().event_type(event.get()) != RD_KAFKA_EVENT_ERROR) continue;
    trouble_();
    if (alive.expired()) return;
  }
}

}  // namespace ganglion::kafka
