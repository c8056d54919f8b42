#include "lane.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ctime>
#include <utility>

#include "attempt.h"

namespace ganglion {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kPollWait{30'000};
constexpr milliseconds kPollSlack{15'000};
constexpr std::size_t kMaxTasks = 256;  // that one request may ask for
// Heartbeats come after a third of the time to the deadline, but within these bounds; an idle timeout may
// shorten it.
constexpr milliseconds kMinHeartbeat{500};
constexpr milliseconds kMaxHeartbeat{5'000};
constexpr milliseconds kProgress{1'000};  // progress is sent at most so often
constexpr milliseconds kHeartbeatTimeout{10'000};
constexpr milliseconds kStoppingPause{500};  // the longest pause of a lane that stops

milliseconds heartbeat_interval(const std::string& deadline) {
  std::tm time{};
  double seconds = 0;
  if (std::sscanf(deadline.c_str(), "%d-%d-%dT%d:%d:%lf", &time.tm_year, &time.tm_mon, &time.tm_mday,
                  &time.tm_hour, &time.tm_min, &seconds) != 6) {
    return kMaxHeartbeat;
  }
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  const double until = static_cast<double>(timegm(&time)) + seconds;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return std::clamp(milliseconds(static_cast<std::int64_t>((until - now) * 1000 / 3)), kMinHeartbeat,
                    kMaxHeartbeat);
}

}  // namespace

Lane::Lane(std::map<std::string, AgentFunction> agents, std::size_t places, Surroundings& surroundings)
    : agents_(std::move(agents)), places_(places), surroundings_(surroundings), threads_(places) {
  for (const auto& [name, function] : agents_) names_.emplace_back(name);
}

std::size_t Lane::free() const {
  const std::size_t taken = running_.size() + outbox_.size() + asked_;
  return taken < places_ ? places_ - taken : 0;
}

Lane::Clock::time_point Lane::beat_at(const Running& running) const {
  if (running.unwanted || running.beating) return Clock::time_point::max();
  if (running.progress) return running.last_beat + kProgress;
  return running.last_beat +
         std::min(running.longest_interval, surroundings_.idle.interval(running.task->agent()));
}

Lane::Clock::time_point Lane::next() const {
  Clock::time_point at = Clock::time_point::max();
  for (const auto& [token, running] : running_) at = std::min(at, beat_at(running));
  if (!exchanging_ && outbox_.size() > 0) at = std::min(at, exchange_backoff_.until());
  if (!polling_ && !stopping_ && free() > 0) at = std::min(at, poll_backoff_.until());
  return at;
}

void Lane::advance(Clock::time_point now) {
  // Results first: an exchange brings tasks as well.
  if (!exchanging_ && outbox_.size() > 0 && exchange_backoff_.over(now)) exchange(now);
  if (!polling_ && !stopping_ && free() > 0 && poll_backoff_.over(now)) poll(now);
  for (auto& [token, running] : running_) {
    if (beat_at(running) <= now) heartbeat(running, now);
  }
}

void Lane::stop() {
  stopping_ = true;
  if (polling_) surroundings_.http.take_back(*polling_);
  const Clock::time_point soon = Clock::now() + kStoppingPause;
  exchange_backoff_.cut(soon);
}

void Lane::abandon() {
  for (auto& [token, running] : running_) {
    running.task->cancel();
    if (running.unwanted) continue;
    outbox_.put({token, running.task->agent(),
                 failure(token, "worker_stopping", "the worker stopped before the task was done", true)});
  }
  running_.clear();
}

// --- asking

void Lane::poll(Clock::time_point) {
  const std::size_t asked = std::min(free(), kMaxTasks);
  const json::object body{
      {"agents", names_}, {"worker", surroundings_.worker}, {"max", asked}, {"wait", "30s"}};
  asked_ += asked;
  const HttpRequest request{.method = "POST",
                            .path = "/v1/tasks/poll",
                            .body = json::serialize(body),
                            .timeout = kPollWait + kPollSlack};
  polling_ = surroundings_.http.send_long_poll(
      request, [this, asked](const HttpOutcome& outcome) { polled(asked, outcome); });
}

void Lane::polled(std::size_t asked, const HttpOutcome& outcome) {
  polling_.reset();
  asked_ -= asked;
  if (!outcome.response) {
    if (!stopping_) stay_away(poll_backoff_, outcome.failure, nullptr);
    return;
  }
  try {
    json::value answer = outcome.response->json();
    poll_backoff_.reset();
    take_tasks(answer.as_object().if_contains("tasks"));
  } catch (const Problem& problem) {
    stay_away(poll_backoff_, problem.what(), &problem);
  }
}

void Lane::exchange(Clock::time_point) {
  const std::vector<PendingResult*> batch = outbox_.batch();
  // The places of these results are free once the server has taken them.
  const std::size_t asked = stopping_ ? 0 : std::min(free() + batch.size(), kMaxTasks);
  std::string body = R"({"worker":)" + json::serialize(json::value(surroundings_.worker)) + R"(,"results":[)";
  std::vector<std::string> tokens;
  for (PendingResult* result : batch) {
    if (!tokens.empty()) body += ',';
    body += result->result.body;
    tokens.push_back(result->token);
    ++result->sent;
  }
  body += ']';
  if (asked > 0) {
    body +=
        R"(,"agents":)" + json::serialize(names_) + R"(,"max":)" + std::to_string(asked) + R"(,"wait":"0s")";
  }
  body += '}';
  asked_ += asked;
  exchanging_ = true;
  const HttpRequest request{.method = "POST",
                            .path = asked > 0 ? "/v1/tasks/exchange" : "/v1/tasks/complete",
                            .body = std::move(body)};
  surroundings_.http.send(request, [this, asked, tokens = std::move(tokens)](const HttpOutcome& outcome) {
    exchanged(asked, tokens, outcome);
  });
}

void Lane::exchanged(std::size_t asked, const std::vector<std::string>& tokens, const HttpOutcome& outcome) {
  exchanging_ = false;
  asked_ -= asked;
  if (!outcome.response) return stay_away(exchange_backoff_, outcome.failure, nullptr);
  try {
    json::value answer = outcome.response->json();
    exchange_backoff_.reset();
    settle(tokens, answer);
    take_tasks(answer.as_object().if_contains("tasks"));
  } catch (const Problem& problem) {
    if (!blame(problem, tokens)) stay_away(exchange_backoff_, problem.what(), &problem);
  }
}

void Lane::settle(const std::vector<std::string>& tokens, const json::value& answer) {
  const json::array& verdicts = answer.at("verdicts").as_array();
  for (std::size_t i = 0; i < std::min(tokens.size(), verdicts.size()); ++i) {
    const PendingResult* result = outbox_.find(tokens[i]);
    if (verdicts[i].as_string() == "accepted" || !result) continue;
    // After a broken connection the first copy was probably accepted and this one came late.
    surroundings_.log("result_not_accepted agent=" + result->agent + " verdict=" +
                      std::string(verdicts[i].as_string()) + " sent=" + std::to_string(result->sent));
  }
  outbox_.settle(tokens);
}

// Whether the server refused the content; then the one result that is to blame is replaced by an error.
bool Lane::blame(const Problem& problem, const std::vector<std::string>& tokens) {
  if (problem.status() != 400 && problem.status() != 413 && problem.status() != 422) return false;
  if (tokens.size() > 1) {
    outbox_.send_one_by_one();
    return true;
  }
  PendingResult* result = outbox_.find(tokens.front());
  if (!result) return true;
  surroundings_.log("result_refused agent=" + result->agent + " reason=" + problem.what());
  if (!result->result.ok) {
    outbox_.settle(tokens);  // even the error is refused: the attempt will time out
  } else {
    const char* code = problem.status() == 413 ? "output_too_large" : "invalid_output";
    result->result =
        failure(result->token, code, std::string("the server refused the output: ") + problem.what(), false);
  }
  return true;
}

void Lane::stay_away(Backoff& backoff, const std::string& reason, const Problem* problem) {
  if (problem && (problem->status() == 401 || problem->status() == 403)) refused_ = *problem;
  const milliseconds pause = backoff.fail(Clock::now(), problem ? problem->retry_after_seconds() : 0);
  if (stopping_) backoff.cut(Clock::now() + kStoppingPause);
  surroundings_.log("server_unavailable retry_in_ms=" + std::to_string(pause.count()) + " reason=" + reason);
}

// --- tasks

void Lane::take_tasks(json::value* tasks) {
  if (!tasks) return;
  for (json::value& value : tasks->as_array()) {
    json::object& task = value.as_object();
    const std::string token(task.at("token").as_string());
    const auto at = running_.find(token);
    if (at != running_.end()) {
      // Handed out again after a restart of the server: one execution is enough, unless it is being
      // cancelled.
      if (at->second.unwanted) at->second.again = std::move(task);
    } else if (!outbox_.contains(token)) {
      begin(std::move(task));
    }
  }
}

void Lane::begin(json::object value) {
  const std::string token(value.at("token").as_string());
  if (stopping_) {  // it came while the poll was being taken back
    const std::string agent(value.at("agent").as_string());
    return outbox_.put({token, agent, failure(token, "worker_stopping", "the worker is stopping", true)});
  }
  const std::shared_ptr<Mailbox> mailbox = surroundings_.mailbox;
  auto task =
      std::make_shared<Task>(std::move(value), [mailbox, token] { mailbox->put({token, std::nullopt}); });
  const auto agent = agents_.find(task->agent());
  if (agent == agents_.end()) return surroundings_.log("unknown_agent agent=" + task->agent());
  const Clock::time_point now = Clock::now();
  surroundings_.idle.look(task->agent(), now);
  running_.emplace(token, Running{task, heartbeat_interval(task->deadline()), now});
  threads_.submit(
      [mailbox, token, task, function = agent->second] { mailbox->put({token, perform(function, *task)}); });
}

bool Lane::take(const Notice& notice) {
  const auto at = running_.find(notice.token);
  if (at == running_.end()) return false;
  Running& running = at->second;
  if (!notice.result) {
    running.progress = true;
    return true;
  }
  std::optional<json::object> again = std::move(running.again);
  if (!running.unwanted) outbox_.put({notice.token, running.task->agent(), *notice.result});
  running_.erase(at);
  if (again) begin(std::move(*again));
  return true;
}

// --- heartbeats

void Lane::heartbeat(Running& running, Clock::time_point now) {
  running.beating = true;
  running.progress = false;
  running.last_beat = now;
  json::object body = running.task->latest_progress();
  body["token"] = running.task->token();
  body["worker"] = surroundings_.worker;
  const HttpRequest request{.method = "POST",
                            .path = "/v1/tasks/heartbeat",
                            .body = json::serialize(body),
                            .timeout = kHeartbeatTimeout};
  surroundings_.http.send(
      request, [this, token = running.task->token()](const HttpOutcome& outcome) { heard(token, outcome); });
}

void Lane::heard(const std::string& token, const HttpOutcome& outcome) {
  const auto at = running_.find(token);
  if (at == running_.end()) return;
  at->second.beating = false;
  if (!outcome.response) return;  // the next heartbeat tries again
  try {
    const json::value answer = outcome.response->json();
    const json::value* cancelled = answer.as_object().if_contains("cancelled");
    if (cancelled && cancelled->is_bool() && cancelled->as_bool()) cancel(at->second);
  } catch (const Problem& problem) {
    if (problem.status() == 404 || problem.status() == 409) cancel(at->second);
  }
}

void Lane::cancel(Running& running) {
  surroundings_.log("task_cancelled agent=" + running.task->agent() + " run=" + running.task->run_id());
  running.unwanted = true;  // keeps its place until the function ends
  running.task->cancel();
}

}  // namespace ganglion
