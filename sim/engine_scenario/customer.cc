#include "sim/engine_scenario/customer.h"

#include <boost/json.hpp>
#include <utility>

#include "base/json_text.h"
#include "core/ids.h"
#include "sim/engine_scenario/projects.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

json::value body_of(const HttpAnswer& answer) {
  boost::system::error_code broken;
  json::value value = json::parse(answer.body, broken);
  return broken ? json::value() : value;
}

std::string member(const json::value& object, const char* name) {
  if (!object.is_object()) return {};
  const json::value* found = object.as_object().if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

// Whole events of a stream (text/event-stream), as they come in pieces.
template <typename Event>
void take_events(std::string& buffer, std::string_view piece, Event event) {
  buffer += piece;
  while (true) {
    const std::size_t end = buffer.find("\n\n");
    if (end == std::string::npos) return;
    std::string id, data;
    std::size_t at = 0;
    while (at < end) {
      const std::size_t line_end = std::min(buffer.find('\n', at), end);
      const std::string_view line = std::string_view(buffer).substr(at, line_end - at);
      if (line.starts_with("id: ")) id = line.substr(4);
      if (line.starts_with("data: ")) data += line.substr(6);
      at = line_end + 1;
    }
    buffer.erase(0, end + 2);
    if (!id.empty()) event(std::stoull(id), data);
  }
}

constexpr SimTime kFollows{8'000'000};  // how long a follower stays

}  // namespace

Customer::Customer(World& world, const std::string& name, Options options, History& history)
    : Program(world, name),
      options_(options),
      history_(history),
      pause_(world.fate().site(name + ".pause")),
      action_(world.fate().site(name + ".acts")) {}

void Customer::act_later() {
  later(world_.fate().draw(pause_).between(SimTime(5'000), options_.pause_most), [this] {
    if (calm_) return;
    if (const auto occasion = world_.fate().occasion(action_, 1.0)) act(occasion.draw);
    act_later();
  });
}

void Customer::act(Draw draw) {
  const std::uint64_t choice = draw.below(100);
  const std::string run = any_run(draw);
  if (choice < 34 || run.empty()) return start_run(draw);
  if (choice < 42) return start_again(draw);
  if (choice < 47) return verb(run, "cancel");
  if (choice < 50) return verb(run, "pause");
  if (choice < 54) return verb(run, "resume");
  if (choice < 57) return verb(run, "retry");
  if (choice < 60) return fork(run, draw);
  if (choice < 63) return signal(run, draw);
  if (choice < 70) return publish(draw);
  if (choice < 75) return write_state(draw);
  if (choice < 84) return decide_first(draw);
  if (choice < 86) return guess(draw);
  if (choice < 90) return look(run);
  if (choice < 92) return list();
  if (choice < 95) return follow(run);
  if (choice < 97) return follow_log();
  if (choice < 99) return requeue();
  if (options_.changes_projects) change_project(draw);
}

std::string Customer::any_run(Draw& draw) const {
  return runs_.empty() ? std::string() : runs_[draw.below(runs_.size())];
}

// --- runs
// -------------------------------------------------------------------------------------------------------------

void Customer::start_run(Draw& draw) {
  const std::string key = name() + "-" + std::to_string(++last_);
  const bool inner = draw.chance(0.3);
  std::string list = "[";
  for (std::uint64_t i = draw.below(5); i > 0; --i) list += (list.size() > 1 ? "," : "") + std::to_string(i);
  JsonObject input;
  input.add("k", static_cast<std::int64_t>(draw.below(3))).add_raw("list", list + "]");
  input.add("text", draw.chance(0.5) ? "please translate" : "hello");
  JsonObject body;
  body.add("workflow", inner ? "inner" : "main").add_raw("input", input.finish());
  if (draw.chance(0.7)) body.add("session_id", "s" + std::to_string(draw.below(2)));
  if (draw.chance(0.2)) body.add("priority", static_cast<std::int64_t>(draw.below(10)));
  std::string labels = R"({"key":")" + key + "\"";
  if (draw.chance(0.3)) labels += R"(,"tenant":"t)" + std::to_string(draw.below(2)) + "\"";
  body.add_raw("labels", labels + "}");
  starts_.emplace_back(key, body.finish());
  submit_start(key, starts_.back().second);
}

// The same again, or another body under the same key.
void Customer::start_again(Draw& draw) {
  if (starts_.empty()) return;
  const auto& [key, body] = starts_[draw.below(starts_.size())];
  if (draw.chance(0.7)) return submit_start(key, body);
  submit_start(key, R"({"workflow":"inner","input":{"k":77}})");
}

