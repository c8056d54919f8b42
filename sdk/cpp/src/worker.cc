#include "ganglion/worker.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "lane.h"
#include "random_id.h"

namespace ganglion {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kMaxConcurrency = 1'000;
constexpr std::size_t kMaxSharedAgents = 64;  // as many as one request can name
// After the grace time: how long the server may take to accept what is handed back.
constexpr std::chrono::seconds kHandBack{5};
constexpr milliseconds kLongestTurn{60'000};

int checked(int concurrency) {
  if (concurrency < 1 || concurrency > kMaxConcurrency)
    throw std::invalid_argument("concurrency must be 1 … 1000");
  return concurrency;
}

std::string id_of(const std::string& name) {
  std::string prefix = name;
  const char* given = std::getenv("GANGLION_WORKER");
  if (prefix.empty() && given) prefix = given;
  if (prefix.empty()) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    prefix = host.data();
  }
  return prefix.substr(0, 200) + "-" + std::to_string(::getpid()) + "-" + random_id().substr(0, 8);
}

// Whom a signal stops.
std::atomic<Worker*> signalled{nullptr};
void on_signal(int) {
  if (Worker* worker = signalled.load()) worker->stop();
}

}  // namespace

struct Worker::Parts {
  WorkerOptions options;
  std::string id;
  std::map<std::string, AgentFunction> shared = {};
  std::map<std::string, std::pair<AgentFunction, int>> own = {};
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::atomic<int> stops = 0;

  void log(const std::string& line) const {
    if (options.log) {
      options.log(line);
    } else {
      std::fprintf(stderr, "ganglion: %s\n", line.c_str());
    }
  }
  std::vector<std::unique_ptr<Lane>> make_lanes(Surroundings& surroundings) const;
  void work(std::vector<std::unique_ptr<Lane>>& lanes, HttpLoop& http);
};

Worker::Worker(WorkerOptions options) : parts_(std::make_unique<Parts>()) {
  checked(options.concurrency);
  parts_->id = id_of(options.name);
  parts_->options = std::move(options);
}
Worker::~Worker() = default;

const std::string& Worker::id() const {
  return parts_->id;
}

void Worker::agent(std::string name, AgentFunction function, int concurrency) {
  if (parts_->shared.contains(name) || parts_->own.contains(name)) {
    throw std::invalid_argument("agent " + name + " is defined twice");
  }
  if (concurrency != 0) {
    parts_->own.emplace(std::move(name), std::pair(std::move(function), checked(concurrency)));
    return;
  }
  if (parts_->shared.size() == kMaxSharedAgents) {
    throw std::invalid_argument("more than 64 agents share one concurrency; give some their own");
  }
  parts_->shared.emplace(std::move(name), std::move(function));
}

void Worker::stop() noexcept {
  ++parts_->stops;
  parts_->mailbox->wake();
}

std::vector<std::unique_ptr<Lane>> Worker::Parts::make_lanes(Surroundings& surroundings) const {
  std::vector<std::unique_ptr<Lane>> lanes;
  using Agents = std::map<std::string, AgentFunction>;
  for (const auto& [name, entry] : own) {
    lanes.push_back(std::make_unique<Lane>(Agents{{name, entry.first}}, entry.second, surroundings));
  }
  if (!shared.empty()) lanes.push_back(std::make_unique<Lane>(shared, options.concurrency, surroundings));
  return lanes;
}

void Worker::run() {
  if (parts_->shared.empty() && parts_->own.empty()) throw std::invalid_argument("the worker has no agents");
  HttpLoop http(parts_->options.connection);
  IdleTimeouts idle(http);
  Surroundings surroundings{parts_->id, http, idle, parts_->mailbox,
                            [this](const std::string& line) { parts_->log(line); }};
  std::vector<std::unique_ptr<Lane>> lanes = parts_->make_lanes(surroundings);
  parts_->log("worker_started worker=" + parts_->id);
  parts_->work(lanes, http);
  parts_->log("worker_stopped worker=" + parts_->id);
}

void Worker::Parts::work(std::vector<std::unique_ptr<Lane>>& lanes, HttpLoop& http) {
  enum class Phase { working, draining, handing_back } phase = Phase::working;
  Clock::time_point end = Clock::time_point::max();  // of the phase
  while (true) {
    for (const Notice& notice : mailbox->take()) {
      std::ranges::any_of(lanes, [&](const auto& lane) { return lane->take(notice); });
    }
    Clock::time_point now = Clock::now();
    if (phase == Phase::working && stops > 0) {
      phase = Phase::draining;
      end = now + options.grace;
      log("worker_stopping worker=" + id);
      for (auto& lane : lanes) lane->stop();
    }
    if (phase == Phase::draining && (now >= end || stops > 1)) {
      phase = Phase::handing_back;
      end = now + kHandBack;
      for (auto& lane : lanes) lane->abandon();
    }
    if (phase != Phase::working) {
      if (std::ranges::all_of(lanes, [](const auto& lane) { return lane->drained(); })) return;
      if (phase == Phase::handing_back && now >= end) return log("results_lost worker=" + id);
    }
    Clock::time_point next = end;
    for (auto& lane : lanes) {
      if (lane->refused()) throw Problem(*lane->refused());
      lane->advance(now);
      next = std::min(next, lane->next());
    }
    now = Clock::now();
    const milliseconds wait =
        next <= now ? milliseconds(0)
                    : std::min(kLongestTurn,
                               std::chrono::ceil<milliseconds>(std::min(next, now + kLongestTurn) - now));
    http.turn(wait, mailbox->descriptor());
  }
}

void Worker::run_until_signal() {
  Worker* none = nullptr;
  if (!signalled.compare_exchange_strong(none, this))
    throw std::logic_error("another worker waits for signals");
  struct sigaction action = {};
  action.sa_handler = on_signal;
  struct sigaction before_term = {};
  struct sigaction before_int = {};
  ::sigaction(SIGTERM, &action, &before_term);
  ::sigaction(SIGINT, &action, &before_int);
  const auto restore = [&] {
    ::sigaction(SIGTERM, &before_term, nullptr);
    ::sigaction(SIGINT, &before_int, nullptr);
    signalled = nullptr;
  };
  try {
    run();
  } catch (...) {
    restore();
    throw;
  }
  restore();
}

}  // namespace ganglion
