#include "adapters/kafka/lib_rdkafka.h"

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/shared_library.h"

namespace ganglion::kafka {
namespace {

Result<LibRdkafka> load() {
  Result<SharedLibrary> library = SharedLibrary::open("librdkafka.so.1", "librdkafka1");
  if (!library) return std::unexpected(library.error());
  LibRdkafka kafka{};
  library->find("rd_kafka_AdminOptions_destroy", kafka.AdminOptions_destroy);
  library->find("rd_kafka_AdminOptions_new", kafka.AdminOptions_new);
  library->find("rd_kafka_AdminOptions_set_operation_timeout", kafka.AdminOptions_set_operation_timeout);
  library->find("rd_kafka_AdminOptions_set_request_timeout", kafka.AdminOptions_set_request_timeout);
  library->find("rd_kafka_ConsumerGroupDescription_error", kafka.ConsumerGroupDescription_error);
  library->find("rd_kafka_ConsumerGroupDescription_member_count",
                kafka.ConsumerGroupDescription_member_count);
  library->find("rd_kafka_ConsumerGroupListing_group_id", kafka.ConsumerGroupListing_group_id);
  library->find("rd_kafka_ConsumerGroupListing_state", kafka.ConsumerGroupListing_state);
  library->find("rd_kafka_CreateTopics", kafka.CreateTopics);
  library->find("rd_kafka_CreateTopics_result_topics", kafka.CreateTopics_result_topics);
  library->find("rd_kafka_DeleteRecords", kafka.DeleteRecords);
  library->find("rd_kafka_DeleteRecords_destroy", kafka.DeleteRecords_destroy);
  library->find("rd_kafka_DeleteRecords_new", kafka.DeleteRecords_new);
  library->find("rd_kafka_DeleteTopic_destroy", kafka.DeleteTopic_destroy);
  library->find("rd_kafka_DeleteTopic_new", kafka.DeleteTopic_new);
  library->find("rd_kafka_DeleteTopics", kafka.DeleteTopics);
  library->find("rd_kafka_DeleteTopics_result_topics", kafka.DeleteTopics_result_topics);
  library->find("rd_kafka_DescribeConsumerGroups", kafka.DescribeConsumerGroups);
  library->find("rd_kafka_DescribeConsumerGroups_result_groups", kafka.DescribeConsumerGroups_result_groups);
  library->find("rd_kafka_ListConsumerGroupOffsets", kafka.ListConsumerGroupOffsets);
  library->find("rd_kafka_ListConsumerGroupOffsets_destroy", kafka.ListConsumerGroupOffsets_destroy);
  library->find("rd_kafka_ListConsumerGroupOffsets_new", kafka.ListConsumerGroupOffsets_new);
  library->find("rd_kafka_ListConsumerGroupOffsets_result_groups",
                kafka.ListConsumerGroupOffsets_result_groups);
  library->find("rd_kafka_ListConsumerGroups", kafka.ListConsumerGroups);
  library->find("rd_kafka_ListConsumerGroups_result_valid", kafka.ListConsumerGroups_result_valid);
  library->find("rd_kafka_NewTopic_destroy", kafka.NewTopic_destroy);
  library->find("rd_kafka_NewTopic_new", kafka.NewTopic_new);
  library->find("rd_kafka_NewTopic_set_config", kafka.NewTopic_set_config);
  library->find("rd_kafka_conf_destroy", kafka.conf_destroy);
  library->find("rd_kafka_conf_new", kafka.conf_new);
  library->find("rd_kafka_conf_set", kafka.conf_set);
  library->find("rd_kafka_conf_set_events", kafka.conf_set_events);
  library->find("rd_kafka_conf_set_log_cb", kafka.conf_set_log_cb);
  library->find("rd_kafka_consume", kafka.consume);
  library->find("rd_kafka_consume_batch_queue", kafka.consume_batch_queue);
  library->find("rd_kafka_consume_start", kafka.consume_start);
  library->find("rd_kafka_consume_start_queue", kafka.consume_start_queue);
  library->find("rd_kafka_consume_stop", kafka.consume_stop);
  library->find("rd_kafka_destroy", kafka.destroy);
  library->find("rd_kafka_err2str", kafka.err2str);
  library->find("rd_kafka_error_code", kafka.error_code);
  library->find("rd_kafka_error_destroy", kafka.error_destroy);
  library->find("rd_kafka_error_string", kafka.error_string);
  library->find("rd_kafka_event_CreateTopics_result", kafka.event_CreateTopics_result);
  library->find("rd_kafka_event_DeleteTopics_result", kafka.event_DeleteTopics_result);
  library->find("rd_kafka_event_DescribeConsumerGroups_result", kafka.event_DescribeConsumerGroups_result);
  library->find("rd_kafka_event_ListConsumerGroupOffsets_result",
                kafka.event_ListConsumerGroupOffsets_result);
  library->find("rd_kafka_event_ListConsumerGroups_result", kafka.event_ListConsumerGroups_result);
  library->find("rd_kafka_event_destroy", kafka.event_destroy);
  library->find("rd_kafka_event_error", kafka.event_error);
  library->find("rd_kafka_event_error_string", kafka.event_error_string);
  library->find("rd_kafka_event_message_next", kafka.event_message_next);
  library->find("rd_kafka_event_type", kafka.event_type);
  library->find("rd_kafka_fatal_error", kafka.fatal_error);
  library->find("rd_kafka_get_watermark_offsets", kafka.get_watermark_offsets);
  library->find("rd_kafka_group_result_error", kafka.group_result_error);
  library->find("rd_kafka_group_result_partitions", kafka.group_result_partitions);
  library->find("rd_kafka_header_add", kafka.header_add);
  library->find("rd_kafka_header_get_all", kafka.header_get_all);
  library->find("rd_kafka_headers_destroy", kafka.headers_destroy);
  library->find("rd_kafka_headers_new", kafka.headers_new);
  library->find("rd_kafka_last_error", kafka.last_error);
  library->find("rd_kafka_message_destroy", kafka.message_destroy);
  library->find("rd_kafka_message_headers", kafka.message_headers);
  library->find("rd_kafka_metadata", kafka.metadata);
  library->find("rd_kafka_metadata_destroy", kafka.metadata_destroy);
  library->find("rd_kafka_new", kafka.new_);
  library->find("rd_kafka_produceva", kafka.produceva);
  library->find("rd_kafka_query_watermark_offsets", kafka.query_watermark_offsets);
  library->find("rd_kafka_queue_destroy", kafka.queue_destroy);
  library->find("rd_kafka_queue_get_main", kafka.queue_get_main);
  library->find("rd_kafka_queue_io_event_enable", kafka.queue_io_event_enable);
  library->find("rd_kafka_queue_new", kafka.queue_new);
  library->find("rd_kafka_queue_poll", kafka.queue_poll);
  library->find("rd_kafka_topic_conf_destroy", kafka.topic_conf_destroy);
  library->find("rd_kafka_topic_conf_new", kafka.topic_conf_new);
  library->find("rd_kafka_topic_conf_set", kafka.topic_conf_set);
  library->find("rd_kafka_topic_destroy", kafka.topic_destroy);
  library->find("rd_kafka_topic_name", kafka.topic_name);
  library->find("rd_kafka_topic_new", kafka.topic_new);
  library->find("rd_kafka_topic_partition_list_add", kafka.topic_partition_list_add);
  library->find("rd_kafka_topic_partition_list_destroy", kafka.topic_partition_list_destroy);
  library->find("rd_kafka_topic_partition_list_new", kafka.topic_partition_list_new);
  library->find("rd_kafka_topic_result_error", kafka.topic_result_error);
  library->find("rd_kafka_topic_result_error_string", kafka.topic_result_error_string);
  if (library->error()) return std::unexpected(*library->error());
  return kafka;
}

}  // namespace

const Result<LibRdkafka>& load_rdkafka() {
  static const Result<LibRdkafka> loaded = load();
  return loaded;
}

const LibRdkafka& rdkafka() {
  GANGLION_ASSERT(load_rdkafka());
  return *load_rdkafka();
}

void Destroy::operator()(rd_kafka_t* handle) const {
  constexpr std::chrono::seconds kPatience{1};
  std::packaged_task<void()> task([handle] { rdkafka().destroy(handle); });
  const std::future<void> ended = task.get_future();
  std::thread thread(std::move(task));
  if (ended.wait_for(kPatience) == std::future_status::ready)
    thread.join();
  else
    thread.detach();
}

}  // namespace ganglion::kafka