void Customer::submit_start(const std::string& key, const std::string& body) {
  HttpCall call = post("/v1/runs", body);
  call.headers.emplace_back("Idempotency-Key", key);
  const SimTime asked = world_.timeline().now();
  insist(std::move(call), [this, key, body, asked](const HttpAnswer& answer) {
    const json::value run = body_of(answer);
    if (answer.status == 409) return history_.mismatched(key, body);
    if (answer.status != 200 && answer.status != 201) return;
    const std::string id = member(run, "id");
    world_.trace().add(name(), "started", id);
    history_.started(key, body, id);
    history_.showed(id, member(run, "status"), asked);
    runs_.push_back(id);
  });
}

void Customer::verb(const std::string& run, const std::string& verb) {
  world_.trace().add(name(), verb, run);
  // Before the answer: a retry may count although nobody is told.
  if (verb == "retry") history_.retried(run);
  insist(post("/v1/runs/" + run + "/" + verb, "{}"), [this, run, verb](const HttpAnswer& answer) {
    if (answer.status != 200) {
      if (answer.status != 409) return;
      world_.saw(verb == "cancel" ? "a cancel came after the end" : verb + " was refused");
      return;
    }
    const std::string status = member(body_of(answer), "status");
    if (verb == "cancel" && status == "cancelled") history_.cancelled(run);
  });
}

void Customer::fork(const std::string& run, Draw& draw) {
  JsonObject body;
  body.add("from_step", draw.chance(0.5) ? "first" : "one");
  // Not to be repeated: each would be another run.
  ask(post("/v1/runs/" + run + "/fork", body.finish()), [this, run](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 201) return;
    const std::string id = member(body_of(*answer), "id");
    world_.saw("a run was forked");
    history_.forked(run, id);
    runs_.push_back(id);
  });
}

void Customer::signal(const std::string& run, Draw& draw) {
  HttpCall call =
      post("/v1/runs/" + run + "/signals/inner.done", R"({"n":)" + std::to_string(draw.below(9)) + "}");
  call.headers.emplace_back("Idempotency-Key", name() + "-s" + std::to_string(++last_));
  insist(std::move(call), [](const HttpAnswer&) {});
}

void Customer::look(const std::string& run) {
  ask({"GET", "/v1/runs/" + run}, [this, run, asked = world_.timeline().now()](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 200) {
      if (answer && answer->status == 404 && !world_.has_lost_writes()) {
        world_.violated("an acknowledged run is not found: " + run);
      }
      return;
    }
    history_.showed(run, member(body_of(*answer), "status"), asked);
  });
}

void Customer::list() {
  ask({"GET", "/v1/runs?limit=200"}, [this](Result<HttpAnswer> answer) {
    if (answer && answer->status == 200) world_.saw("runs were listed");
  });
}

void Customer::guess(Draw& draw) {
  if (history_.inputs().empty()) return;
  auto at = history_.inputs().begin();
  std::advance(at, static_cast<std::ptrdiff_t>(draw.below(history_.inputs().size())));
  auto token = AttemptToken::parse(at->first);
  if (draw.chance(0.5)) {
    token->attempt = Attempt(static_cast<std::uint32_t>(token->attempt.value() + 1 + draw.below(3)));
  } else {
    token->item = ItemIndex(static_cast<std::uint32_t>(draw.below(5)));
    token->step = StepIndex(static_cast<std::uint32_t>(draw.below(20)));
  }
  // Nothing proves yet who reports: if the guess is right, the attempt ends.
  AgentCall guessed;
  guessed.token = token->text();
  history_.left(guessed);
  JsonObject result;
  result.add("token", token->text()).add_raw("output", R"({"n":-7})");
  ask(post("/v1/tasks/complete", JsonObject().add_raw("results", "[" + result.finish() + "]").finish()),
      [this](Result<HttpAnswer> answer) {
        if (!answer || answer->status != 200) return;
        if (answer->body.find("accepted") == std::string::npos) world_.saw("a guessed token was rejected");
      });
}

// --- people, events, state
// --------------------------------------------------------------------------------------------

void Customer::decide_first(Draw& draw) {
  ask({"GET", "/v1/approvals?limit=20"}, [this, draw](Result<HttpAnswer> answer) mutable {
    if (!answer || answer->status != 200) return;
    const json::value body = body_of(*answer);
    const json::array& items = body.at("items").as_array();
    if (items.empty()) return;
    const json::value& item = items[draw.below(items.size())];
    const std::string id = member(item, "id");
    std::string digest = member(item, "digest");
    if (draw.chance(0.15)) digest[0] = digest[0] == '0' ? '1' : '0';
    decide(id, digest, draw.chance(0.7) ? "approve" : "reject");
    if (draw.chance(0.3)) decide(id, digest, draw.chance(0.5) ? "approve" : "reject");
  });
}

