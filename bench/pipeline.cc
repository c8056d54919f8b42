// Load on a running server over its real API: clients that each start a run of a three-step pipeline and wait
// for its end, and then the next one (a closed loop), and workers that answer at once, so that nothing is
// measured but coordination. bench/run starts the server and reads what this prints.
//
//   ganglion_pipeline_bench --port PORT --pid SERVER [--clients 64] [--workers 4] [--seconds 8] [--warm-up 2]
//                           [--max 256] [--payload 200]    tasks an exchange, bytes of each input and output
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
#include <unordered_map>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/http_connection.h"
#include "bench/load/process_figures.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kStepsPerRun = 3;
constexpr auto kDrain = std::chrono::seconds(30);  // for what is under way at the end

struct LoadOptions {
  std::uint16_t port = 0;
  pid_t server = 0;
  int clients = 64;
  int workers = 4;
  int seconds = 8;
  int warm_up = 2;
  int max = 256;      // tasks an exchange
  int payload = 200;  // bytes
};

// Durations in microseconds, each kept: a run of the benchmark has some hundred thousand.
class Samples {
 public:
  void add(Steady::duration duration) {
    values_.push_back(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()));
  }
  std::size_t size() const { return values_.size(); }

  // Sorts; `of` 1 is the largest.
  double quantile_ms(double of) {
    if (values_.empty()) return 0;
    std::ranges::sort(values_);
    return values_[static_cast<std::size_t>(of * static_cast<double>(values_.size() - 1))] / 1000.0;
  }

 private:
  std::vector<std::uint32_t> values_;
};

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

// The string member `name` (with its quotes and colon) at or after `at`, which moves behind it. Ids need no
// unescaping, and the payload is this program's own, so that no member name occurs in it.
std::string_view next_string(std::string_view text, std::string_view name, std::size_t& at) {
  const std::size_t found = text.find(name, at);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + name.size();
  const std::size_t end = text.find('"', begin);
  if (end == std::string_view::npos) throw std::runtime_error("an answer is cut off");
  at = end;
  return text.substr(begin, end - begin);
}

class Load {
 public:
  Load(asio::io_context& context, const LoadOptions& options)
      : context_(context),
        options_(options),
        payload_('"' + std::string(static_cast<std::size_t>(options.payload - 2), 'x') + '"') {}

  void run();

 private:
  Awaitable<void> client();
  Awaitable<void> worker(int number);
  Awaitable<void> stages();
  // Takes the tasks of an answer; the results for them.
  std::string answer_tasks(std::string_view body);
  void spawn(Awaitable<void> part);
  void print();

  asio::io_context& context_;
  LoadOptions options_;
  const std::string payload_;
  bool measuring_ = false;
  bool stopping_ = false;
  int clients_left_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t exchanges_ = 0;
  Samples runs_;
  Samples turnarounds_;  // from a step's result being sent until the next step's task is there
  std::unordered_map<std::string, Steady::time_point> result_sent_;  // by run
  Steady::duration measured_{};
  double own_cpu_ = 0;  // within what is measured
  ProcessFigures before_;
  ProcessFigures after_;
};

