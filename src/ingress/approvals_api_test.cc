#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

using ::testing::HasSubstr;

constexpr const char* kApprovals = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}}
  author: {kind: human, by: [ada], output: {type: object, required: [text]}}
workflows:
  release:
    steps:
      plan: {agent: worker, input: {for: "${{ input }}"}}
      sign_off:
        approve: {by: [ada, bob], show: {plan: "${{ steps.plan.output }}"}}
        timeout: 1h
      deploy: {agent: worker, needs: [sign_off], input: "${{ steps.sign_off.output }}"}
  open:
    steps:
      ask: {approve: {show: "${{ item }}"}, for_each: "${{ input.items }}"}
  write:
    steps:
      text: {agent: author, input: "${{ input }}"}
    output: "${{ steps.text.output }}"
)";

class ApprovalsTest : public ApiTest {
 protected:
  boost::json::value only_approval() {
    const auto items = get("/v1/approvals").json().at("items").as_array();
    EXPECT_EQ(items.size(), 1u);
    return items.empty() ? boost::json::value() : items.front();
  }
  static std::string text(const boost::json::value& value, std::string_view member) {
    return std::string(value.at(member).as_string());
  }
  Answer decide(const boost::json::value& approval, const std::string& decision,
                const std::string& rest = "") {
    return post("/v1/approvals/" + text(approval, "id"), R"({"decision":")" + decision + R"(","digest":")" +
                                                             text(approval, "digest") + "\"" + rest + "}");
  }
  std::string waiting_release() {
    const std::string run = start("release", "1");
    EXPECT_EQ(succeed(take("worker"), R"({"version":"1.2"})"), "accepted");
    return run;
  }
};

TEST_F(ApprovalsTest, a_run_waits_for_a_person_and_goes_on_with_what_was_shown) {
  put_project(kApprovals);
  const std::string run_id = waiting_release();
  EXPECT_EQ(status(run_id), "waiting");
  const auto approval = only_approval();
  EXPECT_EQ(text(approval, "kind"), "approval");
  EXPECT_EQ(text(approval, "run_id"), run_id);
  EXPECT_EQ(text(approval, "workflow"), "release");
  EXPECT_EQ(text(approval, "step"), "sign_off");
  EXPECT_TRUE(approval.at("item").is_null());
  EXPECT_TRUE(approval.at("agent").is_null());
  EXPECT_EQ(boost::json::serialize(approval.at("by")), R"(["ada","bob"])");
  EXPECT_EQ(boost::json::serialize(approval.at("show")), R"({"plan":{"version":"1.2"}})");
  EXPECT_EQ(text(approval, "digest").size(), 64u);
  EXPECT_TRUE(approval.at("expires_at").is_string());
  const auto waiting = run(run_id).at("steps").at("sign_off").at("waiting_for");
  EXPECT_EQ(text(waiting, "kind"), "approval");
  EXPECT_EQ(text(waiting, "id"), text(approval, "id"));

  const Answer answer = decide(approval, "approve", R"(,"by":"bob","comment":"go")");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, R"({"id":")" + text(approval, "id") +
                             R"(","decision":"approve","by":"bob","run_id":")" + run_id + "\"}");
  EXPECT_EQ(get("/v1/approvals").json().at("items").as_array().size(), 0u);
  const auto task = take("worker");
  EXPECT_EQ(boost::json::serialize(task.at("input")), R"({"decision":"approve","by":"bob","comment":"go"})");
  succeed(task, "1");
  EXPECT_EQ(status(run_id), "completed");
}

TEST_F(ApprovalsTest, a_rejection_fails_the_step_with_the_comment) {
  put_project(kApprovals);
  const std::string run_id = waiting_release();
  ASSERT_EQ(decide(only_approval(), "reject", R"(,"by":"ada","comment":"not on a Friday")").status, 200);
  const auto failed = run(run_id);
  EXPECT_EQ(text(failed, "status"), "failed");
  EXPECT_EQ(text(failed.at("error"), "code"), "rejected");
  EXPECT_THAT(text(failed.at("error"), "message"), HasSubstr("not on a Friday"));
}

TEST_F(ApprovalsTest, only_those_who_are_named_decide_on_exactly_what_is_shown_and_once) {
  put_project(kApprovals);
  const std::string run_id = waiting_release();
  const auto approval = only_approval();
  const std::string path = "/v1/approvals/" + text(approval, "id");
  EXPECT_EQ(decide(approval, "approve").status, 403);
  EXPECT_EQ(decide(approval, "approve", R"(,"by":"eve")").code(), "not_permitted");
  const Answer other = post(path, R"({"decision":"approve","by":"ada","digest":"00"})");
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.code(), "digest_mismatch");
  EXPECT_EQ(decide(approval, "approve", R"(,"by":"ada","output":1)").status, 422);
  EXPECT_EQ(status(run_id), "waiting");
  EXPECT_EQ(decide(approval, "approve", R"(,"by":"ada","comment":"")").status, 200);
  const Answer again = decide(approval, "approve", R"(,"by":"ada")");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code(), "conflict");
}