void Customer::decide(const std::string& id, const std::string& digest, const char* decision) {
  JsonObject body;
  body.add("decision", decision).add("digest", digest).add("by", "ann");
  insist(post("/v1/approvals/" + id, body.finish()), [this, id, decision](const HttpAnswer& answer) {
    if (answer.status == 200) {
      world_.saw("an approval was decided");
      history_.decided(id, decision);
    } else if (answer.status == 409 || answer.status == 403) {
      world_.saw("a decision was refused");
    }
  });
}

void Customer::publish(Draw& draw) {
  const std::string id = name() + "-e" + std::to_string(++last_);
  constexpr const char* kTopics[] = {"inner.other", "told.outside", "ask.outside", "nobody.cares"};
  JsonObject event;
  event.add("specversion", "1.0").add("id", id).add("source", "sim").add("type", kTopics[draw.below(4)]);
  event.add_raw("data", R"({"n":)" + std::to_string(draw.below(9)) + "}");
  HttpCall call{"POST", "/v1/events", {{"Content-Type", "application/cloudevents+json"}}, event.finish()};
  insist(std::move(call), [this, id](const HttpAnswer& answer) {
    if (answer.status != 202) return;
    const json::value body = body_of(answer);
    const json::value& item = body.at("items").at(0);
    if (item.at("duplicate").as_bool()) world_.saw("an event was published again");
    history_.published("sim", id, static_cast<std::uint64_t>(item.at("seq").to_number<std::int64_t>()));
  });
}

void Customer::write_state(Draw& draw) {
  const std::string session = "s" + std::to_string(draw.below(2));
  const std::string key = draw.chance(0.5) ? "own." + name() : "shared";
  const std::string value = "\"" + name() + " " + std::to_string(++last_) + "\"";
  HttpCall call{
      "PUT", "/v1/sessions/" + session + "/state/" + key, {{"Content-Type", "application/json"}}, value};
  if (draw.chance(0.3)) call.headers.emplace_back("If-None-Match", "*");
  ask(std::move(call), [this, session, key, value](Result<HttpAnswer> answer) {
    if (!answer) return;
    if (answer->status == 412) world_.saw("a conditional write lost");
    if (answer->status != 200 && answer->status != 201) return;
    const json::value body = body_of(*answer);
    history_.wrote_state(session, key,
                         static_cast<std::uint64_t>(body.at("version").to_number<std::int64_t>()), value);
  });
}

void Customer::requeue() {
  ask({"GET", "/v1/dead-letters?limit=10"}, [this](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 200) return;
    const json::value body = body_of(*answer);
    const json::array& items = body.at("items").as_array();
    if (items.empty()) return;
    const std::string run = member(items[0], "run_id");
    if (!run.empty()) history_.retried(run);
    ask(post("/v1/dead-letters/" + member(items[0], "id") + "/requeue", "{}"),
        [this](Result<HttpAnswer> requeued) {
          if (requeued && requeued->status < 300) world_.saw("a dead letter was requeued");
        });
  });
}

void Customer::change_project(Draw& draw) {
  HttpCall call{"PUT",
                "/v1/project",
                {{"Content-Type", "text/yaml"}},
                engine_project(options_.project, 1 + static_cast<int>(draw.below(2)))};
  insist(std::move(call), [this](const HttpAnswer& answer) {
    if (answer.status == 200) world_.saw("the project was changed");
  });
}

// --- followers
// --------------------------------------------------------------------------------------------------------

void Customer::follow(const std::string& run) {
  auto buffer = std::make_shared<std::string>();
  HttpCall call{"GET", "/v1/runs/" + run + "/journal", {{"Accept", "text/event-stream"}}};
  auto last = std::make_shared<std::uint64_t>(0);
  const CallId id = world_.network().stream(
      name(), pick_host(), std::move(call),
      {.piece =
           [this, buffer, run, last](std::string_view piece) {
             take_events(*buffer, piece, [&](std::uint64_t seq, const std::string& entry) {
               if (seq != *last + 1 && !world_.has_lost_writes()) {
                 world_.violated("a follower of " + run + " got entry " + std::to_string(seq) + " after " +
                                 std::to_string(*last));
               }
               *last = seq;
               history_.followed(run, seq, entry);
             });
           },
       .end = [](const Error&) {}});
  later(kFollows, [this, id] { world_.network().close(id); });
}

void Customer::follow_log() {
  const std::string follower = name() + "-l" + std::to_string(++last_);
  auto buffer = std::make_shared<std::string>();
  HttpCall call{"GET", "/v1/events?topic=**&after=0", {{"Accept", "text/event-stream"}}};
  const CallId id = world_.network().stream(
      name(), pick_host(), std::move(call),
      {.piece =
           [this, buffer, follower](std::string_view piece) {
             take_events(*buffer, piece, [&](std::uint64_t seq, const std::string& event) {
               history_.heard(follower, seq, event);
             });
           },
       .end = [](const Error&) {}});
  later(kFollows, [this, id] { world_.network().close(id); });
}

}  // namespace ganglion::sim
