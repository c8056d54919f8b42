#include "contract/plain_client.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <librdkafka/rdkafka.h>
#include <nats/nats.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace ganglion::testing {
namespace {

amqp_bytes_t bytes_of(const std::string& text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};
}

std::string text_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

class PlainAmqp final : public PlainClient {
 public:
  PlainAmqp(std::uint16_t port, std::string prefix) : prefix_(std::move(prefix)) {
    constexpr int kFrameMax = 131'072;
    amqp_socket_t* socket = amqp_tcp_socket_new(connection_.get());
    EXPECT_EQ(amqp_socket_open(socket, "127.0.0.1", port), AMQP_STATUS_OK);
    expect_normal(
        amqp_login(connection_.get(), "/", 0, kFrameMax, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"));
    amqp_channel_open(connection_.get(), kChannel);
    expect_normal(amqp_get_rpc_reply(connection_.get()));
  }

  void publish(const std::string& queue, const std::string& type, const std::string& body) override {
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_TYPE_FLAG;
    properties.type = bytes_of(type);
    const std::string name = name_of(queue);
    EXPECT_EQ(amqp_basic_publish(connection_.get(), kChannel, amqp_empty_bytes, bytes_of(name), 0, 0,
                                 &properties, bytes_of(body)),
              AMQP_STATUS_OK);
  }

  std::optional<BusMessage> take(const std::string& queue) override {
    const std::string name = name_of(queue);
    const amqp_rpc_reply_t reply = amqp_basic_get(connection_.get(), kChannel, bytes_of(name), 0);
    expect_normal(reply);
    if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD) return std::nullopt;
    taken_ = static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded)->delivery_tag;
    amqp_message_t read;
    expect_normal(amqp_read_message(connection_.get(), kChannel, &read, 0));
    BusMessage message{.id = text_of(read.properties.message_id),
                       .type = text_of(read.properties.type),
                       .reply_to = text_of(read.properties.reply_to),
                       .body = text_of(read.body)};
    amqp_destroy_message(&read);
    amqp_maybe_release_buffers(connection_.get());
    return message;
  }

  void acknowledge() override {
    EXPECT_EQ(amqp_basic_ack(connection_.get(), kChannel, taken_, 0), AMQP_STATUS_OK);
  }

 private:
  static constexpr amqp_channel_t kChannel = 1;
  struct Destroy {
    void operator()(amqp_connection_state_t state) const { amqp_destroy_connection(state); }
  };

  static void expect_normal(const amqp_rpc_reply_t& reply) {
    EXPECT_EQ(reply.reply_type, AMQP_RESPONSE_NORMAL);
  }

  std::string name_of(const std::string& queue) const { return prefix_ + '.' + queue; }

  const std::string prefix_;
  std::unique_ptr<std::remove_pointer_t<amqp_connection_state_t>, Destroy> connection_{amqp_new_connection()};
  std::uint64_t taken_ = 0;
};

class PlainRedis final : public PlainClient {
 public:
  PlainRedis(std::uint16_t port, std::string prefix)
      : prefix_(std::move(prefix)), context_(redisConnect("127.0.0.1", port)) {
    EXPECT_EQ(context_->err, 0);
  }

  void publish(const std::string& queue, const std::string& type, const std::string& body) override {
    command({"XADD", key_of(queue), "*", "type", type, "body", body});
  }

  // [[STREAM, [[ID, [FIELD, VALUE, …]]]]], or nothing.
  std::optional<BusMessage> take(const std::string& queue) override {
    stream_ = key_of(queue);
    const Reply reply =
        command({"XREADGROUP", "GROUP", "ganglion", "plain", "COUNT", "1", "STREAMS", stream_, ">"});
    if (reply->elements == 0) return std::nullopt;
    const redisReply& entry = *reply->element[0]->element[1]->element[0];
    taken_ = entry.element[0]->str;
    const redisReply& fields = *entry.element[1];
    const auto field = [&fields](std::string_view name) {
      for (std::size_t i = 0; i < fields.elements; i += 2) {
        if (fields.element[i]->str == name)
          return std::string(fields.element[i + 1]->str,
                             static_cast<std::size_t>(fields.element[i + 1]->len));
      }
      return std::string();
    };
    return BusMessage{
        .id = field("id"), .type = field("type"), .reply_to = field("reply_to"), .body = field("body")};
  }

