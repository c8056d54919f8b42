#include "adapters/kafka/producer.h"

#include <gmock/gmock.h>

#include <optional>

#include "base/asio/asio.h"

namespace ganglion::kafka {
namespace {

using namespace std::chrono_literals;

// Nobody is there, so what is taken stays on its way.
const ClientOptions kNobody{.servers = "127.0.0.1:1", .silence = 10s};

TEST(KafkaProducer, IsRenewedWhereLibrdkafkaTakesNothingAnyMore) {
  ASSERT_TRUE(load_rdkafka());
  asio::io_context context;
  const auto opened = Producer::open(context, kNobody, 60s);
  ASSERT_TRUE(opened) << opened.error().message;
  Producer& producer = **opened;
  std::optional<Result<std::int64_t>> first;
  std::optional<Result<std::int64_t>> second;
  ASSERT_TRUE(producer.insist("ledger", "one", [&](auto result) { first = std::move(result); }));
  producer.send("queue", 0, {}, "two", [&](auto result) { second = std::move(result); });
  const rd_kafka_t* const old = producer.handle();

  rd_kafka_test_fatal_error(producer.handle(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
  EXPECT_FALSE(producer.insist("ledger", "three", [](const auto&) { FAIL() << "it wasn't taken"; }));
  for (int turns = 0; turns < 1'000 && !(first && second && producer.handle() != old); ++turns)
    context.run_one_for(10ms);

  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->error().code, "unavailable");
  EXPECT_EQ(second->error().code, "unavailable");
  EXPECT_TRUE(producer.insist("ledger", "four", [](const auto&) {}));
}

}  // namespace
}  // namespace ganglion::kafka