TEST_F(ApprovalsTest, what_is_no_decision_is_refused_with_every_flaw) {
  put_project(kApprovals);
  waiting_release();
  const auto approval = only_approval();
  const std::string path = "/v1/approvals/" + text(approval, "id");
  EXPECT_EQ(post(path, "{}").json().at("errors").as_array().size(), 2u);
  EXPECT_EQ(post(path, R"({"decision":"maybe","digest":"a"})").status, 422);
  EXPECT_EQ(decide(approval, "reject", R"(,"output":1)").status, 422);
  EXPECT_EQ(decide(approval, "approve", R"(,"extra":1)").status, 422);
  EXPECT_EQ(decide(approval, "approve", R"(,"comment":")" + std::string(4001, 'x') + "\"").status, 422);
  EXPECT_EQ(post(path, "").status, 415);
  EXPECT_EQ(post(path, "{").status, 400);
  EXPECT_EQ(
      decide(approval, "approve", R"(,"by":"ada","output":")" + std::string(1 << 20, 'x') + "\"").status,
      413);
}

TEST_F(ApprovalsTest, an_id_that_names_nothing_is_not_found_and_a_void_one_is_a_conflict) {
  put_project(kApprovals);
  const std::string run_id = waiting_release();
  const std::string body = R"({"decision":"approve","digest":"a","by":"ada"})";
  EXPECT_EQ(post("/v1/approvals/nonsense", body).status, 404);
  EXPECT_EQ(post("/v1/approvals/01ARZ3NDEKTSV4RRFFQ69G5FAV-0-0-1", body).status, 404);
  EXPECT_EQ(post("/v1/approvals/" + run_id + "-9-0-1", body).status, 404);
  EXPECT_EQ(post("/v1/approvals/" + run_id + "-2-0-1", body).status, 404);
  const auto approval = only_approval();
  ASSERT_EQ(post("/v1/runs/" + run_id + "/cancel", "").status, 200);
  EXPECT_EQ(get("/v1/approvals").json().at("items").as_array().size(), 0u);
  EXPECT_EQ(decide(approval, "approve", R"(,"by":"ada")").code(), "conflict");
}

TEST_F(ApprovalsTest, time_runs_out_for_an_approval) {
  put_project(kApprovals);
  const std::string run_id = waiting_release();
  pass(std::chrono::hours(1));
  ASSERT_TRUE(turn_until([&] { return status(run_id) == "failed"; }));
  EXPECT_EQ(text(run(run_id).at("error"), "code"), "timeout");
  EXPECT_EQ(get("/v1/approvals").json().at("items").as_array().size(), 0u);
}

TEST_F(ApprovalsTest, the_task_of_a_human_agent_is_answered_with_its_output) {
  put_project(kApprovals);
  const std::string run_id = start("write", R"({"about":"x"})");
  const auto approval = only_approval();
  EXPECT_EQ(text(approval, "kind"), "task");
  EXPECT_EQ(text(approval, "agent"), "author");
  EXPECT_EQ(boost::json::serialize(approval.at("show")), R"({"about":"x"})");
  const Answer invalid = decide(approval, "approve", R"(,"by":"ada","output":{"no":1})");
  EXPECT_EQ(invalid.status, 422);
  EXPECT_EQ(status(run_id), "waiting");
  ASSERT_EQ(decide(approval, "approve", R"(,"by":"ada","output":{"text":"y"})").status, 200);
  EXPECT_EQ(boost::json::serialize(run(run_id).at("output")), R"({"text":"y"})");
}

TEST_F(ApprovalsTest, lists_are_filtered_by_run_and_paged) {
  put_project(kApprovals);
  const std::string first = start("open", R"({"items":[1,2,3]})");
  const std::string second = start("open", R"({"items":[4]})");
  EXPECT_EQ(get("/v1/approvals").json().at("items").as_array().size(), 4u);
  EXPECT_EQ(get("/v1/approvals?run=" + second).json().at("items").as_array().size(), 1u);
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = get("/v1/approvals?run=" + first + "&limit=2&cursor=" + cursor).json();
    for (const auto& item : page.at("items").as_array())
      seen.push_back(boost::json::serialize(item.at("show")));
    cursor = page.at("next_cursor").is_null() ? "" : text(page, "next_cursor");
  } while (!cursor.empty());
  std::ranges::sort(seen);
  EXPECT_THAT(seen, ::testing::ElementsAre("1", "2", "3"));
  EXPECT_EQ(get("/v1/approvals?run=x").status, 400);
  EXPECT_EQ(get("/v1/approvals?cursor=gone").status, 400);
  EXPECT_EQ(get("/v1/approvals?limit=0").status, 400);
}

}  // namespace
}  // namespace ganglion::ingress
