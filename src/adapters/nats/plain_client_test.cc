// Somebody who knows nothing of us but docs/internals/bus.md, with NATS' own C client: a worker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <memory>

#include "adapters/nats/bus.h"
#include "adapters/nats/json.h"
#include "contract/bus_driver.h"
#include "servers/nats_server.h"

namespace ganglion::nats {
namespace {

using ganglion::testing::BusDriver;
using ganglion::testing::Inbox;
using ganglion::testing::NatsServer;
using ::testing::StartsWith;

constexpr std::int64_t kPatienceMs = 10'000;

void must(natsStatus status) {
  ASSERT_EQ(status, NATS_OK) << natsStatus_GetText(status);
}

std::string header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : "";
}

class PlainWorker {
 public:
  PlainWorker(const std::string& url, const std::string& subject, const std::string& stream,
              const std::string& consumer) {
    must(natsConnection_ConnectTo(&connection_, url.c_str()));
    must(natsConnection_JetStream(&jetstream_, connection_, nullptr));
    jsSubOptions options;
    must(jsSubOptions_Init(&options));
    options.Stream = stream.c_str();
    options.Consumer = consumer.c_str();
    must(js_PullSubscribe(&subscription_, jetstream_, subject.c_str(), consumer.c_str(), nullptr, &options,
                          nullptr));
  }
  ~PlainWorker() {
    natsSubscription_Destroy(subscription_);
    jsCtx_Destroy(jetstream_);
    natsConnection_Destroy(connection_);
  }

  // Takes one task, answers it, and only then acknowledges it.
  void work() {
    natsMsgList tasks;
    must(natsSubscription_Fetch(&tasks, subscription_, 1, kPatienceMs, nullptr));
    natsMsg* task = tasks.Msgs[0];
    EXPECT_EQ(header_of(task, "Ganglion-Type"), "ganglion.task.v1");
    const std::string body(natsMsg_GetData(task), static_cast<std::size_t>(natsMsg_GetDataLength(task)));
    const std::string subject = "ganglion.queue." + header_of(task, "Ganglion-Reply-To");
    natsMsg* answer = nullptr;
    must(natsMsg_Create(&answer, subject.c_str(), nullptr, body.data(), static_cast<int>(body.size())));
    must(natsMsgHeader_Set(answer, "Ganglion-Id", header_of(task, "Ganglion-Id").c_str()));
    must(natsMsgHeader_Set(answer, "Ganglion-Type", "ganglion.result.v1"));
    must(js_PublishMsg(nullptr, jetstream_, answer, nullptr, nullptr));
    must(natsMsg_Ack(task, nullptr));
    must(natsConnection_FlushTimeout(connection_, kPatienceMs));
    natsMsg_Destroy(answer);
    natsMsgList_Destroy(&tasks);
  }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* jetstream_ = nullptr;
  natsSubscription* subscription_ = nullptr;
};

TEST(PlainNatsClient, CanBeAWorker) {
  if (!ganglion::testing::is_installed(NatsServer::kProgram))
    GTEST_SKIP() << "Debian package nats-server is not installed";
  const NatsServer server;
  ganglion::testing::TestLoop loop;
  const auto bus = Bus::open(loop.context(), {.url = server.url()}).value();
  BusDriver driver(loop, *bus);
  ASSERT_TRUE(driver.declare("coder.1"));
  ASSERT_TRUE(driver.declare("answers"));
  const BusMessage task{
      .id = "run/step/1 of 2", .type = "ganglion.task.v1", .reply_to = "answers", .body = "{}"};
  ASSERT_TRUE(driver.publish("coder.1", task));

  // ["ganglion-…"]
  const std::string answer = server.request("$JS.API.CONSUMER.NAMES.ganglion+queue+coder=1");
  const std::string_view names = member(answer, "consumers");
  const std::string consumer(names.substr(2, names.size() - 4));
  ASSERT_THAT(consumer, StartsWith("ganglion-"));
  PlainWorker(server.url(), "ganglion.queue.coder.1", "ganglion+queue+coder=1", consumer).work();

  Inbox inbox(loop);
  bus->consume("answers", 1, inbox.consumer());
  const BusMessage result{.id = task.id, .type = "ganglion.result.v1", .reply_to = "", .body = "{}"};
  EXPECT_EQ(inbox.next().message, result);
  EXPECT_EQ(driver.depth("coder.1"), 0u);
}

}  // namespace
}  // namespace ganglion::nats
