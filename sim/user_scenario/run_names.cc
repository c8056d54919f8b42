#include "sim/user_scenario/run_names.h"

#include <utility>

#include "core/topic_event.h"

namespace ganglion::sim {
namespace {

constexpr std::string_view kRuns = "/v1/runs/";  // the source of what runs publish

}  // namespace

const std::string& RunNames::add(const RunId& run, const RunCreated& created,
                                 const std::optional<IdempotencyClaim>& claim) {
  const std::string name = origin(created, claim);
  std::string free = name;
  for (int again = 2; !taken_.insert(free).second; ++again) free = name + "+" + std::to_string(again);
  return names_.insert_or_assign(run, std::move(free)).first->second;
}

std::string RunNames::of(const RunId& run) const {
  const auto known = names_.find(run);
  return known == names_.end() ? run.text() : known->second;
}

std::string RunNames::origin(const RunCreated& created, const std::optional<IdempotencyClaim>& claim) {
  if (created.origin->parent) {
    std::string name = of(created.origin->parent->run) + "/" + created.origin->parent_step;
    if (created.origin->parent_mapped)
      name += "[" + std::to_string(created.origin->parent->item.value()) + "]";
    if (created.origin->parent->attempt > Attempt(1))
      name += "." + std::to_string(created.origin->parent->attempt.value());
    return name;
  }
  if (created.origin->cause) return cause(*created.origin->cause) + "/" + created.workflow;
  if (claim && claim->body_digest != "cron") return claim->key;
  return "cron." + created.workflow;
}

std::string RunNames::cause(const EventCause& cause) {
  EventQuery query;
  query.after = cause.seq - 1;
  query.limit = 1;
  const auto found = world_.store().ask<Result<std::vector<TopicEvent>>>(
      [&](Store& backing, auto answer) { backing.read_events(query, std::move(answer)); });
  if (!found || found->empty()) return "event";
  const TopicEvent& event = found->front();
  if (!event.source.starts_with(kRuns)) return event.id;
  const auto run = RunId::parse(event.source.substr(kRuns.size()));
  return (run ? of(*run) : event.source) + "/" + event.topic;
}

}  // namespace ganglion::sim
