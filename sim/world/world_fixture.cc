#include "sim/world/world_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "adapters/memory/store.h"
#include "project/project.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kProject = R"(ganglion: 1
agents:
  worker: {kind: worker, timeout: 5s, retry: {max_attempts: 5, initial: 100ms}}
workflows:
  relay:
    steps:
      first: {agent: worker, input: {n: 1}}
      second: {agent: worker, needs: [first], input: {got: "${{ steps.first.output }}"}}
    output: "${{ steps.second.output }}"
)";

constexpr SimTime kPause{50'000};        // before a program tries again
constexpr SimTime kPatience{3'000'000};  // with an answer

Result<std::shared_ptr<const Project>> compile(const std::string& source) {
  auto parsed = project::parse(source, "small.yaml");
  if (!parsed) return fail("invalid_project", parsed.error().front().text());
  return *std::move(parsed);
}

HttpCall post(std::string target, std::string body) {
  return {.method = "POST",
          .target = std::move(target),
          .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", "the-run"}},
          .body = std::move(body)};
}

std::string text(const json::value& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

}  // namespace

SmallStory::SmallStory(WorldOptions options) {
  options.make_store = [](Clock& clock) { return std::make_unique<memory::Store>(clock); };
  options.compile = compile;
  options.project = compile(std::string(kProject)).value();
  options.store.keeps_history = true;
  world_ = std::make_unique<World>(std::move(options));
  world_->store().on_commit([this](const Commit& commit, const CommitOutcome& outcome) {
    ++commits_;
    if (std::holds_alternative<VersionConflict>(outcome)) ++conflicts_;
    std::string line = commit.run.text() + " " + std::to_string(outcome.index());
    for (const JournalEntry& entry : commit.events) {
      line +=
          " " + std::to_string(entry.seq) + entry.type + std::to_string(entry.at.milliseconds_since_epoch());
    }
    world_->trace().add("store", "commit", line);
  });
}

SmallStory::~SmallStory() = default;

void SmallStory::begin() {
  world_->begin();
  start_run();
  poll();
}

bool SmallStory::tell(SimTime most) {
  const SimTime end = world_->timeline().now() + most;
  while (!ended() && world_->timeline().step(end)) {
  }
  return ended();
}

std::vector<std::string> SmallStory::journal() {
  const auto entries = world_->store().ask<Result<std::vector<JournalEntry>>>([&](Store& store, auto answer) {
    store.read_journal(*RunId::parse(run_), 0, 1'000, std::move(answer));
  });
  std::vector<std::string> types;
  for (const JournalEntry& entry : entries.value_or(std::vector<JournalEntry>())) {
    EXPECT_EQ(entry.seq, types.size() + 1);
    types.push_back(entry.type);
  }
  return types;
}

void SmallStory::check() {
  EXPECT_EQ(status_, "completed");
  const std::vector<std::string> types = journal();
  EXPECT_EQ(std::ranges::count(types, "task_succeeded"), 2);
  EXPECT_EQ(std::ranges::count(types, "run_completed"), 1);
  const auto runs = world_->store().ask<Result<std::vector<RunRecord>>>(
      [](Store& store, auto answer) { store.list_runs({}, std::move(answer)); });
  EXPECT_EQ(runs->size(), 1u) << "one idempotency key, one run";
  EXPECT_TRUE(world_->violations().empty());
}

// --- the programs
// ------------------------------------------------------------------------------------------------------

HostId SmallStory::next_host(std::uint32_t& turn) const {
  return world_->hosts()[turn % world_->hosts().size()]->id();
}

void SmallStory::send(const std::string& from, HttpCall call, std::function<void(const HttpAnswer&)> answered,
                      std::function<void()> failed) {
  std::uint32_t& turn = from == "client" ? client_turn_ : worker_turn_;
  world_->network().send(from, next_host(turn), std::move(call), kPatience,
                         [this, &turn, from, answered = std::move(answered),
                          failed = std::move(failed)](const Result<HttpAnswer>& answer) {
                           const std::string what =
                               answer ? std::to_string(answer->status) : answer.error().code;
                           world_->trace().add(from, what, answer ? answer->body : "");
                           if (answer && answer->status < 300) return answered(*answer);
                           ++turn;
                           world_->timeline().after(kPause, failed);
                         });
}

void SmallStory::start_run() {
  const auto started = [this](const HttpAnswer& answer) {
    run_ = text(json::parse(answer.body), "id");
    look();
  };
  send("client", post("/v1/runs", R"({"workflow":"relay"})"), started, [this] { start_run(); });
}

void SmallStory::look() {
  const auto shown = [this](const HttpAnswer& answer) {
    status_ = text(json::parse(answer.body), "status");
    if (!ended()) world_->timeline().after(kPause, [this] { look(); });
  };
  send("client", {.method = "GET", .target = "/v1/runs/" + run_}, shown, [this] { look(); });
}

void SmallStory::poll() {
  const auto handed = [this](const HttpAnswer& answer) {
    const json::value body = json::parse(answer.body);
    const json::array& tasks = body.at("tasks").as_array();
    if (tasks.empty()) {
      ++worker_turn_;  // perhaps another engine has work
      return poll();
    }
    complete(text(tasks.at(0), "token"));
  };
  send("worker", post("/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"1s"})"), handed,
       [this] { poll(); });
}

void SmallStory::complete(const std::string& token) {
  const std::string result =
      R"({"worker":"w","results":[{"token":")" + token + R"(","output":{"done":true}}]})";
  send(
      "worker", post("/v1/tasks/complete", result), [this](const HttpAnswer&) { poll(); },
      [this, token] { complete(token); });
}

}  // namespace ganglion::sim
