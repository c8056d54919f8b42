// The hot path in one thread, without network and disk: requests go to the engine's own handlers, commits to
// a store in memory, time stands still. So an instruction counter sees the engine and nothing else, and sees
// the same every time:
//
//   valgrind --tool=callgrind ganglion_hot_path 1000
//
// Runs so many runs of a pipeline of three steps with payloads of 200 bytes, 64 at a time; a worker answers
// all tasks of an exchange in the next one.

#include <cstdio>
#include <cstdlib>
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

constexpr std::size_t kRunsAtOnce = 64;

constexpr const char* kProject = R"(ganglion: 1
defaults: {timeout: 60s}
agents:
  first: {kind: worker}
  second: {kind: worker}
  third: {kind: worker}
workflows:
  pipeline:
    steps:
      first: {agent: first, input: "${{ input }}"}
      second: {agent: second, input: "${{ steps.first.output }}"}
      last: {agent: third, input: "${{ steps.second.output }}"}
    output: "${{ steps.last.output }}"
)";

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
  HotPath()
      : engine_({.store = store_,
                 .clock = clock_,
                 .random = random_,
                 .not_before = [](Timestamp) {},
                 .compile = [](const std::string&) -> Result<std::shared_ptr<const Project>> {
                   return fail("unknown", "");
                 }}) {
    engine_.start(project::parse(kProject, "hot_path").value(),
                  [](Result<std::size_t> started) { GANGLION_ASSERT(started); });
    clock_.run();
  }

  // Gives the number of steps that were done.
  std::size_t run(std::size_t runs) {
    std::size_t started = 0;
    std::size_t steps = 0;
    std::string results = "[]";
    while (steps < 3 * runs) {
      for (std::size_t open = started - steps / 3; open < kRunsAtOnce && started < runs; ++open, ++started)
        start();
      const std::string body =
          R"({"agents":["first","second","third"],"worker":"w","max":256,"wait":"0s","results":)" + results +
          "}";
      results = "[";
      JsonMembers answer(post("/v1/tasks/exchange", body));
      while (const auto member = answer.next()) {
        if (member->name == "tasks") steps += answer_all(member->value, results);
      }
      results += "]";
    }
    return steps;
  }

 private:
  void start() {
    GANGLION_ASSERT(post("/v1/runs", R"({"workflow":"pipeline","input":")" + payload_ + "\"}").size() > 2);
  }

  // A result for each of the tasks.
  std::size_t answer_all(std::string_view tasks, std::string& results) const {
    std::size_t count = 0;
    constexpr std::string_view kToken = "\"token\":\"";
    for (std::size_t at = tasks.find(kToken); at != std::string_view::npos; at = tasks.find(kToken, at + 1)) {
      const std::size_t begin = at + kToken.size();
      if (results.size() > 1) results += ',';
      results.append("{\"token\":\"").append(tasks.substr(begin, tasks.find('"', begin) - begin));
      results.append("\",\"output\":\"").append(payload_).append("\"}");
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

  testing::VirtualClock clock_;
  memory::Store store_{clock_};
  CountingRandom random_;
  Engine engine_;
  std::shared_ptr<Kept> kept_;
  const std::string payload_ = std::string(198, 'x');
};

}  // namespace
}  // namespace ganglion

int main(int argc, char** argv) {
  const std::size_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000;
  std::printf("%zu steps\n", ganglion::HotPath().run(runs));
  return 0;
}
