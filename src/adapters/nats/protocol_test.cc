#include "adapters/nats/protocol.h"

#include <gtest/gtest.h>

#include "adapters/nats/headers.h"

namespace ganglion::nats {
namespace {

using Found = Reader::Found;

TEST(NatsReader, ReadsMessagesHoweverTheyArrive) {
  const std::string bytes =
      "PING\r\nMSG a.b 7 2\r\nhi\r\nMSG  a.b\t7 answer  4\r\n\r\n\r\n\r\n"
      "HMSG a 8 answer 25 27\r\nNATS/1.0\r\nName: value\r\n\r\nok\r\n-ERR 'No'\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Reader reader;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.append(std::string_view(bytes).substr(at, piece));
      Incoming incoming;
      Found found;
      while ((found = reader.next(incoming)) == Found::something) {
        seen += std::to_string(static_cast<int>(incoming.kind)) + '|' +
                std::to_string(incoming.subscription) + '|' + std::string(incoming.subject) + '|' +
                std::string(incoming.reply) + '|' + std::string(header(incoming.headers, "Name")) + '|' +
                std::string(incoming.text) + '\n';
      }
      ASSERT_EQ(found, Found::nothing_yet);
    }
    EXPECT_EQ(seen, "2|0||||\n1|7|a.b|||hi\n1|7|a.b|answer||\r\n\r\n\n1|8|a|answer|value|ok\n4|0||||'No'\n");
  }
}

TEST(NatsReader, WhatIsNoNatsIsNonsense) {
  for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\n", "MSG a 7\r\n", "MSG a x 2\r\nhi\r\n",
                            "MSG a 7 2\r\nhi!!\r\n", "MSG a 7 b c d 2\r\n", "HMSG a 7 4 2\r\nhi\r\n",
                            "MSG a 7 99999999999999999999\r\n", "MSG a 7 999999999999\r\n"}) {
    Reader reader;
    reader.append(bytes);
    Incoming incoming;
    EXPECT_EQ(reader.next(incoming), Found::nonsense) << bytes;
  }
}

TEST(NatsHeaders, CarryAnyBytes) {
  std::string odd;
  for (int byte = 0; byte < 255; ++byte) odd += static_cast<char>(byte);
  const BusMessage message{.id = odd, .type = "", .reply_to = "coordinator:default", .body = odd};
  const std::string headers = headers_of(message);
  EXPECT_LT(headers.size(), kMaxHeaders);
  EXPECT_EQ(message_of(headers, odd), message);
  EXPECT_EQ(header(headers, kReplyTo), "coordinator:default");
}

TEST(NatsHeaders, OfOthersAreTakenAsTheyStand) {
  EXPECT_EQ(message_of("NATS/1.0\r\nGanglion-Id:  100% sure \r\nTraceparent: x\r\n\r\n", "b").id,
            "100% sure");
  EXPECT_EQ(message_of("", "b"), (BusMessage{.id = "", .type = "", .reply_to = "", .body = "b"}));
}

TEST(NatsHeaders, MayCarryAStatus) {
  EXPECT_EQ(status_of("NATS/1.0 408 Request Timeout\r\nA: b\r\n\r\n"), 408);
  EXPECT_EQ(status_text("NATS/1.0 408 Request Timeout\r\nA: b\r\n\r\n"), "Request Timeout");
  EXPECT_EQ(status_of("NATS/1.0 503\r\n\r\n"), 503);
  EXPECT_EQ(status_of("NATS/1.0\r\nA: 1\r\n\r\n"), 0);
  EXPECT_EQ(status_of(""), 0);
}

}  // namespace
}  // namespace ganglion::nats
