#include "ingress/journal_stream.h"

#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kLargeProject = R"(ganglion: 1
agents:
  worker: {kind: worker}
workflows:
  large:
    steps:
      work: {agent: worker}
      a: {transform: "${{ steps.work.output }}"}
      b: {transform: "${{ steps.work.output }}"}
      c: {transform: "${{ steps.work.output }}"}
      d: {transform: "${{ steps.work.output }}"}
      e: {transform: "${{ steps.work.output }}"}
      f: {transform: "${{ steps.work.output }}"}
      g: {transform: "${{ steps.work.output }}"}
      h: {transform: "${{ steps.work.output }}"}
)";

// Each event's id, in the order of coming.
std::vector<std::size_t> ids_of(const std::string& events) {
  std::vector<std::size_t> ids;
  for (std::size_t at = events.find("id: "); at != std::string::npos; at = events.find("\nid: ", at + 1)) {
    ids.push_back(std::stoul(events.substr(events.find(' ', at) + 1, 10)));
  }
  return ids;
}

TEST_F(ApiTest, a_commit_and_a_page_larger_than_a_stream_may_hold_come_whole) {
  ASSERT_EQ(ask("PUT", "/v1/project", kLargeProject, {"Content-Type: text/yaml"}).status, 200);
  const std::string id = start("large");
  const std::string journal = "/v1/runs/" + id + "/journal";
  Connection live(*this);
  live.send("GET", journal, "", {"Accept: text/event-stream"});
  live.read_until("\r\n\r\n");
  std::string followed = live.read_until("task_scheduled");
  ASSERT_EQ(succeed(take("worker"), "\"" + std::string(600'000, 'x') + "\""), "accepted");
  followed += live.read_until("0\r\n\r\n");

  Connection again(*this);
  again.send("GET", journal, "", {"Accept: text/event-stream"});
  again.read_until("\r\n\r\n");
  const std::string read = again.read_until("0\r\n\r\n");

  EXPECT_GT(read.size(), http::Options().stream_hard_limit);
  std::vector<std::size_t> all(get("/v1/runs/" + id).json().at("version").to_number<std::size_t>());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
  EXPECT_EQ(ids_of(followed), all);
  EXPECT_EQ(ids_of(read), all);
}

}  // namespace
}  // namespace ganglion::ingress
