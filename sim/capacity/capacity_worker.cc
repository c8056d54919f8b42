#include "sim/capacity/capacity_worker.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace ganglion::sim {
namespace {

constexpr SimTime kPatience{35'000'000};
constexpr SimTime kAgain{100'000};
constexpr std::uint32_t kMostTasks = 256;

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

}  // namespace

std::string capacity_payload(SimTime now, std::size_t bytes) {
  std::string payload = "{\"at\":" + std::to_string(now.count()) + R"(,"rest":")";
  if (payload.size() + 2 < bytes) payload.append(bytes - payload.size() - 2, 'x');
  return payload + "\"}";
}

CapacityWorker::CapacityWorker(World& world, Options options, WorkSeen& seen)
    : world_(world), options_(std::move(options)), seen_(seen), work_(world.fate().site("work")) {}

void CapacityWorker::start() {
  poll();
}

// All workers share a name on the network: what befalls their messages need not be told apart.
CallId CapacityWorker::post(const char* target, std::string body, HttpNetwork::Done done) {
  return world_.network().send("workers", options_.engine,
                               {"POST", target, {{"Content-Type", "application/json"}}, std::move(body)},
                               kPatience, std::move(done));
}

void CapacityWorker::poll() {
  const std::uint32_t held = in_hand_ + asked_;
  if (polling_ || held >= options_.places) return;
  polling_ = true;
  const std::uint32_t wanted = std::min(options_.places - held, kMostTasks);
  asked_ += wanted;
  std::string body = R"({"agents":["first","second","third"],"worker":")" + options_.name + R"(","max":)" +
                     std::to_string(wanted) + R"(,"wait":"30s"})";
  post("/v1/tasks/poll", std::move(body), [this, wanted](Result<HttpAnswer> answer) {
    polling_ = false;
    asked_ -= wanted;
    if (answer && answer->status == 200) {
      take(answer->body);
      return poll();
    }
    ++seen_.failed_calls;
    world_.timeline().after(kAgain, [this] { poll(); });
  });
}

// Tokens and times are this world's own: they need no unescaping, and no payload has their names in it.
void CapacityWorker::take(std::string_view tasks) {
  constexpr std::string_view kToken = R"("token":")";
  constexpr std::string_view kInput = R"("input":{"at":)";
  for (std::size_t at = tasks.find(kToken); at != std::string_view::npos; at = tasks.find(kToken, at)) {
    at += kToken.size();
    std::string token(tasks.substr(at, tasks.find('"', at) - at));
    at = tasks.find(kInput, at);
    if (at == std::string_view::npos) return;
    at += kInput.size();
    std::int64_t since = 0;
    std::from_chars(tasks.data() + at, tasks.data() + tasks.size(), since);
    const SimTime now = world_.timeline().now();
    if (seen_.counts) seen_.waits_us.push_back(static_cast<std::uint32_t>(now.count() - since));
    ++in_hand_;
    ++seen_.in_hand;
    const SimTime work = world_.fate().draw(work_).between(options_.work / 2, options_.work * 3 / 2);
    world_.timeline().after(work, [this, token = std::move(token)]() mutable { finished(std::move(token)); });
  }
}

void CapacityWorker::finished(std::string token) {
  if (!results_.empty()) results_ += ',';
  results_ += R"({"token":")" + token + R"(","output":)" +
              capacity_payload(world_.timeline().now(), options_.payload) + "}";
  ++waiting_results_;
  exchange();
}

void CapacityWorker::exchange() {
  if (exchanging_ || waiting_results_ == 0) return;
  exchanging_ = true;
  const std::size_t given = std::exchange(waiting_results_, 0);
  sent_ = std::exchange(results_, {});
  const std::uint32_t wanted = std::min(static_cast<std::uint32_t>(given), kMostTasks);
  std::string body = R"({"results":[)" + sent_ + R"(],"agents":["first","second","third"],"worker":")" +
                     options_.name + R"(","max":)" + std::to_string(wanted) + R"(,"wait":"0s"})";
  post("/v1/tasks/exchange", std::move(body),
       [this, given](Result<HttpAnswer> answer) { exchanged(given, std::move(answer)); });
}

void CapacityWorker::exchanged(std::size_t given, Result<HttpAnswer> answer) {
  exchanging_ = false;
  if (!answer || answer->status != 200) {
    ++seen_.failed_calls;
    results_ = sent_ + (results_.empty() ? "" : "," + results_);
    waiting_results_ += given;
    world_.timeline().after(kAgain, [this] { exchange(); });
    return;
  }
  sent_.clear();
  in_hand_ -= static_cast<std::uint32_t>(given);
  seen_.in_hand -= given;
  const std::size_t accepted = count(answer->body, R"("accepted")");
  if (seen_.counts) seen_.results += accepted;
  seen_.rejected += given - accepted;
  take(answer->body);
  exchange();
  poll();
}

}  // namespace ganglion::sim
