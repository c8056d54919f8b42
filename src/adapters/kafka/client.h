#pragma once

// What producer and reader have in common: a handle of librdkafka with its settings, and the word from its
// threads that one of its queues has something, which comes through a file descriptor.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/lib_rdkafka.h"
#include "base/result.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::kafka {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct ClientOptions {
  std::string servers;
  std::chrono::milliseconds silence;  // after which a broker that leaves something unanswered is given up
};

// `events`: a set of RD_KAFKA_EVENT_…, which come through the handle's main queue.
Result<Owned<rd_kafka_t>> open_client(rd_kafka_type_t type, const ClientOptions& options,
                                      const Settings& more, int events);

// Calls `fired` on the loop when a queue has something, until it is destroyed. Whoever is called empties the
// queue, or calls again().
class Signal {
 public:
  // `context` outlives it, and so does `queue`.
  Signal(boost::asio::io_context& context, rd_kafka_queue_t* queue, std::function<void()> fired);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void again();

 private:
  class Watch;
  std::shared_ptr<Watch> watch_;
};

}  // namespace ganglion::kafka
