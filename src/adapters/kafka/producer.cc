#include "adapters/kafka/producer.h"

#include <array>
#include <utility>

#include "base/asio/asio.h"
#include "base/assert.h"

namespace ganglion::kafka {
namespace {

constexpr int kEventsATurn = 64;

Result<std::int64_t> outcome(rd_kafka_resp_err_t error, std::int64_t offset) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return offset;
  const bool too_large = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  return fail(too_large ? "too_large" : "unavailable",
              "Kafka takes no message: " + std::string(rdkafka().err2str(error)));
}

Owned<rd_kafka_headers_t> made_of(const Headers& headers) {
  Owned<rd_kafka_headers_t> made(rdkafka().headers_new(headers.size()));
  for (const auto& [name, value] : headers)
    rdkafka().header_add(made.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                         static_cast<ssize_t>(value.size()));
  return made;
}

Result<Owned<rd_kafka_t>> open_handle(const ClientOptions& options) {
  return open_client(RD_KAFKA_PRODUCER, options,
                     {{"enable.idempotence", "true"},
                      {"acks", "all"},
                      {"linger.ms", "0"},
                      {"retry.backoff.ms", "20"},
                      {"message.max.bytes", std::to_string(kMaxRecord)},
                      {"queue.buffering.max.messages", std::to_string(kMaxProducing)},
                      {"queue.buffering.max.kbytes", "262144"}},
                     RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
}

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(asio::io_context& context, const ClientOptions& options,
                                                 std::chrono::milliseconds patience) {
  auto handle = open_handle(options);
  if (!handle) return std::unexpected(std::move(handle.error()));
  return std::unique_ptr<Producer>(new Producer(context, options, std::move(*handle), patience));
}

Producer::Producer(asio::io_context& context, ClientOptions options, Owned<rd_kafka_t> handle,
                   std::chrono::milliseconds patience)
    : context_(context),
      options_(std::move(options)),
      patience_(patience),
      handle_(std::move(handle)),
      events_(rdkafka().queue_get_main(handle_.get())),
      signal_(std::make_unique<Signal>(context, events_.get(), [this] { drain(); })) {}

Producer::~Producer() = default;

void Producer::send(const std::string& name, std::int32_t partition, const Headers& headers,
                    std::string_view value, Sent sent) {
  const auto error = produce(topic(name, false), partition, headers, value, sent);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) refuse(error, std::move(sent));
}

bool Producer::insist(const std::string& name, std::string_view value, Sent sent) {
  const auto error = produce(topic(name, true), 0, {}, value, sent);
  const bool never_fits = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  if (never_fits) refuse(error, std::move(sent));
  return never_fits || error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Producer::finish(std::chrono::milliseconds time) {
  constexpr int kWaitMs = 10;
  const auto end = std::chrono::steady_clock::now() + time;
  while (!on_their_way_.empty() && std::chrono::steady_clock::now() < end) {
    const Owned<rd_kafka_event_t> event(rdkafka().queue_poll(events_.get(), kWaitMs));
    if (!event || rdkafka().event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const rd_kafka_message_t* message = rdkafka().event_message_next(event.get()))
      on_their_way_.erase(reinterpret_cast<std::uint64_t>(message->_private));
  }
  on_their_way_.clear();
}

rd_kafka_topic_t* Producer::topic(const std::string& name, bool insistent) {
  Owned<rd_kafka_topic_t>& topic = topics_[name];
  if (topic) return topic.get();
  rd_kafka_topic_conf_t* conf = rdkafka().topic_conf_new();
  const std::string patience = insistent ? "0" : std::to_string(patience_.count());
  std::array<char, 512> error{};
  const auto set =
      rdkafka().topic_conf_set(conf, "message.timeout.ms", patience.c_str(), error.data(), error.size());
  GANGLION_ASSERT(set == RD_KAFKA_CONF_OK);
  topic.reset(rdkafka().topic_new(handle_.get(), name.c_str(), conf));
  GANGLION_ASSERT(topic != nullptr);
  return topic.get();
}

rd_kafka_resp_err_t Producer::produce(rd_kafka_topic_t* topic, std::int32_t partition, const Headers& headers,
                                      std::string_view value, Sent& sent) {
  const std::uint64_t number = ++last_;
  Owned<rd_kafka_headers_t> made = made_of(headers);
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = topic;
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = partition;
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[3].u.mem.ptr = const_cast<char*>(value.data());
  parts[3].u.mem.size = value.size();
  parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[4].u.headers = made.get();
  parts[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[5].u.ptr = reinterpret_cast<void*>(number);
  const Owned<rd_kafka_error_t> error(rdkafka().produceva(handle_.get(), parts.data(), parts.size()));
  if (!error) {
    (void)made.release();  // the record's now
    on_their_way_.emplace(number, std::move(sent));
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  if (is_spent()) renew_soon();
  return rdkafka().error_code(error.get());
}

void Producer::refuse(rd_kafka_resp_err_t error, Sent sent) {
  asio::post(context_,
             [alive = std::weak_ptr(alive_), sent = std::move(sent), result = outcome(error, 0)]() mutable {
               if (!alive.expired()) sent(std::move(result));
             });
}

// Whoever is called may destroy everything.
void Producer::drain() {
  const std::weak_ptr alive = alive_;
  for (int i = 0; i < kEventsATurn; ++i) {
    const Owned<rd_kafka_event_t> event(rdkafka().queue_poll(events_.get(), 0));
    if (!event) return;
    if (rdkafka().event_type(event.get()) == RD_KAFKA_EVENT_DR)
      confirmed(event.get());
    else if (rdkafka().event_type(event.get()) == RD_KAFKA_EVENT_ERROR)
      troubled(event.get());
    if (alive.expired()) return;
  }
  signal_->again();
}

void Producer::confirmed(rd_kafka_event_t* event) {
  const std::weak_ptr alive = alive_;
  while (const rd_kafka_message_t* message = rdkafka().event_message_next(event)) {
    auto sent = on_their_way_.extract(reinterpret_cast<std::uint64_t>(message->_private));
    if (sent.empty()) continue;
    sent.mapped()(outcome(message->err, message->offset));
    if (alive.expired()) return;
  }
}

void Producer::troubled(rd_kafka_event_t* event) {
  problem_ = rdkafka().event_error_string(event);
  if (is_spent()) renew_soon();
}

bool Producer::is_spent() const {
  return rdkafka().fatal_error(handle_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Not at once: whoever comes here may be using the old handle.
void Producer::renew_soon() {
  if (std::exchange(renews_soon_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) renew();
  });
}

// Where it doesn't succeed, the next record that is refused leads here again. Whoever is called may destroy
// everything.
void Producer::renew() {
  renews_soon_ = false;
  auto handle = open_handle(options_);
  if (!handle) {
    problem_ = handle.error().message;
    return;
  }
  signal_.reset();
  topics_.clear();
  events_.reset();
  handle_ = std::move(*handle);
  events_.reset(rdkafka().queue_get_main(handle_.get()));
  signal_ = std::make_unique<Signal>(context_, events_.get(), [this] { drain(); });
  const std::weak_ptr alive = alive_;
  auto unconfirmed = std::exchange(on_their_way_, {});
  for (auto& [number, sent] : unconfirmed) {
    sent(outcome(RD_KAFKA_RESP_ERR__FATAL, 0));
    if (alive.expired()) return;
  }
}

}  // namespace ganglion::kafka
