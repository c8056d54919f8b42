#include "adapters/nats/names.h"

#include <gtest/gtest.h>

#include <set>

namespace ganglion::nats {
namespace {

const Names kNames{Url{}};

TEST(NatsNames, AreEasyToFind) {
  EXPECT_EQ(kNames.queue_subject("agent:coder"), "ganglion.queue.agent:coder");
  EXPECT_EQ(kNames.queue_stream("agent:coder"), "ganglion+queue+agent~coder");
  EXPECT_EQ(kNames.dead_subject("agent:coder"), "ganglion.dead.agent:coder");
  EXPECT_EQ(kNames.dead_stream("a.b"), "ganglion+dead+a=b");
  EXPECT_EQ(kNames.topic_subject("runs.ended"), "ganglion.topic.runs.ended");
}

TEST(NatsNames, DotsLeaveNoWordEmpty) {
  EXPECT_EQ(kNames.queue_subject(".a..b."), "ganglion.queue.=a.=b=");
  EXPECT_EQ(kNames.queue_subject("."), "ganglion.queue.=");
}

TEST(NatsNames, TellNamesApart) {
  std::set<std::string> subjects;
  std::set<std::string> streams;
  for (const char* name : {"a", "a.b", "a:b", "a_b", "a-b", ".a", "a.", "a..b", "a.:b"}) {
    EXPECT_TRUE(subjects.insert(kNames.queue_subject(name)).second) << name;
    EXPECT_TRUE(streams.insert(kNames.queue_stream(name)).second) << name;
  }
}

}  // namespace
}  // namespace ganglion::nats
