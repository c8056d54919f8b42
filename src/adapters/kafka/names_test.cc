#include "adapters/kafka/names.h"

#include <gmock/gmock.h>

#include <map>
#include <vector>

namespace ganglion::kafka {
namespace {

const Names kNames{Url{}};

TEST(KafkaNames, LookLikeTheirQueues) {
  EXPECT_EQ(kNames.queue("agent:coder"), "ganglion.queue.agent.coder");
  EXPECT_EQ(kNames.queue("agent:code_review"), "ganglion.queue.agent.code_review");
  EXPECT_EQ(kNames.queue("agent:a.b"), "ganglion.queue.agent.a_.b");
  EXPECT_EQ(kNames.dead("agent:coder"), "ganglion.dead.agent.coder");
}

// Every name of up to five of the letters that matter.
TEST(KafkaNames, OfTwoQueuesAreNeverTheSame) {
  std::map<std::string, std::string> seen;
  std::vector<std::string> names{""};
  for (std::size_t at = 0; at < names.size(); ++at) {
    const auto [found, is_new] = seen.emplace(written(names[at]), names[at]);
    EXPECT_TRUE(is_new) << found->second << " and " << names[at];
    EXPECT_EQ(found->first.find(':'), std::string::npos);
    if (names[at].size() == 5) continue;
    for (const char letter : {'a', '_', '.', ':'}) names.push_back(names[at] + letter);
  }
}

}  // namespace
}  // namespace ganglion::kafka
