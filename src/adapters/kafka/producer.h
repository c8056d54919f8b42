#pragma once

// Records on their way into Kafka: written once and in order, and confirmed when all replicas that are in
// sync have them. Where librdkafka finds that it can't keep that promise it takes nothing any more; then
// there is a new handle of it, and what was not confirmed is answered as unavailable.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"

namespace ganglion::kafka {

// Records that wait or are on their way; beyond that librdkafka refuses them.
inline constexpr std::size_t kMaxProducing = 1'000'000;

class Producer {
 public:
  // Where the record is, or why it isn't: `unavailable` (it may be there all the same), `too_large`.
  using Sent = std::move_only_function<void(Result<std::int64_t> offset)>;

  // `context` outlives it. `patience`: how long a record may wait for its confirmation.
  static Result<std::unique_ptr<Producer>> open(boost::asio::io_context& context,
                                                const ClientOptions& options,
                                                std::chrono::milliseconds patience);
  // Calls nobody any more.
  ~Producer();

  // `sent` runs later.
  void send(const std::string& topic, std::int32_t partition, const Headers& headers, std::string_view value,
            Sent sent);
  // Waits for its confirmation as long as it takes. False where librdkafka takes nothing now: then nothing
  // has been written, and nobody is told.
  bool insist(const std::string& topic, std::string_view value, Sent sent);
  // Before its end: blocks until everything is confirmed, or the time is over, and calls nobody any more.
  void finish(std::chrono::milliseconds time);

  rd_kafka_t* handle() const { return handle_.get(); }
  // What a broker, or the lack of one, was last complained of.
  const std::string& problem() const { return problem_; }

 private:
  Producer(boost::asio::io_context& context, ClientOptions options, Owned<rd_kafka_t> handle,
           std::chrono::milliseconds patience);

  rd_kafka_topic_t* topic(const std::string& name, bool insistent);
  // Takes `sent` only where there is no error.
  rd_kafka_resp_err_t produce(rd_kafka_topic_t* topic, std::int32_t partition, const Headers& headers,
                              std::string_view value, Sent& sent);
  void refuse(rd_kafka_resp_err_t error, Sent sent);
  void drain();
  void confirmed(rd_kafka_event_t* event);
  void troubled(rd_kafka_event_t* event);
  // Whether it takes nothing any more.
  bool is_spent() const;
  void renew_soon();
  void renew();

  boost::asio::io_context& context_;
  const ClientOptions options_;
  const std::chrono::milliseconds patience_;
  Owned<rd_kafka_t> handle_;
  Owned<rd_kafka_queue_t> events_;
  std::map<std::string, Owned<rd_kafka_topic_t>> topics_;
  std::map<std::uint64_t, Sent> on_their_way_;
  std::uint64_t last_ = 0;
  bool renews_soon_ = false;
  std::string problem_ = "no broker has answered";
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  std::unique_ptr<Signal> signal_;
};

}  // namespace ganglion::kafka
