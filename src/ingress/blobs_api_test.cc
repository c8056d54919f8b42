#include "base/sha256.h"
#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

using ::testing::HasSubstr;

class BlobsTest : public ApiTest {
 protected:
  static std::string path(const std::string& content) { return "/v1/blobs/" + sha256_hex(content); }
  static std::string reference(const std::string& content) {
    return R"({"$ref":"sha256:)" + sha256_hex(content) + "\"}";
  }
};

TEST_F(BlobsTest, content_is_stored_once_and_comes_back_as_it_was) {
  const std::string content("\0\xff{not json", 11);
  EXPECT_EQ(get(path(content)).status, 404);
  const Answer stored = put(path(content), content, {"Content-Type: application/octet-stream"});
  ASSERT_EQ(stored.status, 201) << stored.body;
  EXPECT_EQ(stored.headers.at("location"), path(content));
  EXPECT_EQ(stored.json().at("size").as_int64(), 11);
  EXPECT_EQ(put(path(content), content, {"Content-Type: text/plain"}).status, 200);
  const Answer read = get(path(content));
  EXPECT_EQ(read.headers.at("content-type"), "application/octet-stream");
  EXPECT_EQ(read.body, content);
  EXPECT_EQ(put(path(""), "").status, 201);
}

TEST_F(BlobsTest, content_with_another_digest_is_refused) {
  const Answer wrong = put(path("a"), "b");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.code(), "digest_mismatch");
  EXPECT_EQ(put("/v1/blobs/abc", "b").status, 400);
  EXPECT_EQ(get("/v1/blobs/" + std::string(64, 'A')).status, 400);
}

TEST_F(BlobsTest, a_blob_may_be_larger_than_other_bodies_up_to_its_own_limit) {
  const std::string large(9 << 20, 'x');
  EXPECT_EQ(put(path(large), large).status, 201);
  EXPECT_EQ(get(path(large)).body.size(), large.size());
  EXPECT_EQ(post("/v1/runs", large).status, 413);
  Connection connection(*this);
  connection.send("PUT", path(""), "", {"Content-Length: " + std::to_string((64 << 20) + 1)});
  const Answer beyond = connection.receive();
  EXPECT_EQ(beyond.status, 413);
  EXPECT_EQ(beyond.code(), "too_large");
}

TEST_F(BlobsTest, a_run_that_refers_to_an_unknown_blob_is_not_started) {
  put_project();
  const std::string body = R"({"workflow":"echo","input":{"deep":[)" + reference("x") + "]}}";
  const Answer refused = post("/v1/runs", body);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.json().at("errors").at(0).at("path").as_string(), "/input");
  EXPECT_THAT(refused.body, HasSubstr(sha256_hex("x")));
  EXPECT_EQ(get("/v1/runs").json().at("items").as_array().size(), 0u);
  put(path("x"), "x");
  EXPECT_EQ(post("/v1/runs", body).status, 201);
}

TEST_F(BlobsTest, a_result_that_refers_to_an_unknown_blob_fails_for_good) {
  put_project();
  const std::string good = start();
  put(path("y"), "y");
  EXPECT_EQ(succeed(take("worker"), reference("y")), "accepted");
  EXPECT_EQ(status(good), "completed");
  const std::string bad = start();
  EXPECT_EQ(succeed(take("worker"), reference("z")), "invalid");
  EXPECT_EQ(run(bad).at("error").at("code").as_string(), "unknown_blob");
}

}  // namespace
}  // namespace ganglion::ingress
