// Measures what idle long polls cost: opens N connections that each wait for an answer, and prints how much
// memory the server's process has gained per connection, and how much CPU time it used while they waited.
//
//   http_idle_cost [N] [SECONDS]

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "adapters/system/asio_loop.h"
#include "base/asio/asio.h"
#include "ingress/http/exchange.h"
#include "ingress/http/server.h"

namespace {

using namespace ganglion;

struct NoRandom final : Random {
  std::uint64_t next() override { return 0; }
};

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The other side, in a process of its own: connects, asks, and stays until it is killed.
[[noreturn]] void run_client(std::uint16_t port, int connections) {
  asio::io_context loop;
  std::vector<LoopSocket> sockets;
  const std::string request =
      "POST /v1/tasks/poll HTTP/1.1\r\nHost: localhost\r\nUser-Agent: idle-cost/1.0\r\nAccept: */*\r\n"
      "Content-Type: application/json\r\nContent-Length: 64\r\n\r\n" +
      std::string(64, 'x');
  for (int i = 0; i < connections; ++i) {
    sockets.emplace_back(loop);
    sockets.back().connect({asio::ip::address_v4::loopback(), port});
    asio::write(sockets.back(), asio::buffer(request));
  }
  pause();
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  asio::io_context loop(1);
  AsioLoop clock(loop);
  NoRandom random;
  std::vector<http::Responder> waiting;
  waiting.reserve(static_cast<std::size_t>(connections));
  http::Router router;
  router.add(http::Method::post, "/v1/tasks/poll", [&](http::Request, http::Responder responder) {
    responder.on_interrupt([](http::Interrupt) {});
    waiting.push_back(std::move(responder));
  });
  http::Options options;
  options.port = 0;
  http::Server server(loop, clock, random, options, std::move(router));
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  const std::size_t before = resident_bytes();
  const pid_t client = fork();
  if (client == 0) run_client(server.port(), connections);
  while (waiting.size() < static_cast<std::size_t>(connections)) loop.run_one();
  const std::size_t after = resident_bytes();
  const double cpu = cpu_seconds();
  loop.run_for(std::chrono::seconds(seconds));
  std::printf("connections %d\nbytes_per_connection %zu\ncpu_ms_per_second %.2f\n", connections,
              (after - before) / static_cast<std::size_t>(connections),
              (cpu_seconds() - cpu) * 1000 / seconds);
  kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  return 0;
}
