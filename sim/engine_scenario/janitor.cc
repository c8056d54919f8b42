#include "sim/engine_scenario/janitor.h"

#include <boost/json.hpp>

#include "base/json_text.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

constexpr SimTime kRound{500'000};

std::string text(const json::value& object, const char* name) {
  return std::string(object.at(name).as_string());
}

}  // namespace

void Janitor::go_round() {
  decide_all();
  resume_all();
  later(kRound, [this] { go_round(); });
}

void Janitor::decide_all() {
  ask({"GET", "/v1/approvals?limit=200"}, [this](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 200) return;
    const json::value body = json::parse(answer->body);
    for (const json::value& item : body.at("items").as_array()) {
      JsonObject decision;
      decision.add("decision", "approve").add("digest", text(item, "digest")).add("by", "ann");
      ask(post("/v1/approvals/" + text(item, "id"), decision.finish()), [](const Result<HttpAnswer>&) {});
    }
  });
}

void Janitor::resume_all() {
  ask({"GET", "/v1/runs?status=paused&limit=200"}, [this](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 200) return;
    const json::value body = json::parse(answer->body);
    for (const json::value& item : body.at("items").as_array()) {
      ask(post("/v1/runs/" + text(item, "id") + "/resume", "{}"), [](const Result<HttpAnswer>&) {});
    }
  });
}

}  // namespace ganglion::sim
