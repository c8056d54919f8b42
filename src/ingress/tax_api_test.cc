#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kTax = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 2, initial: 1s, backoff: constant, jitter: 0}}
workflows:
  two:
    steps:
      first: {agent: worker, input: "${{ input }}"}
      second: {agent: worker, input: "${{ input }}", needs: [first]}
)";

class TaxTest : public ApiTest {
 protected:
  boost::json::value tax(const std::string& run) { return get("/v1/runs/" + run + "/tax").json(); }
};

TEST_F(TaxTest, every_millisecond_of_the_critical_path_is_work_or_one_of_the_parts) {
  put_project(kTax);
  const std::string input = R"({"text":")" + std::string(100, 'x') + "\"}";
  const std::string id = start("two", input);
  pass(std::chrono::milliseconds(30));  // in the queue
  auto task = take("worker");
  pass(std::chrono::milliseconds(100));
  EXPECT_EQ(report(task, R"("output":1,"usage":{"input_tokens":10,"output_tokens":5},"work_ms":80)"),
            "accepted");
  task = take("worker");
  pass(std::chrono::milliseconds(50));
  report(task, R"("error":{"code":"x"},"usage":{"tokens":1})");
  pass(std::chrono::seconds(1));
  task = take("worker");
  ASSERT_FALSE(task.is_null());
  pass(std::chrono::milliseconds(20));
  succeed(task, "2");
  ASSERT_EQ(status(id), "completed");
  const auto got = tax(id);
  EXPECT_EQ(got.at("wall_ms").as_int64(), 1200);
  EXPECT_EQ(got.at("work_ms").as_int64(), 150);
  EXPECT_EQ(got.at("tax_ms").as_int64(), 1050);
  EXPECT_DOUBLE_EQ(got.at("tax_ratio").to_number<double>(), 0.875);
  EXPECT_EQ(boost::json::serialize(got.at("parts")),
            R"({"admit":0,"queue":30,"dispatch":20,"persist":0,"decide":0,"backoff":1000})");
  EXPECT_EQ(got.at("messages").as_int64(), 6);
  const auto size = static_cast<std::int64_t>(input.size());
  EXPECT_EQ(got.at("context_bytes").as_int64(), 3 * size);
  EXPECT_EQ(got.at("repeated_context_bytes").as_int64(), 2 * size);
  EXPECT_EQ(got.at("tokens").to_number<double>(), 16);
  const auto& path = got.at("critical_path").as_array();
  ASSERT_EQ(path.size(), 3u);
  EXPECT_EQ(path[0].at("step").as_string(), "first");
  EXPECT_EQ(path[0].at("work_ms").as_int64(), 80);
  EXPECT_EQ(path[2].at("attempt").as_int64(), 2);
}

TEST_F(TaxTest, an_open_run_has_its_figures_so_far_and_an_unknown_one_none) {
  put_project(kTax);
  const std::string id = start("two");
  EXPECT_EQ(tax(id).at("wall_ms").as_int64(), 0);
  EXPECT_EQ(get("/v1/runs/nonsense/tax").status, 404);
  EXPECT_EQ(get("/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/tax").status, 404);
}

}  // namespace
}  // namespace ganglion::ingress
