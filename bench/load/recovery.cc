#include "bench/load/recovery.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/json_text.h"
#include "bench/load/text.h"

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;

// So that runs stay open for a while without keeping the servers busy.
constexpr std::chrono::milliseconds kWork{500};
constexpr std::size_t kClientsForHundred = 130;  // some of them are just starting their run
constexpr std::size_t kReporters = 4;            // connections
constexpr std::size_t kMaxTasks = 256;           // of a poll, and of a report
constexpr std::chrono::milliseconds kPause{20};  // before a server is asked again
constexpr std::chrono::milliseconds kNowAndThen{100};
constexpr std::chrono::milliseconds kLookEvery{2};
constexpr std::chrono::milliseconds kSteady{1'000};  // of load, before the kill
constexpr std::chrono::seconds kPatience{60};
constexpr RequestLine kStart{.method = "POST", .target = "/v1/runs"};
constexpr RequestLine kPoll{.method = "POST", .target = "/v1/tasks/poll"};
constexpr RequestLine kComplete{.method = "POST", .target = "/v1/tasks/complete"};
constexpr int kBusy = 503;

// The text of a member, which needs no unescaping; empty if there is none.
std::string_view member_of(std::string_view object, std::string_view name) {
  JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name == name && member->value.size() >= 2)
      return member->value.substr(1, member->value.size() - 2);
  }
  return {};
}

bool is_final(std::string_view status) {
  return status == "completed" || status == "failed" || status == "cancelled";
}

[[noreturn]] void unexpected(const OwnedAnswer& answer, std::string_view to) {
  throw std::runtime_error(std::string(to) + " was answered " + std::to_string(answer.status) + " " +
                           answer.body.substr(0, 300));
}

}  // namespace

RecoveryLoad::RecoveryLoad(RecoveryOptions options, const Workload& workload, RecoveryHooks hooks)
    : options_(std::move(options)), workload_(workload), hooks_(std::move(hooks)) {
  for (const ServerAddress& server : options_.servers) endpoints_.push_back(endpoint_of(server));
}

void RecoveryLoad::spawn(Awaitable<void> part) {
  asio::co_spawn(context_.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

Awaitable<void> RecoveryLoad::sleep(Steady::duration duration) {
  LoopTimer timer(context_, duration);
  co_await timer.async_wait(use_awaitable);
}

// --- asking ------------------------------------------------------------------------------------------------

Awaitable<OwnedAnswer> RecoveryLoad::once(Line& line, RequestLine what, std::string body) {
  try {
    if (!line.connection) {
      line.connection = std::make_unique<HttpConnection>(context_, endpoints_[line.server]);
      co_await line.connection->connect();
    }
    const std::string request = request_to(options_.servers[line.server], what, body);
    const Answer answer = co_await line.connection->exchange(request);
    co_return OwnedAnswer{.status = answer.status, .body = std::string(answer.body)};
  } catch (const boost::system::system_error&) {
    line.connection.reset();
    line.server = (line.server + 1) % endpoints_.size();
  }
  co_return OwnedAnswer{};
}

Awaitable<OwnedAnswer> RecoveryLoad::insist(Line& line, RequestLine what, std::string body) {
  while (true) {
    OwnedAnswer answer = co_await once(line, what, body);
    if (answer.status != 0 && answer.status != kBusy) co_return answer;
    co_await sleep(kPause);
  }
}

// --- clients -----------------------------------------------------------------------------------------------

Awaitable<void> RecoveryLoad::client(std::size_t number) {
  Line line{.server = number % endpoints_.size()};
  const std::string start = start_body(workload_);
  while (!finishing_) {
    const OwnedAnswer answer = co_await once(line, kStart, start);
    if (answer.status == 0 || answer.status == kBusy) {
      co_await sleep(kPause);
      continue;
    }
    if (answer.status != 201) unexpected(answer, "POST /v1/runs");
    std::string run(member_of(answer.body, "id"));
    open_.try_emplace(run);
    ++found_.acknowledged;
    co_await wait_for_end(line, std::move(run));
  }
}

Awaitable<void> RecoveryLoad::wait_for_end(Line& line, std::string run) {
  const std::string target = "/v1/runs/" + run + "?wait=20s";
  while (true) {
    const OwnedAnswer answer = co_await insist(line, {.method = "GET", .target = target}, {});
    if (answer.status != 200) unexpected(answer, "GET " + target);
    const std::string_view status = member_of(answer.body, "status");
    if (is_final(status)) co_return ended(run, status);
  }
}

void RecoveryLoad::ended(const std::string& run, std::string_view status) {
  const auto at = open_.find(run);
  progressed(at->second);
  open_.erase(at);
  if (status != "completed") ++found_.failed;
  last_end_ = Steady::now();
}

void RecoveryLoad::progressed(OpenRun& run) {
  if (!run.watched || std::exchange(run.progressed, true)) return;
  --without_progress_;
  last_progress_ = Steady::now();
}

// --- workers -----------------------------------------------------------------------------------------------

Awaitable<void> RecoveryLoad::poll(std::size_t number) {
  Line line{.server = number % endpoints_.size()};
  const std::string ask = R"({"agents":)" + agents_json(workload_) + R"(,"worker":"bench-)" +
                          std::to_string(number) + R"(","max":)" + std::to_string(kMaxTasks) +
                          R"(,"wait":"30s"})";
  while (true) {
    const OwnedAnswer answer = co_await insist(line, kPoll, ask);
    if (answer.status != 200) unexpected(answer, kPoll.target);
    if (auto results = take_tasks(answer.body); !results.empty()) spawn(perform(std::move(results)));
  }
}

