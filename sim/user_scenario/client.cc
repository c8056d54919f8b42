#include "sim/user_scenario/client.h"

#include <boost/json.hpp>
#include <utility>

#include "base/json_text.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

// `shipment:57`: people count from one.
std::string numbered(const std::string& label, std::size_t index) {
  return label + ":" + std::to_string(index + 1);
}

std::uint32_t number_of(std::size_t index) {
  return static_cast<std::uint32_t>(index + 1);
}

std::string text(const json::value& object, const char* name) {
  return std::string(object.at(name).as_string());
}

std::string refused(const std::string& what, const HttpAnswer& answer) {
  return "the scenario is wrong: " + what + " was refused with " + std::to_string(answer.status) + ": " +
         answer.body;
}

}  // namespace

// --- runs
// -------------------------------------------------------------------------------------------------------------

Client::Client(World& world, std::string label, const scenario::Arrivals& arrivals,
               const scenario::Cancels& cancels, scenario::Draws draws, Duration until, History& history)
    : Program(world, "client." + label),
      label_(std::move(label)),
      arrivals_(arrivals),
      cancels_(cancels),
      draws_(draws),
      times_(arrival_times(arrivals, until, draws)),
      history_(history) {}

void Client::wait(std::size_t index) {
  if (index == times_.size()) return;
  later(SimTime(times_[index]) - world_.timeline().now(), [this, index] {
    if (world_.fate().once("arrival." + label_, number_of(index), 1.0)) arrive(index);
    wait(index + 1);
  });
}

void Client::arrive(std::size_t index) {
  const auto run = make_run(arrivals_, index, times_[index], draws_);
  if (!run) {
    return world_.violated("the scenario is wrong: arrivals of " + label_ + ": " + run.error().message);
  }
  submit(index, *run);
}

void Client::submit(std::size_t index, const scenario::NewRun& run) {
  JsonObject body;
  body.add("workflow", run.workflow).add_raw("input", run.input.bytes());
  if (run.session_id) body.add("session_id", *run.session_id);
  if (!run.labels.empty()) {
    JsonObject labels;
    for (const auto& [name, value] : run.labels) labels.add(name, value);
    body.add_raw("labels", labels.finish());
  }
  std::string content = body.finish();
  HttpCall call = post("/v1/runs", content);
  call.headers.emplace_back("Idempotency-Key", numbered(label_, index));
  ++pending_;
  insist(std::move(call), [this, index, content = std::move(content),
                           asked = world_.timeline().now()](const HttpAnswer& answer) {
    --pending_;
    started(index, content, asked, answer);
  });
}

void Client::started(std::size_t index, const std::string& body, SimTime asked, const HttpAnswer& answer) {
  const std::string key = numbered(label_, index);
  if (answer.status == 409) history_.mismatched(key, body);
  if (answer.status != 200 && answer.status != 201) {
    return world_.violated(refused("arrival." + key, answer));
  }
  const json::value run = json::parse(answer.body);
  const std::string id = text(run, "id");
  history_.started(key, body, id);
  history_.showed(id, text(run, "status"), asked);
  auto changes_mind = world_.fate().once("cancel." + label_, number_of(index), cancels_.rate.rate());
  if (!changes_mind) return;
  later(scenario::sample(cancels_.after, changes_mind.draw.word()), [this, index, id] { cancel(index, id); });
}

void Client::cancel(std::size_t index, const std::string& run) {
  world_.trace().add(name(), "cancels", numbered(label_, index));
  ++pending_;
  insist(post("/v1/runs/" + run + "/cancel", "{}"), [this, run](const HttpAnswer& answer) {
    --pending_;
    if (answer.status != 200) return world_.saw("a cancel came after the end");
    if (text(json::parse(answer.body), "status") == "cancelled") {
      world_.saw("a run was cancelled");
      history_.cancelled(run);
    }
  });
}

// --- events
// -----------------------------------------------------------------------------------------------------------

Publisher::Publisher(World& world, std::string label, const scenario::Publications& events,
                     scenario::Draws draws, Duration until, History& history)
    : Program(world, "publisher." + label),
      label_(std::move(label)),
      events_(events),
      draws_(draws),
      times_(publication_times(events, until, draws)),
      history_(history) {}

void Publisher::wait(std::size_t index) {
  if (index == times_.size()) return;
  later(SimTime(times_[index]) - world_.timeline().now(), [this, index] {
    if (world_.fate().once("event." + label_, number_of(index), 1.0)) publish(index);
    wait(index + 1);
  });
}

void Publisher::publish(std::size_t index) {
  const auto data = make_data(events_, index, times_[index], draws_);
  if (!data) {
    return world_.violated("the scenario is wrong: events of " + label_ + ": " + data.error().message);
  }
  const std::string id = numbered("event." + label_, index);
  JsonObject event;
  event.add("specversion", "1.0").add("id", id).add("source", "simulation").add("type", events_.topic);
  event.add_raw("data", data->bytes());
  ++pending_;
  insist({"POST", "/v1/events", {{"Content-Type", "application/cloudevents+json"}}, event.finish()},
         [this, id](const HttpAnswer& answer) {
           --pending_;
           if (answer.status != 202) return world_.violated(refused(id, answer));
           const json::value body = json::parse(answer.body);
           const auto seq = body.at("items").at(0).at("seq").to_number<std::uint64_t>();
           history_.published("simulation", id, seq);
         });
}

}  // namespace ganglion::sim