  void acknowledge() override {
    EXPECT_EQ(command({"XACK", stream_, "ganglion", taken_})->integer, 1);
    EXPECT_EQ(command({"XDEL", stream_, taken_})->integer, 1);
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  using Reply = std::unique_ptr<redisReply, Free>;

  Reply command(const std::vector<std::string>& words) {
    std::vector<const char*> arguments;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      arguments.push_back(word.data());
      sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(
        redisCommandArgv(context_.get(), static_cast<int>(words.size()), arguments.data(), sizes.data())));
    EXPECT_NE(reply->type, REDIS_REPLY_ERROR) << reply->str;
    return reply;
  }

  std::string key_of(const std::string& queue) const { return "{" + prefix_ + "}:queue:" + queue; }

  const std::string prefix_;
  const std::unique_ptr<redisContext, Free> context_;
  std::string stream_;
  std::string taken_;
};

class PlainNats final : public PlainClient {
 public:
  PlainNats(std::uint16_t port, std::string prefix) : prefix_(std::move(prefix)) {
    const std::string url = "nats://127.0.0.1:" + std::to_string(port);
    must(natsConnection_ConnectTo(&connection_, url.c_str()));
    must(natsConnection_JetStream(&jetstream_, connection_, nullptr));
  }
  ~PlainNats() override {
    natsMsg_Destroy(taken_);
    natsSubscription_Destroy(subscription_);
    jsCtx_Destroy(jetstream_);
    natsConnection_Destroy(connection_);
  }

  void publish(const std::string& queue, const std::string& type, const std::string& body) override {
    natsMsg* message = nullptr;
    must(natsMsg_Create(&message, subject_of(queue).c_str(), nullptr, body.data(),
                        static_cast<int>(body.size())));
    must(natsMsgHeader_Set(message, "Ganglion-Type", type.c_str()));
    must(js_PublishMsg(nullptr, jetstream_, message, nullptr, nullptr));
    natsMsg_Destroy(message);
  }

  std::optional<BusMessage> take(const std::string& queue) override {
    if (queue_ != queue) subscribe(queue);
    natsMsgList list{};
    if (natsSubscription_Fetch(&list, subscription_, 1, kWaitMs, nullptr) == NATS_TIMEOUT)
      return std::nullopt;
    natsMsg_Destroy(taken_);
    taken_ = std::exchange(list.Msgs[0], nullptr);
    natsMsgList_Destroy(&list);
    return BusMessage{
        .id = header("Ganglion-Id"),
        .type = header("Ganglion-Type"),
        .reply_to = header("Ganglion-Reply-To"),
        .body = {natsMsg_GetData(taken_), static_cast<std::size_t>(natsMsg_GetDataLength(taken_))}};
  }

  void acknowledge() override { must(natsMsg_AckSync(taken_, nullptr, nullptr)); }

 private:
  static constexpr std::int64_t kWaitMs = 20;

  static void must(natsStatus status) { EXPECT_EQ(status, NATS_OK) << natsStatus_GetText(status); }

  // The consumer is there already: a work queue has one, and all share it.
  void subscribe(const std::string& queue) {
    std::string stream = prefix_ + "+queue+" + queue;
    std::ranges::replace(stream, ':', '~');
    jsConsumerNamesList* names = nullptr;
    must(js_ConsumerNames(&names, jetstream_, stream.c_str(), nullptr, nullptr));
    jsSubOptions options;
    must(jsSubOptions_Init(&options));
    options.Stream = stream.c_str();
    options.Consumer = names->List[0];
    must(js_PullSubscribe(&subscription_, jetstream_, subject_of(queue).c_str(), names->List[0], nullptr,
                          &options, nullptr));
    jsConsumerNamesList_Destroy(names);
    queue_ = queue;
  }

  std::string subject_of(const std::string& queue) const { return prefix_ + ".queue." + queue; }

  std::string header(const char* name) const {
    const char* value = nullptr;
    return natsMsgHeader_Get(taken_, name, &value) == NATS_OK ? value : "";
  }

