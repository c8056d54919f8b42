// The hot path in one thread, without network and disk: requests go to the engine's own handlers, commits to
// a store in memory, time stands still. So an instruction counter sees the engine and nothing else, and sees
// the same every time. bench/instructions runs it under callgrind and says what a step costs:
//
//   ganglion_hot_path [--runs 1000] [--steps 3] [--turns 0] [--open 0] [--at-once 64]
//
// Runs so many runs of a pipeline of so many steps (at most 1,000) with payloads of 200 bytes, --at-once of
// them at a time; a worker answers all tasks of an exchange in the next one. With --turns a run is one step
// that is repeated so often (at most 10,000). Beside them --open runs wait for a worker that never comes.
// Only what happens after those have been started is counted.

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/store.h"
#include "base/assert.h"
#include "base/json_text.h"
#include "engine/engine.h"
#include "ingress/http/exchange.h"
#include "ingress/http/router.h"
#include "ingress/http/target.h"
#include "ports/random.h"
#include "ports/testing/virtual_clock.h"
#include "project/project.h"

namespace ganglion {
namespace {

struct Load {
  std::size_t runs = 1'000;
  std::size_t steps = 3;
  std::size_t turns = 0;  // instead of steps, if it isn't 0
  std::size_t open = 0;
  std::size_t at_once = 64;

  std::size_t tasks() const { return runs * (turns == 0 ? steps : turns); }
};

std::string project_of(const Load& load) {
  std::string text = R"(ganglion: 1
defaults: {timeout: 60s}
agents:
  busy: {kind: worker}
  idle: {kind: worker}
workflows:
  waiting: {steps: {step: {agent: idle, input: "${{ input }}"}}}
  counted:
    steps:
)";
  if (load.turns != 0) {
    text += R"(      step:
        agent: busy
        input: "${{ steps.step.output == null ? 1 : steps.step.output + 1 }}"
        until: "${{ steps.step.output >= )" +
            std::to_string(load.turns) + R"( }}"
        max_iterations: 10000
)";
    return text;
  }
  std::string input = "input";
  for (std::size_t i = 0; i < load.steps; ++i) {
    const std::string name = "step" + std::to_string(i);
    text += "      " + name + ": {agent: busy, input: \"${{ " + input + " }}\"}\n";
    input = "steps." + name + ".output";
  }
  return text;
}

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return ++last_ * 0x9E3779B97F4A7C15u; }

 private:
  std::uint64_t last_ = 0;
};

// The answer, kept.
class Kept final : public http::Exchange {
 public:
  void respond(http::Response response, http::LossHook) override {
    answered = true;
    answer = std::move(response);
  }
  void start_stream(http::Response) override {}
  void on_interrupt(http::InterruptHook) override {}
  bool open() const override { return !answered; }
  void stream_write(std::string_view) override {}
  bool stream_ready() const override { return true; }
  void stream_on_ready(std::move_only_function<void()>) override {}
  void stream_end() override {}

  bool answered = false;
  http::Response answer;
};

class HotPath {
 public:
  explicit HotPath(const Load& load)
      : load_(load),
        engine_({.store = store_,
                 .clock = clock_,
                 .random = random_,
                 .not_before = [](Timestamp) {},
                 .compile = [](const std::string&) -> Result<std::shared_ptr<const Project>> {
                   return fail("unknown", "");
                 }},
                {.coordinator = {.max_open_runs = 200'000, .max_share = 1}}) {
    engine_.start(project::parse(project_of(load), "hot_path").value(),
                  [](Result<std::size_t> started) { GANGLION_ASSERT(started); });
    clock_.run();
    for (std::size_t i = 0; i < load.open; ++i) start("waiting");
  }

  void run() {
    std::size_t started = 0;
    std::size_t done = 0;
    const std::size_t tasks_a_run = load_.tasks() / load_.runs;
    std::string results = "[]";
    while (done < load_.tasks()) {
      for (std::size_t open = started - done / tasks_a_run; open < load_.at_once && started < load_.runs;
           ++open) {
        start("counted");
        ++started;
      }
      const std::string body =
          R"({"agents":["busy"],"worker":"w","max":256,"wait":"0s","results":)" + results + "}";
      results = "[";
      JsonMembers answer(post("/v1/tasks/exchange", body));
      while (const auto member = answer.next()) {
        if (member->name == "tasks") done += answer_all(member->value, results);
      }
      results += "]";
    }
  }

 private:
  void start(const std::string& workflow) {
    post("/v1/runs", R"({"workflow":")" + workflow + R"(","input":")" + payload_ + "\"}");
  }

  // A result for each of the tasks: its input.
  static std::size_t answer_all(std::string_view tasks, std::string& results) {
    std::size_t count = 0;
    constexpr std::string_view kToken = "\"token\":\"";
    constexpr std::string_view kInput = "\"input\":";
    for (std::size_t at = tasks.find(kToken); at != std::string_view::npos; at = tasks.find(kToken, at)) {
      at += kToken.size();
      const std::string_view token = tasks.substr(at, tasks.find('"', at) - at);
      at = tasks.find(kInput, at) + kInput.size();
      const std::string_view input = tasks.substr(at, tasks.find(",\"idempotency_key\"", at) - at);
      if (results.size() > 1) results += ',';
      results.append("{\"token\":\"").append(token).append("\",\"output\":").append(input).append("}");
      ++count;
    }
    return count;
  }

  const std::string& post(const std::string& target, std::string body) {
    http::Request request;
    request.method = http::Method::post;
    request.head = "POST ";
    request.target_at = 5;
    request.target_size = static_cast<std::uint32_t>(target.size());
    request.head += target + " HTTP/1.1\r\n";
    const auto type_at = static_cast<std::uint32_t>(request.head.size());
    request.head += "Content-Type: application/json\r\n\r\n";
    request.fields.push_back({type_at, 12, type_at + 14, 16});
    request.body = std::move(body);
    const auto found = engine_.router().find(request.method, http::parse_target(target).value());
    kept_ = std::make_shared<Kept>();
    std::get<http::Router::Match>(found).route->handler(std::move(request), http::Responder(kept_));
    clock_.run();
    GANGLION_ASSERT(kept_->answered && kept_->answer.status < 300);
    return kept_->answer.body;
  }

  const Load load_;
  testing::VirtualClock clock_;
  memory::Store store_{clock_};
  CountingRandom random_;
  Engine engine_;
  std::shared_ptr<Kept> kept_;
  const std::string payload_ = std::string(198, 'x');
};

bool read(int argc, char** argv, Load& load) {
  const std::map<std::string_view, std::size_t*> options = {{"--runs", &load.runs},
                                                            {"--steps", &load.steps},
                                                            {"--turns", &load.turns},
                                                            {"--open", &load.open},
                                                            {"--at-once", &load.at_once}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end()) return false;
    *option->second = std::strtoull(argv[i + 1], nullptr, 10);
  }
  return argc % 2 == 1 && load.runs > 0 && load.steps > 0 && load.at_once > 0;
}

}  // namespace
}  // namespace ganglion

int main(int argc, char** argv) {
  ganglion::Load load;
  if (!ganglion::read(argc, argv, load)) {
    std::fprintf(stderr,
                 "usage: ganglion_hot_path [--runs N] [--steps N] [--turns N] [--open N] [--at-once N]\n");
    return 2;
  }
  ganglion::HotPath path(load);
  CALLGRIND_START_INSTRUMENTATION;
  path.run();
  CALLGRIND_STOP_INSTRUMENTATION;
  std::printf("%zu steps\n", load.tasks());
  return 0;
}
