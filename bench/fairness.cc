// What a quiet tenant notices of a loud one, on a running server over its real API. The loud one keeps
// thousands of runs open; the quiet one starts a run, waits for its end, and then starts the next (a closed
// loop); both use the same three agents, whose workers do a few tasks at once and take a little time for
// each. bench/run starts the server and reads what this prints.
//
//   ganglion_fairness_bench --port PORT --flood 0      the quiet tenant alone
//   ganglion_fairness_bench --port PORT                beside the flood, each with its own label `tenant`
//   ganglion_fairness_bench --port PORT --one-label 1  both with the same label: plain order of arrival
//
//   [--flood 5000] open runs  [--slots 8] tasks at once  [--work-ms 2] each  [--seconds 8] [--runs 3] at
//   least
//
// One line of JSON on stdout. Ends with 1 if any run or result was not accepted.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/http_connection.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kFlooders = 16;                               // connections
constexpr auto kFloodPause = std::chrono::milliseconds(5);  // of a flooder when enough runs are open
constexpr auto kFill = std::chrono::seconds(60);            // until the flood has its size
constexpr auto kLongest = std::chrono::seconds(120);        // of the measurement, however few runs it has

struct FairnessOptions {
  int port = 0;
  int flood = 5'000;
  int slots = 8;
  int work_ms = 2;
  int seconds = 8;
  int runs = 3;
  int one_label = 0;
};

std::string start_request(std::string_view tenant, std::string_view target) {
  return post_request(
      target, R"({"workflow":"pipeline","input":"x","labels":{"tenant":")" + std::string(tenant) + R"("}})");
}

// The string member `name` (with its quotes and colon); ids and names need no unescaping.
std::string string_member(std::string_view text, std::string_view name) {
  const std::size_t found = text.find(name);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + name.size();
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

// Sorts; `of` 1 is the largest.
double quantile(std::vector<double>& values, double of) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(of * static_cast<double>(values.size() - 1))];
}

class Fairness {
 public:
  Fairness(asio::io_context& context, const FairnessOptions& options)
      : context_(context), options_(options) {}

  void run();

 private:
  Awaitable<void> worker(int number);
  Awaitable<void> flooder();
  Awaitable<void> quiet();
  Awaitable<void> give_up();
  Awaitable<void> pause(Steady::duration time);
  void spawn(Awaitable<void> part);
  std::uint16_t port() const { return static_cast<std::uint16_t>(options_.port); }
  int open() const { return started_ - (ended_ - quiet_ended_); }

  asio::io_context& context_;
  FairnessOptions options_;
  int started_ = 0;      // runs of the flood
  int ended_ = 0;        // runs of both, by their last step
  int quiet_ended_ = 0;  // of those the quiet tenant's
  int tasks_ = 0;
  double tasks_per_s_ = 0;
  std::vector<double> quiet_ms_;
};

void Fairness::spawn(Awaitable<void> part) {
  asio::co_spawn(context_.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

Awaitable<void> Fairness::pause(Steady::duration time) {
  LoopTimer timer(context_);
  timer.expires_after(time);
  co_await timer.async_wait(use_awaitable);
}

// One slot: a task, the time for it, its result together with the request for the next.
Awaitable<void> Fairness::worker(int number) {
  HttpConnection connection(context_, port());
  co_await connection.connect();
  const std::string ask = R"(],"agents":["first","second","third"],"worker":"bench-)" +
                          std::to_string(number) + R"(","max":1,"wait":"30s"})";
  std::string result;
  while (true) {
    const std::string request = post_request("/v1/tasks/exchange", R"({"results":[)" + result + ask);
    const Answer answer = co_await connection.exchange(request);
    const bool judged = result.empty() || answer.body.contains(R"("accepted")");
    if (answer.status != 200 || !judged) {
      throw std::runtime_error("a result was answered " + std::to_string(answer.status) + ": " +
                               std::string(answer.body.substr(0, 500)));
    }
    result.clear();
    const std::string token = string_member(answer.body, R"("token":")");
    if (token.empty()) continue;
    const bool last = string_member(answer.body, R"("step":")") == "last";
    co_await pause(std::chrono::milliseconds(options_.work_ms));
    ++tasks_;
    if (last) ++ended_;
    result = R"({"token":")" + token + R"(","output":"x"})";
  }
}

