#include "sim/actors/worker.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/json_text.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

constexpr SimTime kPollWait{2'000'000};
constexpr SimTime kPollPatience{4'000'000};
constexpr SimTime kAgain{150'000};
constexpr SimTime kSecondReport{300'000};
constexpr SimTime kAfterDeadline{5'000'000};  // how long a worker goes on with what has run out
constexpr std::size_t kMostReports = 64;

std::string text_of(std::string_view member) {
  return read_json_string(member).value_or("");
}

// The members of a task that a worker looks at; its values stay text.
AgentCall call_of(std::string_view task, Timestamp& deadline) {
  AgentCall call;
  JsonMembers members(task);
  while (const auto member = members.next()) {
    const std::string_view name = member->name;
    const auto number = [&] { return static_cast<std::uint32_t>(std::stoul(std::string(member->value))); };
    if (name == "token") call.token = text_of(member->value);
    if (name == "run_id") call.run = text_of(member->value);
    if (name == "step") call.step = text_of(member->value);
    if (name == "item" && member->value != "null") call.item = number();
    if (name == "attempt") call.attempt = number();
    if (name == "iteration") call.iteration = number();
    if (name == "agent") call.agent = text_of(member->value);
    if (name == "input") call.input = member->value;
    if (name == "idempotency_key") call.idempotency_key = text_of(member->value);
    if (name == "deadline") deadline = parse_rfc3339(text_of(member->value)).value_or(Timestamp());
  }
  return call;
}

}  // namespace

Worker::Worker(World& world, const std::string& name, WorkerOptions options, AgentModel& model,
               WorkerWatch* watch)
    : Program(world, name),
      options_(std::move(options)),
      model_(model),
      watch_(watch),
      cancel_(world.fate().site(name + ".ignores_cancel")),
      restart_(world.fate().site(name + ".restart")) {}

void Worker::start() {
  id_ = name() + "." + std::to_string(++lives_);
  lives_now_ = true;
  poll();
}

void Worker::crash(SimTime until) {
  if (!std::exchange(lives_now_, false)) return;
  world_.trace().add(name(), "dies");
  if (!tasks_.empty()) world_.saw("a worker died with tasks in hand");
  stop();
  for (const auto& [number, task] : std::exchange(tasks_, {})) {
    if (watch_ != nullptr) watch_->left(task.call);
  }
  reports_.clear();
  reporting_ = polling_ = false;
  later(until, [this] { start(); });
}

void Worker::calm() {
  options_.ignores_cancel = 0;
}

// --- tasks
// ------------------------------------------------------------------------------------------------------------

void Worker::poll() {
  if (polling_ || tasks_.size() >= options_.capacity) return;
  polling_ = true;
  std::string agents = "[";
  for (const std::string& agent : options_.agents) {
    if (agents.size() > 1) agents += ',';
    append_json_string(agents, agent);
  }
  JsonObject body;
  body.add_raw("agents", agents + "]").add("worker", id_);
  body.add("max", static_cast<std::int64_t>(options_.capacity - tasks_.size()));
  body.add("wait", std::to_string(kPollWait.count() / 1'000) + "ms");
  ask(
      post("/v1/tasks/poll", body.finish()),
      [this](Result<HttpAnswer> answer) {
        polling_ = false;
        if (answer && answer->status == 200) return polled(*std::move(answer));
        later(kAgain, [this] { poll(); });
      },
      kPollPatience);
}

void Worker::polled(HttpAnswer answer) {
  JsonMembers members(answer.body);
  while (const auto member = members.next()) {
    if (member->name != "tasks") continue;
    // A list of objects: each is taken as text.
    const json::value tasks = json::parse(member->value);
    for (const json::value& task : tasks.as_array()) take(json::serialize(task), answer);
  }
  poll();
}

void Worker::take(std::string_view text, const HttpAnswer& from) {
  Timestamp deadline;
  const std::uint64_t number = ++last_task_;
  Task task{call_of(text, deadline), {}};
  task.call.worker = id_;
  const Duration left = deadline - world_.hosts()[from.from.value()]->now();
  // Both are cut to milliseconds.
  task.call.deadline = world_.timeline().now() + SimTime(left) - SimTime(1'000);
  world_.trace().add(id_, "takes", task.call.token);
  if (watch_ != nullptr) watch_->handed(task.call, from.from, from.life);
  AgentReply reply = model_.reply(task.call);
  task.give_up = world_.timeline().now() + reply.after + kAfterDeadline;
  const SimTime after = reply.after;
  tasks_.emplace(number, std::move(task));
  if (options_.heartbeat > SimTime(0)) later(options_.heartbeat, [this, number] { beat(number); });
  if (reply.silent) return later(std::max(after, SimTime(60'000'000)), [this, number] { forget(number); });
  later(after, [this, number, reply = std::move(reply)]() mutable { finished(number, std::move(reply)); });
}

void Worker::forget(std::uint64_t number) {
  const auto found = tasks_.find(number);
  if (found == tasks_.end()) return;
  if (watch_ != nullptr) watch_->left(found->second.call);
  tasks_.erase(found);
  poll();
}

void Worker::finished(std::uint64_t number, AgentReply reply) {
  const auto found = tasks_.find(number);
  if (found == tasks_.end()) return;
  model_.done(found->second.call);
  if (reply.dies) {
    world_.saw("an agent killed its worker");
    Draw draw = world_.fate().draw(restart_);
    return crash(options_.away(draw));
  }
  if (watch_ != nullptr) watch_->left(found->second.call);
  std::string report = "{\"token\":";
  append_json_string(report, found->second.call.token);
  report += "," + reply.result + "}";
  if (reply.twice) {
    later(kSecondReport, [this, number, call = found->second.call, report] {
      reports_.push_back({number, call, report});
      this->report();
    });
  }
  reports_.push_back({number, found->second.call, std::move(report)});
  this->report();
}

// --- reports
// ----------------------------------------------------------------------------------------------------------

void Worker::report() {
  if (reporting_ || reports_.empty()) return;
  reporting_ = true;
  const std::size_t count = std::min(reports_.size(), kMostReports);
  std::vector<Report> sent(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(count));
  reports_.erase(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(count));
  std::string results = "[";
  for (const Report& one : sent) {
    if (results.size() > 1) results += ',';
    results += one.json;
  }
  JsonObject body;
  body.add("worker", id_).add_raw("results", results + "]");
  ask(post("/v1/tasks/complete", body.finish()),
      [this, sent = std::move(sent)](Result<HttpAnswer> answer) mutable {
        reported(std::move(sent), std::move(answer));
      });
}

void Worker::reported(std::vector<Report> sent, Result<HttpAnswer> answer) {
  reporting_ = false;
  if (answer && answer->status == 200) {
    const json::value body = json::parse(answer->body);
    const json::array& verdicts = body.at("verdicts").as_array();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const std::string_view verdict = verdicts.at(i).as_string();
      const AgentCall& call = sent[i].call;
      world_.trace().add(id_, verdict, call.token);
      if (watch_ != nullptr) watch_->verdict(call, verdict);
      model_.told(call, verdict);
      forget(sent[i].task);
    }
    return report();
  }
  if (answer && answer->status != 503) {
    // One that is no result spoils the whole request: each is tried alone, and then given up.
    world_.saw("a malformed report was refused");
    if (sent.size() == 1) {
      forget(sent.front().task);
      return report();
    }
    for (Report& one : sent) {
      ask(post("/v1/tasks/complete",
               JsonObject().add("worker", id_).add_raw("results", "[" + one.json + "]").finish()),
          [this, one](Result<HttpAnswer> alone) mutable { reported({std::move(one)}, std::move(alone)); });
    }
    return;
  }
  world_.saw("a worker repeated its report");
  reports_.insert(reports_.begin(), std::make_move_iterator(sent.begin()),
                  std::make_move_iterator(sent.end()));
  later(kAgain, [this] { report(); });
}

void Worker::beat(std::uint64_t number) {
  const auto found = tasks_.find(number);
  if (found == tasks_.end()) return;
  JsonObject body;
  body.add("token", found->second.call.token).add("worker", id_);
  if (watch_ != nullptr) watch_->asks(found->second.call);
  ask(post("/v1/tasks/heartbeat", body.finish()), [this, number](Result<HttpAnswer> answer) {
    if (answer && answer->status == 200) heard(number, json::parse(answer->body).at("cancelled").as_bool());
    later(options_.heartbeat, [this, number] { beat(number); });
  });
}

void Worker::heard(std::uint64_t number, bool cancelled) {
  const auto found = tasks_.find(number);
  if (found == tasks_.end()) return;
  if (!cancelled) {
    if (watch_ != nullptr) watch_->still_counts(found->second.call);
  } else if (!world_.fate().occasion(cancel_, options_.ignores_cancel)) {
    world_.saw("a worker dropped a cancelled task");
    forget(number);
  }
}

}  // namespace ganglion::sim
