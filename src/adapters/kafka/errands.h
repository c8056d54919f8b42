#pragma once

// What Kafka is asked now and then, and librdkafka asks by blocking: what topics there are, how long they
// are, what the oldest dead letters say. One after the other, on a thread of their own; answers run on the
// loop.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"
#include "ports/bus.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::kafka {

struct NewTopic {
  std::string name;
  int partitions = 1;
  Settings settings = {};
};
// Kafka throws nothing away by itself, and takes the largest message with its headers. What it is told to
// throw away goes with whole files, so these are small.
Settings settings_that_keep();

// Of a topic's first partition.
struct Ends {
  std::int64_t first = 0;  // the oldest record that there is
  std::int64_t end = 0;    // the next that there will be
};

// What a group of plain clients has to say.
struct GroupState {
  std::size_t members = 0;
  std::vector<std::int64_t> committed = {};  // by partition; -1 for nothing yet
};

class Errands {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  // All must outlive it. `handle`: any of librdkafka's.
  Errands(boost::asio::io_context& context, rd_kafka_t* handle, std::chrono::milliseconds patience);
  // Waits for what is under way to notice; calls nobody any more.
  ~Errands();

  // Topics that are there already stay as they are.
  void create(std::vector<NewTopic> topics, Done<void> done);
  // Topics that aren't there are no error.
  void remove(std::vector<std::string> topics, Done<void> done);
  // Throws away what is before `first` in these partitions of a topic. Nobody is told.
  void shorten(std::string topic, std::vector<std::int64_t> first);
  // Error `unknown_topic` where there is none.
  void ends(std::string topic, Done<Ends> done);
  // The oldest records, at most `limit`.
  void read(std::string topic, std::uint32_t limit, Done<std::vector<Record>> done);
  // How many brokers have a copy of the topic's first partition.
  void copies(std::string topic, Done<int> done);
  // Groups that have members.
  void groups(Done<std::set<std::string>> done);
  void group(std::string name, std::string topic, int partitions, Done<GroupState> done);

 private:
  using Steady = std::chrono::steady_clock;
  using Errand = std::move_only_function<void()>;

  template <typename T>
  void run(std::move_only_function<Result<T>()> work, Done<T> done);
  void serve(const std::stop_token& stop);

  // The rest runs on the thread.
  Owned<rd_kafka_event_t> wait_for(rd_kafka_queue_t* queue) const;
  int slice() const;
  bool is_over() const;
  Result<void> create_now(const std::vector<NewTopic>& topics) const;
  Result<void> remove_now(const std::vector<std::string>& topics) const;
  Result<void> shorten_now(const std::string& topic, const std::vector<std::int64_t>& first) const;
  Result<Ends> ends_now(const std::string& topic) const;
  Result<std::vector<Record>> read_now(const std::string& topic, std::uint32_t limit) const;
  Result<int> copies_now(const std::string& topic) const;
  Result<std::set<std::string>> groups_now() const;
  Result<GroupState> group_now(const std::string& name, const std::string& topic, int partitions) const;
  Result<std::size_t> members_now(const std::string& name) const;

  boost::asio::io_context& context_;
  rd_kafka_t* const handle_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Errand> errands_;
  Steady::time_point deadline_;  // of the errand under way
  std::stop_token stop_;         // the thread's
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  std::jthread thread_;  // last: it ends first
};

}  // namespace ganglion::kafka