Awaitable<void> Fairness::flooder() {
  HttpConnection connection(context_, port());
  co_await connection.connect();
  const std::string request = start_request("flood", "/v1/runs");
  while (true) {
    if (open() >= options_.flood) {
      co_await pause(kFloodPause);
      continue;
    }
    ++started_;
    const Answer answer = co_await connection.exchange(request);
    if (answer.status != 201) throw std::runtime_error("a run was answered " + std::to_string(answer.status));
  }
}

Awaitable<void> Fairness::quiet() {
  const auto filled_by = Steady::now() + kFill;
  while (open() < options_.flood) {
    if (Steady::now() > filled_by) throw std::runtime_error("the flood does not reach its size");
    co_await pause(kFloodPause);
  }
  HttpConnection connection(context_, port());
  co_await connection.connect();
  const std::string request = start_request(options_.one_label != 0 ? "flood" : "quiet", "/v1/runs?wait=30s");
  const auto began = Steady::now();
  const int tasks_before = tasks_;
  const auto until = began + std::chrono::seconds(options_.seconds);
  while (Steady::now() < until || static_cast<int>(quiet_ms_.size()) < options_.runs) {
    const auto started = Steady::now();
    const Answer answer = co_await connection.exchange(request);
    if (answer.status != 201 || !answer.body.contains(R"("status":"completed")")) {
      throw std::runtime_error("a run was answered " + std::to_string(answer.status) + ": " +
                               std::string(answer.body.substr(0, 500)));
    }
    ++quiet_ended_;
    quiet_ms_.push_back(std::chrono::duration<double, std::milli>(Steady::now() - started).count());
  }
  tasks_per_s_ = (tasks_ - tasks_before) / std::chrono::duration<double>(Steady::now() - began).count();
  context_.stop();
}

Awaitable<void> Fairness::give_up() {
  co_await pause(kFill + kLongest);
  throw std::runtime_error("the quiet tenant's runs do not end");
}

void Fairness::run() {
  for (int i = 0; i < options_.slots; ++i) spawn(worker(i));
  for (int i = 0; options_.flood > 0 && i < kFlooders; ++i) spawn(flooder());
  spawn(quiet());
  spawn(give_up());
  context_.run();
  std::printf(R"({"flood":%d,"one_label":%s,"slots":%d,"work_ms":%d,"quiet_runs":%zu,"tasks_per_s":%.0f)",
              options_.flood, options_.one_label != 0 ? "true" : "false", options_.slots, options_.work_ms,
              quiet_ms_.size(), tasks_per_s_);
  std::printf(R"(,"quiet_ms":{"p50":%.2f,"p99":%.2f,"max":%.2f}})"
              "\n",
              quantile(quiet_ms_, 0.5), quantile(quiet_ms_, 0.99), quantile(quiet_ms_, 1));
}

FairnessOptions parse(int argc, char** argv) {
  FairnessOptions options;
  const std::map<std::string_view, int*> flags = {
      {"--port", &options.port},           {"--flood", &options.flood},     {"--slots", &options.slots},
      {"--work-ms", &options.work_ms},     {"--seconds", &options.seconds}, {"--runs", &options.runs},
      {"--one-label", &options.one_label},
  };
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) throw std::runtime_error(std::string("unknown option ") + argv[i]);
    *flag->second = std::atoi(argv[i + 1]);
  }
  const bool sensible = options.port > 0 && options.port < 65'536 && options.flood >= 0 &&
                        options.flood <= 9'000 && options.slots > 0 && options.slots <= 100 &&
                        options.work_ms >= 0 && options.work_ms <= 1'000 && options.seconds > 0 &&
                        options.seconds <= 60 && options.runs > 0;
  if (argc % 2 == 0 || !sensible) throw std::runtime_error("--port is needed; see the head of fairness.cc");
  return options;
}

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  try {
    const auto options = ganglion::bench::parse(argc, argv);
    ganglion::asio::io_context context(1);
    ganglion::bench::Fairness(context, options).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ganglion_fairness_bench: %s\n", error.what());
    return 1;
  }
}
