// How fast a bus takes and gives messages.
//   ganglion_bus_bench URL …   such as amqp://guest:guest@127.0.0.1:5672, nats://127.0.0.1:4222,
//                              kafka://127.0.0.1:9092 or redis://127.0.0.1:6379
// Three rows a URL: publications that are confirmed, 500 at a time; deliveries that are acknowledged, with a
// prefetch of 500; and the time from a publication to its delivery, one at a time, over a second connection.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "adapters/kafka/bus.h"
#include "adapters/kafka/url.h"
#include "adapters/nats/bus.h"
#include "adapters/nats/url.h"
#include "adapters/rabbitmq/bus.h"
#include "adapters/rabbitmq/url.h"
#include "adapters/redis/bus.h"
#include "base/asio/asio.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kMessages = 50'000;
constexpr std::uint64_t kAtATime = 500;
constexpr std::uint64_t kRoundTrips = 2'000;
constexpr std::size_t kBodyBytes = 300;
const std::string kQueue = "bench";

// Ends the program where it can't be opened.
std::unique_ptr<Bus> open_bus(asio::io_context& context, const std::string& url) {
  Result<std::unique_ptr<Bus>> bus;
  if (rabbitmq::is_url(url))
    bus = rabbitmq::Bus::open(context, {.url = url});
  else if (nats::is_url(url))
    bus = nats::Bus::open(context, {.url = url});
  else if (kafka::is_url(url))
    bus = kafka::Bus::open(context, {.url = url});
  else
    bus = redis::Bus::open(context, {.url = url});
  if (bus) return std::move(*bus);
  std::fprintf(stderr, "%s\n", bus.error().message.c_str());
  std::exit(1);
}

void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

class Load {
 public:
  explicit Load(const std::string& url) : bus_(open_bus(context_, url)), other_(open_bus(context_, url)) {}

  void run() {
    bool declared = false;
    bus_->remove(kQueue, [&](const Result<void>& removed) {
      must(removed);
      bus_->declare(kQueue, {}, [&](const Result<void>& result) {
        must(result);
        declared = true;
      });
    });
    run_until([&] { return declared; });
    publish();
    consume();
    go_round();
    bool removed = false;
    bus_->remove(kQueue, [&](const Result<void>&) { removed = true; });
    run_until([&] { return removed; });
  }

 private:
  template <typename Condition>
  void run_until(Condition condition) {
    const auto guard = asio::make_work_guard(context_);
    while (!condition()) context_.run_one();
  }

  BusMessage message(std::uint64_t number) const {
    return {.id = "message-" + std::to_string(number),
            .type = "ganglion.bench.v1",
            .reply_to = "",
            .body = std::string(kBodyBytes, 'x')};
  }

  void publish() {
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    std::function<void()> next = [&] {
      if (sent == kMessages) return;
      bus_->publish(kQueue, message(++sent), [&](const Result<void>& result) {
        must(result);
        ++confirmed;
        next();
      });
    };
    const auto began = Steady::now();
    for (std::uint64_t i = 0; i < kAtATime; ++i) next();
    run_until([&] { return confirmed == kMessages; });
    report("published", began);
  }

  void consume() {
    std::uint64_t got = 0;
    const auto began = Steady::now();
    const ConsumerId consumer =
        other_->consume(kQueue, static_cast<std::uint32_t>(kAtATime), [&](const Delivery& delivery) {
          ++got;
          other_->acknowledge(delivery.tag);
        });
    run_until([&] { return got >= kMessages; });
    report("delivered", began);
    other_->cancel(consumer);
  }

  void go_round() {
    std::vector<double> times_ms;
    Steady::time_point sent;
    const auto publish_one = [&] {
      sent = Steady::now();
      bus_->publish(kQueue, message(times_ms.size()), must);
    };
    other_->consume(kQueue, 1, [&](const Delivery& delivery) {
      other_->acknowledge(delivery.tag);
      times_ms.push_back(std::chrono::duration<double, std::milli>(Steady::now() - sent).count());
      if (times_ms.size() < kRoundTrips) publish_one();
    });
    publish_one();
    run_until([&] { return times_ms.size() == kRoundTrips; });
    std::ranges::sort(times_ms);
    std::printf("  one at a time: p50 %.2f ms, p99 %.2f ms\n", times_ms[kRoundTrips / 2],
                times_ms[kRoundTrips * 99 / 100]);
  }

  static void report(const char* what, Steady::time_point began) {
    const std::chrono::duration<double> took = Steady::now() - began;
    std::printf("  %s: %.0f/s\n", what, static_cast<double>(kMessages) / took.count());
    std::fflush(stdout);
  }

  asio::io_context context_{1};
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Bus> other_;
};

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: ganglion_bus_bench URL …\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    std::printf("broker %d\n", i);  // a URL may hold a password
    ganglion::bench::Load(argv[i]).run();
  }
  return 0;
}
