// What waiting costs a running server: idle long polls, and open runs that nobody works on. bench/run starts
// the server.
//
//   ganglion_idle_bench polls --port PORT --pid SERVER [--count 10000] [--seconds 10]
//   ganglion_idle_bench runs  --port PORT --pid SERVER [--count 10000]
//
// One line of JSON on stdout. Ends with 1 if the server did not take them all.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/http_connection.h"
#include "bench/load/process_figures.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kSpareDescriptors = 100;
constexpr int kStarters = 32;  // connections that start runs
constexpr auto kQuiet = std::chrono::milliseconds(500);
constexpr int kQuietTries = 120;

struct IdleOptions {
  std::uint16_t port = 0;
  pid_t server = 0;
  int count = 10'000;
  int seconds = 10;
};

double seconds_since(Steady::time_point began) {
  return std::chrono::duration<double>(Steady::now() - began).count();
}

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void allow_descriptors(int count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto wanted = static_cast<rlim_t>(count + kSpareDescriptors);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  if (limit.rlim_max < wanted) limit.rlim_max = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error("too few file descriptors are allowed (ulimit -n)");
}

void spawn(asio::io_context& context, Awaitable<void> part) {
  asio::co_spawn(context.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

// Until the server has done what it was sent: it uses no processor time any more.
void await_quiet(pid_t server) {
  double before = process_figures(server).cpu_seconds;
  for (int i = 0; i < kQuietTries; ++i) {
    std::this_thread::sleep_for(kQuiet);
    const double now = process_figures(server).cpu_seconds;
    if (now - before < 0.005) return;
    before = now;
  }
  throw std::runtime_error("the server does not come to rest");
}

Awaitable<void> open_polls(asio::io_context& context, const IdleOptions& options,
                           std::vector<std::unique_ptr<HttpConnection>>& connections) {
  for (int i = 0; i < options.count; ++i) {
    connections.push_back(std::make_unique<HttpConnection>(context, options.port));
    co_await connections.back()->connect();
    const std::string body =
        R"({"agents":["first"],"worker":"idle-)" + std::to_string(i) + R"(","max":1,"wait":"60s"})";
    const std::string request = post_request("/v1/tasks/poll", body);
    co_await connections.back()->send(request);
  }
}

void measure_polls(const IdleOptions& options) {
  allow_descriptors(options.count);
  asio::io_context context(1);
  std::vector<std::unique_ptr<HttpConnection>> connections;
  const ProcessFigures before = process_figures(options.server);
  const auto began = Steady::now();
  spawn(context, open_polls(context, options, connections));
  context.run();
  await_quiet(options.server);
  const double opening = seconds_since(began);
  const ProcessFigures idle = process_figures(options.server);
  std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
  const ProcessFigures after = process_figures(options.server);
  for (const auto& connection : connections) {
    if (connection->closed()) throw std::runtime_error("the server has closed a waiting connection");
  }
  std::printf(
      R"({"polls":%d,"opened_in_s":%.1f,"resident_before_mib":%.1f,"resident_mib":%.1f,"bytes_per_poll":%.0f,"cpu_ms_per_s":%.2f})"
      "\n",
      options.count, opening, mebibytes(before.resident_bytes), mebibytes(after.resident_bytes),
      static_cast<double>(after.resident_bytes - before.resident_bytes) / options.count,
      (after.cpu_seconds - idle.cpu_seconds) * 1000 / options.seconds);
}

Awaitable<void> start_runs(asio::io_context& context, const IdleOptions& options, int& left) {
  HttpConnection connection(context, options.port);
  co_await connection.connect();
  const std::string payload = '"' + std::string(198, 'x') + '"';
  const std::string request = post_request("/v1/runs", R"({"workflow":"pipeline","input":)" + payload + "}");
  while (left > 0) {
    --left;
    const Answer answer = co_await connection.exchange(request);
    if (answer.status != 201) {
      throw std::runtime_error("a run was answered " + std::to_string(answer.status) + ": " +
                               std::string(answer.body));
    }
  }
}

void measure_runs(const IdleOptions& options) {
  asio::io_context context(1);
  const ProcessFigures before = process_figures(options.server);
  const auto began = Steady::now();
  int left = options.count;
  for (int i = 0; i < kStarters; ++i) spawn(context, start_runs(context, options, left));
  context.run();
  const double starting = seconds_since(began);
  await_quiet(options.server);
  const ProcessFigures after = process_figures(options.server);
  std::printf(
      R"({"open_runs":%d,"started_per_s":%.0f,"resident_before_mib":%.1f,"resident_mib":%.1f,"peak_mib":%.1f,"bytes_per_run":%.0f})"
      "\n",
      options.count, options.count / starting, mebibytes(before.resident_bytes),
      mebibytes(after.resident_bytes), mebibytes(after.peak_bytes),
      static_cast<double>(after.resident_bytes - before.resident_bytes) / options.count);
}

IdleOptions parse(int argc, char** argv) {
  IdleOptions options;
  int port = 0;
  const std::map<std::string_view, int*> flags = {{"--port", &port},
                                                  {"--pid", &options.server},
                                                  {"--count", &options.count},
                                                  {"--seconds", &options.seconds}};
  for (int i = 2; i + 1 < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) throw std::runtime_error(std::string("unknown option ") + argv[i]);
    *flag->second = std::atoi(argv[i + 1]);
  }
  const bool sensible = port > 0 && port < 65'536 && options.server > 0 && options.count > 0 &&
                        options.count <= 100'000 && options.seconds > 0 && options.seconds <= 40;
  if (argc < 2 || argc % 2 != 0 || !sensible) {
    throw std::runtime_error("polls or runs, --port and --pid are needed; see the head of idle.cc");
  }
  options.port = static_cast<std::uint16_t>(port);
  return options;
}

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  try {
    const auto options = ganglion::bench::parse(argc, argv);
    const std::string_view mode = argv[1];
    if (mode == "polls") {
      ganglion::bench::measure_polls(options);
    } else if (mode == "runs") {
      ganglion::bench::measure_runs(options);
    } else {
      throw std::runtime_error("unknown mode " + std::string(mode));
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ganglion_idle_bench: %s\n", error.what());
    return 1;
  }
}