  const std::string prefix_;
  natsConnection* connection_ = nullptr;
  jsCtx* jetstream_ = nullptr;
  natsSubscription* subscription_ = nullptr;
  std::string queue_;  // that the subscription is on
  natsMsg* taken_ = nullptr;
};

class PlainKafka final : public PlainClient {
 public:
  PlainKafka(std::uint16_t port, std::string prefix)
      : prefix_(std::move(prefix)), servers_("127.0.0.1:" + std::to_string(port)) {
    producer_.reset(
        made(RD_KAFKA_PRODUCER, {{"bootstrap.servers", servers_}, {"message.max.bytes", "8388608"}}));
  }
  ~PlainKafka() override {
    if (consumer_) rd_kafka_consumer_close(consumer_.get());
  }

  void publish(const std::string& queue, const std::string& type, const std::string& body) override {
    const std::string topic = topic_of("queue", queue);
    std::array<rd_kafka_vu_t, 4> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem = {const_cast<char*>(body.data()), body.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_HEADER;
    parts[3].u.header = {"type", type.data(), static_cast<ssize_t>(type.size())};
    EXPECT_EQ(rd_kafka_produceva(producer_.get(), parts.data(), parts.size()), nullptr);
    must(rd_kafka_flush(producer_.get(), kPatienceMs));
  }

  std::optional<BusMessage> take(const std::string& queue) override {
    if (queue_ != queue) subscribe(queue);
    const Message message(rd_kafka_consumer_poll(consumer_.get(), kWaitMs));
    if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return BusMessage{.id = header(*message, "id"),
                      .type = header(*message, "type"),
                      .reply_to = header(*message, "reply_to"),
                      .body = {static_cast<const char*>(message->payload), message->len}};
  }

  void acknowledge() override { must(rd_kafka_commit(consumer_.get(), nullptr, 0)); }

 private:
  static constexpr int kWaitMs = 20;
  static constexpr int kPatienceMs = 20'000;
  struct Free {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
    void operator()(rd_kafka_topic_partition_list_t* list) const {
      rd_kafka_topic_partition_list_destroy(list);
    }
  };
  using Client = std::unique_ptr<rd_kafka_t, Free>;
  using Message = std::unique_ptr<rd_kafka_message_t, Free>;

  static void must(rd_kafka_resp_err_t error) {
    EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_err2str(error);
  }

  static rd_kafka_t* made(rd_kafka_type_t type,
                          const std::vector<std::pair<std::string, std::string>>& settings) {
    char error[256] = "";
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] : settings)
      EXPECT_EQ(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error), RD_KAFKA_CONF_OK)
          << error;
    return rd_kafka_new(type, conf, error, sizeof error);
  }

  void subscribe(const std::string& queue) {
    const std::string topic = topic_of("handout", queue);
    consumer_.reset(made(RD_KAFKA_CONSUMER, {{"bootstrap.servers", servers_},
                                             {"group.id", topic},
                                             {"enable.auto.commit", "false"},
                                             {"auto.offset.reset", "earliest"}}));
    rd_kafka_poll_set_consumer(consumer_.get());
    const std::unique_ptr<rd_kafka_topic_partition_list_t, Free> topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    must(rd_kafka_subscribe(consumer_.get(), topics.get()));
    queue_ = queue;
  }

  std::string topic_of(const std::string& kind, std::string queue) const {
    std::ranges::replace(queue, ':', '.');
    return prefix_ + '.' + kind + '.' + queue;
  }

  static std::string header(const rd_kafka_message_t& message, const char* name) {
    rd_kafka_headers_t* headers = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return "";
    return {static_cast<const char*>(value), size};
  }

  const std::string prefix_;
  const std::string servers_;
  Client producer_;
  Client consumer_;
  std::string queue_;  // that it has subscribed to
};

}  // namespace

std::unique_ptr<PlainClient> plain_client(const std::string& broker, std::uint16_t port,
                                          const std::string& prefix) {
  if (broker == "rabbitmq") return std::make_unique<PlainAmqp>(port, prefix);
  if (broker == "redis") return std::make_unique<PlainRedis>(port, prefix);
  if (broker == "kafka") return std::make_unique<PlainKafka>(port, prefix);
  if (broker == "nats") return std::make_unique<PlainNats>(port, prefix);
  return nullptr;
}

}  // namespace ganglion::testing