void Load::spawn(Awaitable<void> part) {
  asio::co_spawn(context_.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

Awaitable<void> Load::client() {
  ++clients_left_;
  HttpConnection connection(context_, options_.port);
  co_await connection.connect();
  const std::string request =
      post_request("/v1/runs?wait=30s", R"({"workflow":"pipeline","input":)" + payload_ + "}");
  while (!stopping_) {
    const auto began = Steady::now();
    const Answer answer = co_await connection.exchange(request);
    if (answer.status != 201 || !answer.body.contains(R"("status":"completed")")) {
      throw std::runtime_error("a run was answered " + std::to_string(answer.status) + ": " +
                               std::string(answer.body));
    }
    if (measuring_) runs_.add(Steady::now() - began);
  }
  if (--clients_left_ == 0) context_.stop();
}

std::string Load::answer_tasks(std::string_view body) {
  std::string results;
  const auto now = Steady::now();
  std::size_t at = 0;
  for (auto token = next_string(body, R"("token":")", at); !token.empty();
       token = next_string(body, R"("token":")", at)) {
    const std::string run(next_string(body, R"("run_id":")", at));
    const std::string_view step = next_string(body, R"("step":")", at);
    const auto sent = result_sent_.find(run);
    if (sent != result_sent_.end() && measuring_) turnarounds_.add(now - sent->second);
    if (step == "last") {
      if (sent != result_sent_.end()) result_sent_.erase(sent);
    } else {
      result_sent_[run] = now;
    }
    if (!results.empty()) results += ',';
    results.append(R"({"token":")").append(token).append(R"(","output":)").append(payload_).append("}");
    if (measuring_) ++steps_;
  }
  return results;
}

Awaitable<void> Load::worker(int number) {
  HttpConnection connection(context_, options_.port);
  co_await connection.connect();
  const std::string ask = R"(],"agents":["first","second","third"],"worker":"bench-)" +
                          std::to_string(number) + R"(","max":)" + std::to_string(options_.max) +
                          R"(,"wait":"30s"})";
  std::string results;
  while (true) {
    const std::size_t given = count(results, R"("token":)");
    const std::string request = post_request("/v1/tasks/exchange", R"({"results":[)" + results + ask);
    const Answer answer = co_await connection.exchange(request);
    if (answer.status != 200 || count(answer.body, R"("accepted")") != given) {
      throw std::runtime_error("results were answered " + std::to_string(answer.status) + ": " +
                               std::string(answer.body.substr(0, 500)));
    }
    if (measuring_) ++exchanges_;
    results = answer_tasks(answer.body);
  }
}

Awaitable<void> Load::stages() {
  LoopTimer timer(context_);
  timer.expires_after(std::chrono::seconds(options_.warm_up));
  co_await timer.async_wait(use_awaitable);
  before_ = process_figures(options_.server);
  own_cpu_ = -own_cpu_seconds();
  const auto began = Steady::now();
  measuring_ = true;
  timer.expires_after(std::chrono::seconds(options_.seconds));
  co_await timer.async_wait(use_awaitable);
  measuring_ = false;
  stopping_ = true;
  measured_ = Steady::now() - began;
  own_cpu_ += own_cpu_seconds();
  after_ = process_figures(options_.server);
  timer.expires_after(kDrain);
  co_await timer.async_wait(use_awaitable);
  throw std::runtime_error("runs did not end");
}

void Load::run() {
  for (int i = 0; i < options_.workers; ++i) spawn(worker(i));
  for (int i = 0; i < options_.clients; ++i) spawn(client());
  spawn(stages());
  context_.run();
  print();
}

void Load::print() {
  const double seconds = std::chrono::duration<double>(measured_).count();
  const auto steps = static_cast<double>(std::max<std::uint64_t>(steps_, 1));
  const auto run_count = static_cast<double>(runs_.size());
  const auto per_step = [&](std::uint64_t before, std::uint64_t after) {
    return static_cast<double>(after - before) / steps;
  };
  std::printf(
      R"({"clients":%d,"workers":%d,"seconds":%.2f,"runs":%zu,"steps":%llu,"runs_per_s":%.0f,"steps_per_s":%.0f)",
      options_.clients, options_.workers, seconds, runs_.size(), static_cast<unsigned long long>(steps_),
      run_count / seconds, static_cast<double>(steps_) / seconds);
  std::printf(R"(,"run_ms":{"p50":%.3f,"p90":%.3f,"p99":%.3f,"max":%.3f})", runs_.quantile_ms(0.5),
              runs_.quantile_ms(0.9), runs_.quantile_ms(0.99), runs_.quantile_ms(1));
  std::printf(R"(,"per_step_ms":{"p50":%.3f,"p99":%.3f})", runs_.quantile_ms(0.5) / kStepsPerRun,
              runs_.quantile_ms(0.99) / kStepsPerRun);
  std::printf(R"(,"turnaround_ms":{"p50":%.3f,"p99":%.3f,"max":%.3f})", turnarounds_.quantile_ms(0.5),
              turnarounds_.quantile_ms(0.99), turnarounds_.quantile_ms(1));
  std::printf(R"(,"tasks_per_exchange":%.1f)",
              steps / static_cast<double>(std::max<std::uint64_t>(exchanges_, 1)));
  std::printf(R"(,"load_cores":%.2f)", own_cpu_ / seconds);
  const double cpu = after_.cpu_seconds - before_.cpu_seconds;
  std::printf(R"(,"server":{"cpu_s_per_1000_steps":%.4f,"cores":%.2f,"resident_mib":%.1f,"peak_mib":%.1f)",
              cpu * 1000 / steps, cpu / seconds, static_cast<double>(after_.resident_bytes) / (1 << 20),
              static_cast<double>(after_.peak_bytes) / (1 << 20));
  std::printf(R"(,"disk_bytes_per_step":%.0f,"written_bytes_per_step":%.0f,"write_calls_per_step":%.2f)",
              per_step(before_.disk_bytes, after_.disk_bytes),
              per_step(before_.written_bytes, after_.written_bytes),
              per_step(before_.write_calls, after_.write_calls));
  const double loop = after_.loop_cpu_seconds - before_.loop_cpu_seconds;
  std::printf(R"(,"loop_us_per_step":%.2f,"store_us_per_step":%.2f,"loop_cores":%.2f)", loop * 1e6 / steps,
              (after_.store_cpu_seconds - before_.store_cpu_seconds) * 1e6 / steps, loop / seconds);
  std::printf(R"(,"waits_per_step":%.2f}})"
              "\n",
              per_step(before_.voluntary_switches, after_.voluntary_switches));
}

LoadOptions parse(int argc, char** argv) {
  LoadOptions options;
  int port = 0;
  const std::map<std::string_view, int*> flags = {{"--port", &port},
                                                  {"--pid", &options.server},
                                                  {"--clients", &options.clients},
                                                  {"--workers", &options.workers},
                                                  {"--seconds", &options.seconds},
                                                  {"--warm-up", &options.warm_up},
                                                  {"--max", &options.max},
                                                  {"--payload", &options.payload}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) throw std::runtime_error(std::string("unknown option ") + argv[i]);
    *flag->second = std::atoi(argv[i + 1]);
  }
  const bool sensible = port > 0 && port < 65'536 && options.server > 0 && options.clients > 0 &&
                        options.clients <= 5'000 && options.workers > 0 && options.workers <= 100 &&
                        options.seconds > 0 && options.seconds <= 600 && options.warm_up >= 0 &&
                        options.warm_up <= 60 && options.max > 0 && options.max <= 256 &&
                        options.payload >= 2 && options.payload <= 1'000'000;
  if (argc % 2 == 0 || !sensible)
    throw std::runtime_error("--port and --pid are needed; see the head of pipeline.cc");
  options.port = static_cast<std::uint16_t>(port);
  return options;
}

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  try {
    const auto options = ganglion::bench::parse(argc, argv);
    ganglion::asio::io_context context(1);
    ganglion::bench::Load(context, options).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ganglion_pipeline_bench: %s\n", error.what());
    return 1;
  }
}
