#include "adapters/kafka/errands.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::kafka {
namespace {

// How often an errand looks whether it is to end.
constexpr std::chrono::milliseconds kSlice{100};
constexpr std::chrono::milliseconds kPause{20};
// For so long a topic that was just made may not be known to everybody, librdkafka included.
constexpr std::chrono::seconds kNews{2};

std::unexpected<Error> unavailable(std::string_view why) {
  return fail("unavailable", "Kafka is not available: " + std::string(why));
}

std::unexpected<Error> refusal(rd_kafka_resp_err_t error, const char* text) {
  const bool unknown = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                       error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                       error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
  return fail(unknown ? "unknown_topic" : "unavailable",
              "Kafka refuses: " + std::string(text != nullptr ? text : rdkafka().err2str(error)));
}

template <auto Function>
struct By {
  template <typename T>
  void operator()(T* thing) const {
    (rdkafka().*Function)(thing);
  }
};
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, By<&LibRdkafka::AdminOptions_destroy>>;
using TopicToMake = std::unique_ptr<rd_kafka_NewTopic_t, By<&LibRdkafka::NewTopic_destroy>>;
using TopicToRemove = std::unique_ptr<rd_kafka_DeleteTopic_t, By<&LibRdkafka::DeleteTopic_destroy>>;
using Shortening = std::unique_ptr<rd_kafka_DeleteRecords_t, By<&LibRdkafka::DeleteRecords_destroy>>;
using Partitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, By<&LibRdkafka::topic_partition_list_destroy>>;
using GroupQuestion =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, By<&LibRdkafka::ListConsumerGroupOffsets_destroy>>;

Options options_for(rd_kafka_t* handle, rd_kafka_admin_op_t operation, std::chrono::milliseconds time) {
  Options options(rdkafka().AdminOptions_new(handle, operation));
  std::array<char, 256> error{};
  rdkafka().AdminOptions_set_request_timeout(options.get(), static_cast<int>(time.count()), error.data(),
                                             error.size());
  return options;
}

// The first of the results that is neither good nor `fine`.
Result<void> all_of(const rd_kafka_topic_result_t** results, std::size_t count, rd_kafka_resp_err_t fine) {
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rdkafka().topic_result_error(results[i]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != fine)
      return refusal(error, rdkafka().topic_result_error_string(results[i]));
  }
  return {};
}

}  // namespace

Settings settings_that_keep() {
  return {{"retention.ms", "-1"},       {"retention.bytes", "-1"},
          {"cleanup.policy", "delete"}, {"segment.bytes", std::to_string(64 << 20)},
          {"segment.ms", "3600000"},    {"max.message.bytes", std::to_string(kMaxRecord)}};
}

Errands::Errands(asio::io_context& context, rd_kafka_t* handle, std::chrono::milliseconds patience)
    : context_(context),
      handle_(handle),
      patience_(patience),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

Errands::~Errands() {
  thread_.request_stop();
  thread_.join();
}

void Errands::serve(const std::stop_token& stop) {
  stop_ = stop;
  while (true) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait(lock, stop, [this] { return !errands_.empty(); })) return;
    Errand errand = std::move(errands_.front());
    errands_.pop_front();
    lock.unlock();
    deadline_ = Steady::now() + patience_;
    errand();
  }
}

template <typename T>
void Errands::run(std::move_only_function<Result<T>()> work, Done<T> done) {
  const std::lock_guard lock(mutex_);
  errands_.push_back([this, work = std::move(work), done = std::move(done)]() mutable {
    Result<T> result = work();
    asio::post(context_,
               [alive = std::weak_ptr(alive_), done = std::move(done), result = std::move(result)]() mutable {
                 if (!alive.expired() && done) done(std::move(result));
               });
  });
  arrived_.notify_one();
}

void Errands::create(std::vector<NewTopic> topics, Done<void> done) {
  run<void>([this, topics = std::move(topics)] { return create_now(topics); }, std::move(done));
}

void Errands::remove(std::vector<std::string> topics, Done<void> done) {
  run<void>([this, topics = std::move(topics)] { return remove_now(topics); }, std::move(done));
}

void Errands::shorten(std::string topic, std::vector<std::int64_t> first) {
  run<void>([this, topic = std::move(topic), first = std::move(first)] { return shorten_now(topic, first); },
            nullptr);
}

void Errands::ends(std::string topic, Done<Ends> done) {
  run<Ends>([this, topic = std::move(topic)] { return ends_now(topic); }, std::move(done));
}

void Errands::read(std::string topic, std::uint32_t limit, Done<std::vector<Record>> done) {
  run<std::vector<Record>>([this, topic = std::move(topic), limit] { return read_now(topic, limit); },
                           std::move(done));
}

void Errands::copies(std::string topic, Done<int> done) {
  run<int>([this, topic = std::move(topic)] { return copies_now(topic); }, std::move(done));
}

