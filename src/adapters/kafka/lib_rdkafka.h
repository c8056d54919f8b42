#pragma once

// librdkafka, loaded when a bus in Kafka is opened: with it come SASL, OpenLDAP and compression libraries
// that no other server needs. Its functions by their names without `rd_kafka_`.

#include <librdkafka/rdkafka.h>

#include <memory>

#include "base/result.h"

namespace ganglion::kafka {

struct LibRdkafka {
  decltype(&::rd_kafka_AdminOptions_destroy) AdminOptions_destroy;
  decltype(&::rd_kafka_AdminOptions_new) AdminOptions_new;
  decltype(&::rd_kafka_AdminOptions_set_operation_timeout) AdminOptions_set_operation_timeout;
  decltype(&::rd_kafka_AdminOptions_set_request_timeout) AdminOptions_set_request_timeout;
  decltype(&::rd_kafka_ConsumerGroupDescription_error) ConsumerGroupDescription_error;
  decltype(&::rd_kafka_ConsumerGroupDescription_member_count) ConsumerGroupDescription_member_count;
  decltype(&::rd_kafka_ConsumerGroupListing_group_id) ConsumerGroupListing_group_id;
  decltype(&::rd_kafka_ConsumerGroupListing_state) ConsumerGroupListing_state;
  decltype(&::rd_kafka_CreateTopics) CreateTopics;
  decltype(&::rd_kafka_CreateTopics_result_topics) CreateTopics_result_topics;
  decltype(&::rd_kafka_DeleteRecords) DeleteRecords;
  decltype(&::rd_kafka_DeleteRecords_destroy) DeleteRecords_destroy;
  decltype(&::rd_kafka_DeleteRecords_new) DeleteRecords_new;
  decltype(&::rd_kafka_DeleteTopic_destroy) DeleteTopic_destroy;
  decltype(&::rd_kafka_DeleteTopic_new) DeleteTopic_new;
  decltype(&::rd_kafka_DeleteTopics) DeleteTopics;
  decltype(&::rd_kafka_DeleteTopics_result_topics) DeleteTopics_result_topics;
  decltype(&::rd_kafka_DescribeConsumerGroups) DescribeConsumerGroups;
  decltype(&::rd_kafka_DescribeConsumerGroups_result_groups) DescribeConsumerGroups_result_groups;
  decltype(&::rd_kafka_ListConsumerGroupOffsets) ListConsumerGroupOffsets;
  decltype(&::rd_kafka_ListConsumerGroupOffsets_destroy) ListConsumerGroupOffsets_destroy;
  decltype(&::rd_kafka_ListConsumerGroupOffsets_new) ListConsumerGroupOffsets_new;
  decltype(&::rd_kafka_ListConsumerGroupOffsets_result_groups) ListConsumerGroupOffsets_result_groups;
  decltype(&::rd_kafka_ListConsumerGroups) ListConsumerGroups;
  decltype(&::rd_kafka_ListConsumerGroups_result_valid) ListConsumerGroups_result_valid;
  decltype(&::rd_kafka_NewTopic_destroy) NewTopic_destroy;
  decltype(&::rd_kafka_NewTopic_new) NewTopic_new;
  decltype(&::rd_kafka_NewTopic_set_config) NewTopic_set_config;
  decltype(&::rd_kafka_conf_destroy) conf_destroy;
  decltype(&::rd_kafka_conf_new) conf_new;
  decltype(&::rd_kafka_conf_set) conf_set;
  decltype(&::rd_kafka_conf_set_events) conf_set_events;
  decltype(&::rd_kafka_conf_set_log_cb) conf_set_log_cb;
  decltype(&::rd_kafka_consume) consume;
  decltype(&::rd_kafka_consume_batch_queue) consume_batch_queue;
  decltype(&::rd_kafka_consume_start) consume_start;
  decltype(&::rd_kafka_consume_start_queue) consume_start_queue;
  decltype(&::rd_kafka_consume_stop) consume_stop;
  decltype(&::rd_kafka_destroy) destroy;
  decltype(&::rd_kafka_err2str) err2str;
  decltype(&::rd_kafka_error_code) error_code;
  decltype(&::rd_kafka_error_destroy) error_destroy;
  decltype(&::rd_kafka_error_string) error_string;
  decltype(&::rd_kafka_event_CreateTopics_result) event_CreateTopics_result;
  decltype(&::rd_kafka_event_DeleteTopics_result) event_DeleteTopics_result;
  decltype(&::rd_kafka_event_DescribeConsumerGroups_result) event_DescribeConsumerGroups_result;
  decltype(&::rd_kafka_event_ListConsumerGroupOffsets_result) event_ListConsumerGroupOffsets_result;
  decltype(&::rd_kafka_event_ListConsumerGroups_result) event_ListConsumerGroups_result;
  decltype(&::rd_kafka_event_destroy) event_destroy;
  decltype(&::rd_kafka_event_error) event_error;
  decltype(&::rd_kafka_event_error_string) event_error_string;
  decltype(&::rd_kafka_event_message_next) event_message_next;
  decltype(&::rd_kafka_event_type) event_type;
  decltype(&::rd_kafka_fatal_error) fatal_error;
  decltype(&::rd_kafka_get_watermark_offsets) get_watermark_offsets;
  decltype(&::rd_kafka_group_result_error) group_result_error;
  decltype(&::rd_kafka_group_result_partitions) group_result_partitions;
  decltype(&::rd_kafka_header_add) header_add;
  decltype(&::rd_kafka_header_get_all) header_get_all;
  decltype(&::rd_kafka_headers_destroy) headers_destroy;
  decltype(&::rd_kafka_headers_new) headers_new;
  decltype(&::rd_kafka_last_error) last_error;
  decltype(&::rd_kafka_message_destroy) message_destroy;
  decltype(&::rd_kafka_message_headers) message_headers;
  decltype(&::rd_kafka_metadata) metadata;
  decltype(&::rd_kafka_metadata_destroy) metadata_destroy;
  decltype(&::rd_kafka_new) new_;
  decltype(&::rd_kafka_produceva) produceva;
  decltype(&::rd_kafka_query_watermark_offsets) query_watermark_offsets;
  decltype(&::rd_kafka_queue_destroy) queue_destroy;
  decltype(&::rd_kafka_queue_get_main) queue_get_main;
  decltype(&::rd_kafka_queue_io_event_enable) queue_io_event_enable;
  decltype(&::rd_kafka_queue_new) queue_new;
  decltype(&::rd_kafka_queue_poll) queue_poll;
  decltype(&::rd_kafka_topic_conf_destroy) topic_conf_destroy;
  decltype(&::rd_kafka_topic_conf_new) topic_conf_new;
  decltype(&::rd_kafka_topic_conf_set) topic_conf_set;
  decltype(&::rd_kafka_topic_destroy) topic_destroy;
  decltype(&::rd_kafka_topic_name) topic_name;
  decltype(&::rd_kafka_topic_new) topic_new;
  decltype(&::rd_kafka_topic_partition_list_add) topic_partition_list_add;
  decltype(&::rd_kafka_topic_partition_list_destroy) topic_partition_list_destroy;
  decltype(&::rd_kafka_topic_partition_list_new) topic_partition_list_new;
  decltype(&::rd_kafka_topic_result_error) topic_result_error;
  decltype(&::rd_kafka_topic_result_error_string) topic_result_error_string;
};

// Error `unavailable` where the library isn't there or is too old; then every call gives it.
const Result<LibRdkafka>& load_rdkafka();

// After load_rdkafka() has succeeded.
const LibRdkafka& rdkafka();

// What librdkafka gives to whoever asks for it, owned. Topics and queues go before their handle. A handle
// that doesn't end within a second is left to itself: one that was reading a topic when somebody deleted it
// never does.
struct Destroy {
  void operator()(rd_kafka_t* handle) const;
  void operator()(rd_kafka_queue_t* queue) const { rdkafka().queue_destroy(queue); }
  void operator()(rd_kafka_topic_t* topic) const { rdkafka().topic_destroy(topic); }
  void operator()(rd_kafka_event_t* event) const { rdkafka().event_destroy(event); }
  void operator()(rd_kafka_message_t* message) const { rdkafka().message_destroy(message); }
  void operator()(rd_kafka_headers_t* headers) const { rdkafka().headers_destroy(headers); }
  void operator()(rd_kafka_error_t* error) const { rdkafka().error_destroy(error); }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroy>;

}  // namespace ganglion::kafka
