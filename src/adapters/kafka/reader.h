#pragma once

// Reads partitions of Kafka from where it is told to, without a group: who gets what is the ledger's matter.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"

namespace ganglion::kafka {

class Reader {
 public:
  using Sink = std::function<void(Record record)>;
  // Logical offsets beside the plain ones.
  static constexpr std::int64_t kBeginning = RD_KAFKA_OFFSET_BEGINNING;
  static constexpr std::int64_t kEnd = RD_KAFKA_OFFSET_END;

  // `context` outlives it.
  static Result<std::unique_ptr<Reader>> open(boost::asio::io_context& context, const ClientOptions& options);
  // Calls nobody any more.
  ~Reader();

  // Gives the records of the topic's only partition to `sink`, from `offset` on or, where there is nothing
  // yet or any more, from the oldest that there is; after another call for the same topic nothing of the one
  // before comes any more.
  void start(const std::string& topic, std::int64_t offset, Sink sink);
  void stop(const std::string& topic);
  // Where the topic ended when something of it was last fetched; negative where that isn't known.
  std::int64_t known_end(const std::string& topic) const;

  // Called when a connection broke.
  void on_trouble(std::function<void()> trouble) { trouble_ = std::move(trouble); }
  rd_kafka_t* handle() const { return handle_.get(); }

 private:
  struct Reading {
    Owned<rd_kafka_topic_t> topic;
    std::shared_ptr<Sink> sink;
  };

  Reader(boost::asio::io_context& context, Owned<rd_kafka_t> handle);

  void drain_records();
  void drain_events();

  Owned<rd_kafka_t> handle_;
  Owned<rd_kafka_queue_t> events_;
  Owned<rd_kafka_queue_t> records_;
  std::map<std::string, Reading, std::less<>> readings_;
  std::function<void()> trouble_ = [] {};
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  std::unique_ptr<Signal> event_signal_;
  std::unique_ptr<Signal> record_signal_;
};

}  // namespace ganglion::kafka