void Errands::groups(Done<std::set<std::string>> done) {
  run<std::set<std::string>>([this] { return groups_now(); }, std::move(done));
}

void Errands::group(std::string name, std::string topic, int partitions, Done<GroupState> done) {
  run<GroupState>([this, name = std::move(name), topic = std::move(topic),
                   partitions] { return group_now(name, topic, partitions); },
                  std::move(done));
}

// --- on the thread

bool Errands::is_over() const {
  return stop_.stop_requested() || Steady::now() >= deadline_;
}

int Errands::slice() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Steady::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(1), kSlice).count());
}

Owned<rd_kafka_event_t> Errands::wait_for(rd_kafka_queue_t* queue) const {
  while (!is_over()) {
    Owned<rd_kafka_event_t> event(rdkafka().queue_poll(queue, slice()));
    if (event) return event;
  }
  return nullptr;
}

Result<void> Errands::create_now(const std::vector<NewTopic>& topics) const {
  std::vector<TopicToMake> made;
  std::array<char, 512> error{};
  for (const NewTopic& topic : topics) {
    constexpr int kAsTheBrokersSay = -1;
    made.emplace_back(rdkafka().NewTopic_new(topic.name.c_str(), topic.partitions, kAsTheBrokersSay,
                                             error.data(), error.size()));
    if (!made.back()) return refusal(RD_KAFKA_RESP_ERR_INVALID_CONFIG, error.data());
    for (const auto& [name, value] : topic.settings)
      rdkafka().NewTopic_set_config(made.back().get(), name.c_str(), value.c_str());
  }
  std::vector<rd_kafka_NewTopic_t*> all;
  for (const TopicToMake& topic : made) all.push_back(topic.get());
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_CREATETOPICS, patience_);
  rdkafka().AdminOptions_set_operation_timeout(options.get(), static_cast<int>(patience_.count()),
                                               error.data(), error.size());
  rdkafka().CreateTopics(handle_, all.data(), all.size(), options.get(), queue.get());
  const auto event = wait_for(queue.get());
  if (!event) return unavailable("it makes no topics");
  if (rdkafka().event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return unavailable(rdkafka().event_error_string(event.get()));
  std::size_t count = 0;
  const auto results =
      rdkafka().CreateTopics_result_topics(rdkafka().event_CreateTopics_result(event.get()), &count);
  return all_of(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
}

Result<void> Errands::remove_now(const std::vector<std::string>& topics) const {
  std::vector<TopicToRemove> named;
  for (const std::string& topic : topics) named.emplace_back(rdkafka().DeleteTopic_new(topic.c_str()));
  std::vector<rd_kafka_DeleteTopic_t*> all;
  for (const TopicToRemove& topic : named) all.push_back(topic.get());
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_DELETETOPICS, patience_);
  rdkafka().DeleteTopics(handle_, all.data(), all.size(), options.get(), queue.get());
  const auto event = wait_for(queue.get());
  if (!event) return unavailable("it removes no topics");
  if (rdkafka().event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return unavailable(rdkafka().event_error_string(event.get()));
  std::size_t count = 0;
  const auto results =
      rdkafka().DeleteTopics_result_topics(rdkafka().event_DeleteTopics_result(event.get()), &count);
  return all_of(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

Result<void> Errands::shorten_now(const std::string& topic, const std::vector<std::int64_t>& first) const {
  const Partitions partitions(rdkafka().topic_partition_list_new(static_cast<int>(first.size())));
  for (std::size_t i = 0; i < first.size(); ++i) {
    rdkafka()
        .topic_partition_list_add(partitions.get(), topic.c_str(), static_cast<std::int32_t>(i))
        ->offset = first[i];
  }
  const Shortening shortening(rdkafka().DeleteRecords_new(partitions.get()));
  rd_kafka_DeleteRecords_t* one = shortening.get();
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_DELETERECORDS, patience_);
  rdkafka().DeleteRecords(handle_, &one, 1, options.get(), queue.get());
  wait_for(queue.get());
  return {};
}

Result<Ends> Errands::ends_now(const std::string& topic) const {
  Ends ends;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  const auto news = Steady::now() + kNews;
  while (!is_over()) {
    error = rdkafka().query_watermark_offsets(handle_, topic.c_str(), 0, &ends.first, &ends.end, slice());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return ends;
    if (const auto refused = refusal(error, nullptr);
        refused.error().code == "unknown_topic" && Steady::now() > news)
      return refused;
    std::this_thread::sleep_for(kPause);
  }
  return unavailable(rdkafka().err2str(error));
}

Result<std::vector<Record>> Errands::read_now(const std::string& topic, std::uint32_t limit) const {
  const auto ends = ends_now(topic);
  if (!ends) return std::unexpected(ends.error());
  std::vector<Record> records;
  if (ends->first == ends->end) return records;
  const Owned<rd_kafka_topic_t> reading(rdkafka().topic_new(handle_, topic.c_str(), nullptr));
  rdkafka().consume_start(reading.get(), 0, ends->first);
  std::int64_t next = ends->first;
  while (!is_over() && next < ends->end && records.size() < limit) {
    const Owned<rd_kafka_message_t> message(rdkafka().consume(reading.get(), 0, slice()));
    if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    records.push_back(record_of(*message));
    next = message->offset + 1;
  }
  rdkafka().consume_stop(reading.get(), 0);
  if (next < ends->end && records.size() < limit) return unavailable("it doesn't say what is in a topic");
  return records;
}

Result<int> Errands::copies_now(const std::string& topic) const {
  const Owned<rd_kafka_topic_t> asked(rdkafka().topic_new(handle_, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error =
      rdkafka().metadata(handle_, 0, asked.get(), &metadata, static_cast<int>(patience_.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unavailable(rdkafka().err2str(error));
  const std::unique_ptr<const rd_kafka_metadata_t, By<&LibRdkafka::metadata_destroy>> owned(metadata);
  if (metadata->topic_cnt == 0 || metadata->topics[0].partition_cnt == 0) return 0;
  return metadata->topics[0].partitions[0].replica_cnt;
}

Result<std::set<std::string>> Errands::groups_now() const {
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, patience_);
  rdkafka().ListConsumerGroups(handle_, options.get(), queue.get());
  const auto event = wait_for(queue.get());
  if (!event || rdkafka().event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return unavailable("it doesn't say which groups there are");
  std::size_t count = 0;
  const auto groups = rdkafka().ListConsumerGroups_result_valid(
      rdkafka().event_ListConsumerGroups_result(event.get()), &count);
  std::set<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const auto state = rdkafka().ConsumerGroupListing_state(groups[i]);
    if (state != RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY && state != RD_KAFKA_CONSUMER_GROUP_STATE_DEAD)
      names.insert(rdkafka().ConsumerGroupListing_group_id(groups[i]));
  }
  return names;
}

Result<std::size_t> Errands::members_now(const std::string& name) const {
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, patience_);
  const char* group = name.c_str();
  rdkafka().DescribeConsumerGroups(handle_, &group, 1, options.get(), queue.get());
  const auto event = wait_for(queue.get());
  if (!event || rdkafka().event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return unavailable("it says nothing of a group");
  std::size_t count = 0;
  const auto groups = rdkafka().DescribeConsumerGroups_result_groups(
      rdkafka().event_DescribeConsumerGroups_result(event.get()), &count);
  if (count == 0 || rdkafka().ConsumerGroupDescription_error(groups[0]) != nullptr)
    return unavailable("it doesn't know a group");
  return rdkafka().ConsumerGroupDescription_member_count(groups[0]);
}

Result<GroupState> Errands::group_now(const std::string& name, const std::string& topic,
                                      int partitions) const {
  const auto members = members_now(name);
  if (!members) return std::unexpected(members.error());
  GroupState state{.members = *members,
                   .committed = std::vector<std::int64_t>(static_cast<std::size_t>(partitions), -1)};
  const Partitions asked(rdkafka().topic_partition_list_new(partitions));
  for (int i = 0; i < partitions; ++i) rdkafka().topic_partition_list_add(asked.get(), topic.c_str(), i);
  const GroupQuestion question(rdkafka().ListConsumerGroupOffsets_new(name.c_str(), asked.get()));
  rd_kafka_ListConsumerGroupOffsets_t* one = question.get();
  const Owned<rd_kafka_queue_t> queue(rdkafka().queue_new(handle_));
  const Options options = options_for(handle_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, patience_);
  rdkafka().ListConsumerGroupOffsets(handle_, &one, 1, options.get(), queue.get());
  const auto event = wait_for(queue.get());
  if (!event || rdkafka().event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return unavailable("it doesn't say what a group has done");
  std::size_t count = 0;
  const auto groups = rdkafka().ListConsumerGroupOffsets_result_groups(
      rdkafka().event_ListConsumerGroupOffsets_result(event.get()), &count);
  if (count == 0 || rdkafka().group_result_error(groups[0]) != nullptr)
    return unavailable("it doesn't know a group");
  const rd_kafka_topic_partition_list_t* committed = rdkafka().group_result_partitions(groups[0]);
  for (int i = 0; i < committed->cnt; ++i) {
    const rd_kafka_topic_partition_t& one_of_them = committed->elems[i];
    if (one_of_them.partition < partitions)
      state.committed[static_cast<std::size_t>(one_of_them.partition)] =
          std::max<std::int64_t>(one_of_them.offset, -1);
  }
  return state;
}

}  // namespace ganglion::kafka
