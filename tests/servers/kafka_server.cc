#include "servers/kafka_server.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace ganglion::testing {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr std::size_t kGates = 6;  // as many processes as a test has at the same time

// As scripts/fetch-kafka has it.
std::filesystem::path jars() {
  if (const char* named = std::getenv("GANGLION_KAFKA")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path folder = cache != nullptr
                                           ? std::filesystem::path(cache)
                                           : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return folder / "ganglion" / "kafka-3.9.1";
}

template <auto Function>
struct By {
  template <typename T>
  void operator()(T* thing) const {
    Function(thing);
  }
};

using Client = std::unique_ptr<rd_kafka_t, By<rd_kafka_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, By<rd_kafka_ConfigResource_destroy>>;

Client client_of(std::uint16_t port) {
  std::array<char, 256> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::string server = "127.0.0.1:" + std::to_string(port);
  rd_kafka_conf_set(conf, "bootstrap.servers", server.c_str(), error.data(), error.size());
  return Client(rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size()));
}

std::vector<std::string> topics_of(rd_kafka_t* client) {
  std::vector<std::string> names;
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client, 1, nullptr, &metadata, kPatienceMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return names;
  for (int i = 0; i < metadata->topic_cnt; ++i) names.emplace_back(metadata->topics[i].topic);
  rd_kafka_metadata_destroy(metadata);
  return names;
}

}  // namespace

bool KafkaServer::is_installed() {
  return testing::is_installed("java") && std::filesystem::exists(jars() / "kafka_2.13-3.9.1.jar");
}

KafkaServer::KafkaServer()
    : gates_(kGates), process_({.command = [this](std::uint16_t port, const std::filesystem::path& folder) {
        std::ofstream(folder / "server.properties") << properties(port, folder);
        std::filesystem::create_directory(folder / "data");
        if (!std::filesystem::exists(folder / "data" / "meta.properties"))
          std::ofstream(folder / "data" / "meta.properties")
              << "version=1\nnode.id=1\ncluster.id=Z2FuZ2xpb24tdGVzdHMtMQ\n";
        return std::vector<std::string>{"java",
                                        "-Xms64m",
                                        "-Xmx384m",
                                        "-XX:+UseSerialGC",
                                        "-XX:TieredStopAtLevel=1",
                                        "-cp",
                                        jars().string() + "/*",
                                        "kafka.Kafka",
                                        (folder / "server.properties").string()};
      }}) {
  process_.start();
}

KafkaServer::Gate KafkaServer::next_gate() {
  const Leases& leases = gates_[turn_++ % gates_.size()];
  return {.inside = leases.inside.port(), .outside = leases.outside.port()};
}

std::string KafkaServer::properties(std::uint16_t port, const std::filesystem::path& folder) const {
  const auto at = [](const std::string& name, std::uint16_t number) {
    return name + "://127.0.0.1:" + std::to_string(number);
  };
  std::string listeners = at("MAIN", port) + ',' + at("CONTROLLER", controller_.port());
  std::string advertised = at("MAIN", port);
  std::string protocols = "MAIN:PLAINTEXT,CONTROLLER:PLAINTEXT";
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    const std::string name = "GATE" + std::to_string(i);
    listeners += ',' + at(name, gates_[i].inside.port());
    advertised += ',' + at(name, gates_[i].outside.port());
    protocols += ',' + name + ":PLAINTEXT";
  }
  return "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n"
         "controller.quorum.voters=1@127.0.0.1:" +
         std::to_string(controller_.port()) + "\nlisteners=" + listeners +
         "\nadvertised.listeners=" + advertised + "\nlistener.security.protocol.map=" + protocols +
         "\nlog.dirs=" + (folder / "data").string() +
         "\ninter.broker.listener.name=MAIN\ninter.broker.protocol.version=3.9\n"
         "num.network.threads=1\nnum.io.threads=2\nnum.partitions=1\ndefault.replication.factor=1\n"
         "offsets.topic.num.partitions=1\noffsets.topic.replication.factor=1\n"
         "transaction.state.log.num.partitions=1\ntransaction.state.log.replication.factor=1\n"
         "transaction.state.log.min.isr=1\nbroker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms="
         "300\ngroup.initial.rebalance.delay.ms=0\n"
         "auto.create.topics.enable=false\nlog.cleaner.enable=false\n";
}

std::string KafkaServer::configure(const std::string& word,
                                   const std::vector<std::pair<std::string, std::string>>& settings) const {
  const Client client = client_of(port());
  std::vector<Resource> topics;
  for (const std::string& name : topics_of(client.get())) {
    if (!name.contains(word)) continue;
    topics.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    for (const auto& [setting, value] : settings)
      rd_kafka_ConfigResource_set_config(topics.back().get(), setting.c_str(), value.c_str());
  }
  std::vector<rd_kafka_ConfigResource_t*> all;
  for (const Resource& topic : topics) all.push_back(topic.get());
  const std::unique_ptr<rd_kafka_queue_t, By<rd_kafka_queue_destroy>> queue(rd_kafka_queue_new(client.get()));
  rd_kafka_AlterConfigs(client.get(), all.data(), all.size(), nullptr, queue.get());
  const std::unique_ptr<rd_kafka_event_t, By<rd_kafka_event_destroy>> event(
      rd_kafka_queue_poll(queue.get(), kPatienceMs));
  if (!event) return "it doesn't answer";
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return rd_kafka_event_error_string(event.get());
  std::size_t count = 0;
  const auto results =
      rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const char* problem = rd_kafka_ConfigResource_error_string(results[i])) return problem;
  }
  return count == 0 ? "there are no such topics" : "";
}

}  // namespace ganglion::testing
