#include "bench/load/client_loop.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace ganglion::bench {
namespace {

constexpr std::chrono::milliseconds kNowAndThen{100};
constexpr std::size_t kShownBytes = 500;  // of an answer

}  // namespace

ClientLoop::ClientLoop(const ClientOptions& options, const Workload& workload, ClientHooks hooks)
    : options_(options),
      drain_(kDrain + 2 * workload.shortest_run),
      hooks_(std::move(hooks)),
      meter_(options.window, Steady::now(), options.rate),
      clients_left_(options.clients),
      under_way_(static_cast<std::size_t>(options.clients)) {
  for (const ServerAddress& server : options.servers) {
    requests_.push_back(
        request_to(server, {.method = "POST", .target = "/v1/runs?wait=300s"}, start_body(workload)));
    endpoints_.push_back(endpoint_of(server));
  }
}

void ClientLoop::spawn(Awaitable<void> part) {
  asio::co_spawn(context_.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

Awaitable<void> ClientLoop::sleep_until(LoopTimer& timer, Steady::time_point time) {
  if (time <= Steady::now()) co_return;
  timer.expires_at(time);
  co_await timer.async_wait(use_awaitable);
}

void ClientLoop::take(const Answer& answer, Steady::time_point intended) {
  if (answer.status == 201 && answer.body.contains(R"("status":"completed")")) {
    ++report_.completed;
    meter_.completed(intended, Steady::now());
    return;
  }
  ++report_.failed;
  if (report_.failure.empty())
    report_.failure = std::to_string(answer.status) + " " + std::string(answer.body.substr(0, kShownBytes));
}

Awaitable<void> ClientLoop::client(int number) {
  auto& under_way = under_way_[static_cast<std::size_t>(number)];
  const std::size_t server = static_cast<std::size_t>(number) % endpoints_.size();
  HttpConnection connection(context_, endpoints_[server]);
  co_await connection.connect();
  LoopTimer timer(context_);
  while ((under_way = meter_.next(Steady::now()))) {
    co_await sleep_until(timer, *under_way);
    const Answer answer = co_await connection.exchange(requests_[server]);
    take(answer, *under_way);
  }
  if (--clients_left_ == 0 && window_ended_) context_.stop();
}

Awaitable<void> ClientLoop::watch() {
  LoopTimer timer(context_);
  const auto give_up_at = options_.window.end + drain_;
  bool began = false;
  while (true) {
    // Looked at often, and right at the ends of the window.
    auto next = Steady::now() + kNowAndThen;
    if (!began) next = std::min(next, options_.window.begin);
    if (!window_ended_) next = std::min(next, options_.window.end);
    co_await sleep_until(timer, next);
    const auto now = Steady::now();
    if (!began && now >= options_.window.begin) {
      began = true;
      co_await hooks_.at_begin(context_);
    }
    if (!window_ended_ && now >= options_.window.end) {
      co_await hooks_.at_end(context_);
      window_ended_ = true;  // only now may the last client stop everything
    }
    hooks_.now_and_then();
    if (now >= give_up_at) give_up();
    if (now >= give_up_at || (window_ended_ && clients_left_ == 0)) context_.stop();
  }
}

void ClientLoop::give_up() {
  const auto now = Steady::now();
  for (const auto& intended : under_way_) {
    if (intended) meter_.unfinished(*intended, now);
  }
  meter_.abandon_the_rest(now);
}

ClientReport ClientLoop::run() {
  spawn(watch());
  for (int i = 0; i < options_.clients; ++i) spawn(client(i));
  context_.run();
  report_.latency = meter_.latency();
  report_.ended_in_window = meter_.ended_in_window();
  report_.unfinished = meter_.unfinished_runs();
  return std::move(report_);
}

}  // namespace ganglion::bench