std::vector<std::string> RecoveryLoad::take_tasks(std::string_view body) {
  std::vector<std::string> results;
  JsonMembers answer(body);
  const auto tasks = answer.next();
  if (!tasks || tasks->name != "tasks") throw std::runtime_error("a poll was answered " + std::string(body));
  // An object of the list begins with its token, and no payload of this program has one.
  constexpr std::string_view kBegin = R"({"token":")";
  for (std::size_t at = body.find(kBegin); at != std::string_view::npos; at = body.find(kBegin, at + 1)) {
    const std::string_view task = body.substr(at);
    const auto known = open_.find(std::string(member_of(task, "run_id")));
    if (known != open_.end()) progressed(known->second);
    const auto step = std::ranges::find(workload_.steps, member_of(task, "step"), &WorkloadStep::name);
    if (step == workload_.steps.end()) throw std::runtime_error("the server has tasks of an unknown step");
    results.push_back(R"({"token":")" + std::string(member_of(task, "token")) + R"(","output":)" +
                      step->output + "}");
  }
  return results;
}

Awaitable<void> RecoveryLoad::perform(std::vector<std::string> results) {
  co_await sleep(kWork);
  std::ranges::move(results, std::back_inserter(due_));
}

// Whatever the verdicts: a task that has been handed out twice has one result that counts.
Awaitable<void> RecoveryLoad::report(std::size_t number) {
  Line line{.server = number % endpoints_.size()};
  while (true) {
    if (due_.empty()) {
      co_await sleep(kLookEvery);
      continue;
    }
    std::string body = R"({"results":[)";
    for (std::size_t i = 0; i < kMaxTasks && !due_.empty(); ++i) {
      body += (i > 0 ? "," : "") + due_.front();
      due_.pop_front();
    }
    const OwnedAnswer answer = co_await insist(line, kComplete, body + "]}");
    if (answer.status != 200) unexpected(answer, kComplete.target);
  }
}

// --- the crash ---------------------------------------------------------------------------------------------

Awaitable<void> RecoveryLoad::until(std::function<bool()> condition, Steady::duration patience,
                                    std::string what) {
  auto say_at = Steady::now();
  const auto give_up_at = Steady::now() + patience;
  while (!condition() && Steady::now() < give_up_at) {
    if (Steady::now() >= say_at) {
      hooks_.now_and_then(what);
      say_at = Steady::now() + kNowAndThen;
    }
    co_await sleep(kLookEvery);
  }
}

Awaitable<void> RecoveryLoad::watch() {
  const auto enough = [this] { return open_.size() >= options_.in_flight; };
  const auto count = number_text(static_cast<double>(options_.in_flight));
  co_await until([] { return false; }, kSteady, "load for a crash");
  co_await until(enough, kPatience, "waiting for " + count + " open runs");
  if (!enough())
    throw std::runtime_error("the coordinators don't hold " + count + " open runs; say --in-flight");
  for (auto& [id, run] : open_) run.watched = true;
  found_.in_flight = without_progress_ = open_.size();
  hooks_.kill();
  const auto killed_at = last_progress_ = Steady::now();
  co_await until(hooks_.noticed, kPatience, "waiting for the others to notice");
  if (!hooks_.noticed()) throw std::runtime_error("the other coordinators haven't noticed the death of one");
  const auto noticed_at = Steady::now();
  co_await until([this] { return without_progress_ == 0; }, kPatience, "waiting for its runs to go on");
  found_.noticed_after = noticed_at - killed_at;
  found_.going_on_after = last_progress_ - killed_at;
  finishing_ = true;
  last_end_ = Steady::now();
  const auto is_over = [this] { return open_.empty() || Steady::now() - last_end_ > kPatience; };
  while (!is_over()) co_await until(is_over, kPatience, "waiting for every run to end");
  found_.lost = open_.size();
  context_.stop();
}

Recovery RecoveryLoad::run() {
  spawn(watch());
  for (std::size_t i = 0; i < options_.workers; ++i) spawn(poll(i));
  for (std::size_t i = 0; i < kReporters; ++i) spawn(report(i));
  const std::size_t clients = options_.in_flight * kClientsForHundred / 100 + 1;
  for (std::size_t i = 0; i < clients; ++i) spawn(client(i));
  context_.run();
  return found_;
}

}  // namespace ganglion::bench
