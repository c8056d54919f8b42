// Steps begin: conditions, lists, and the actions that take no time.

#include <algorithm>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/decider.h"
#include "core/state_size.h"
#include "core/topic.h"

namespace ganglion {

Decider::Begun Decider::begin(StepIndex step) {
  auto begun = take_up(step);
  if (begun) return *begun;
  cannot_schedule(step, begun.error());
  return Begun::yes;
}

Result<Decider::Begun> Decider::take_up(StepIndex step) {
  const StepDefinition& definition = run_.definition(step);
  if (definition.condition) {
    const auto wanted = definition.condition->evaluate(scope_);
    if (!wanted) return std::unexpected(wanted.error());
    if (!wanted->is(expr::Kind::boolean)) return fail("invalid_condition", "`if` gave no true or false");
    if (!wanted->as_boolean()) {
      emit(StepSkipped{step});
      return Begun::yes;
    }
  }
  if (definition.for_each) return begin_mapped(step, *definition.for_each);
  auto at_once = act_at_once({step, ItemIndex(0)});
  if (!at_once) return std::unexpected(at_once.error());
  if (!*at_once) return schedule({step, ItemIndex(0)});
  emit(StepCompleted{step, **std::move(at_once), std::nullopt});
  return Begun::yes;
}

Result<Decider::Begun> Decider::begin_mapped(StepIndex step, const expr::Template& list) {
  const auto items = list.evaluate(scope_);
  if (!items) return std::unexpected(items.error());
  if (!items->is(expr::Kind::list)) return fail("invalid_list", "`for_each` gave no list");
  if (items->size() > kMaxMapItems) {
    return fail("too_many_items", "`for_each` gave " + std::to_string(items->size()) + " items; at most " +
                                      std::to_string(kMaxMapItems) + " are allowed");
  }
  std::string outputs = "[";
  for (std::size_t i = 0; i < items->size(); ++i) {
    scope_.enter_item(items->at(i), i);
    auto at_once = act_at_once({step, ItemIndex(static_cast<std::uint32_t>(i))});
    scope_.leave();
    if (!at_once) return std::unexpected(at_once.error());
    if (!*at_once) {
      auto written = items->to_json();
      if (!written) return std::unexpected(written.error());
      emit(StepStarted{step, *std::move(written)});
      return fill(step);
    }
    if (i > 0) outputs += ',';
    outputs += (*at_once)->bytes();
  }
  auto output = bounded(Payload(outputs + "]"));
  if (!output) return std::unexpected(output.error());
  emit(StepCompleted{step, *std::move(output), std::nullopt});
  return Begun::yes;
}

Result<std::optional<Payload>> Decider::act_at_once(Place place) {
  const auto some = [](Result<Payload> output) -> Result<std::optional<Payload>> {
    if (!output) return std::unexpected(output.error());
    return std::optional<Payload>(*std::move(output));
  };
  const auto takes_time = []() -> Result<std::optional<Payload>> { return std::nullopt; };
  return std::visit(
      Overloaded{[&](const AgentCall&) { return takes_time(); },
                 [&](const SubWorkflow&) { return takes_time(); },
                 [&](const Approval&) { return takes_time(); }, [&](const WaitFor&) { return takes_time(); },
                 [&](const Sleep&) { return takes_time(); },
                 [&](const Publish& action) { return some(publish(place, action)); },
                 [&](const SetState& action) { return some(set(place, action)); },
                 [&](const Transform& action) { return some(bounded(action.value.render(scope_))); }},
      run_.definition(place.step).action);
}

// The version whose schema the data was held against; 0 for a topic without.
Result<std::uint32_t> Decider::checked_version(const std::string& topic, std::uint32_t version,
                                               const Payload& data) const {
  const auto declared = run_.project().topics.find(topic);
  if (declared == run_.project().topics.end() || declared->second.empty()) {
    if (version == 0) return 0U;
    return fail("invalid_event", "the topic " + topic + " has no version " + std::to_string(version));
  }
  const auto schema = version == 0 ? std::prev(declared->second.end()) : declared->second.find(version);
  if (schema == declared->second.end()) {
    return fail("invalid_event", "the topic " + topic + " has no version " + std::to_string(version));
  }
  const auto violations = schema->second.validate_json(data.bytes());
  if (!violations) return fail("invalid_event", violations.error().message);
  if (!violations->empty()) {
    const schema::Violation& first = violations->front();
    return fail("invalid_event", "the data of " + topic + ": " +
                                     (first.path.empty() ? "" : first.path + ": ") + first.message);
  }
  return schema->first;
}

Payload Decider::emit_published(Place place, std::string topic, std::uint32_t version, Payload data) {
  TopicEvent event{.id = std::to_string(run_.version() + 1),
                   .source = "/v1/runs/" + run_.id().text(),
                   .topic = std::move(topic),
                   .version = version,
                   .time = now_,
                   .data = std::move(data)};
  emit(EventPublished{place.step, place.item, event.id, event.topic, event.version, event.data});
  return event_payload(event);
}

Result<Payload> Decider::publish(Place place, const Publish& action) {
  auto data = bounded(action.data.render(scope_));
  if (!data) return std::unexpected(data.error());
  if (run_.created().origin->cause && run_.created().origin->cause->hops >= kMaxHops) {
    return fail("hop_limit", "the event that started this run is the end of a chain of " +
                                 std::to_string(kMaxHops) + " events that caused each other");
  }
  const auto version = checked_version(action.topic, 0, *data);
  if (!version) return std::unexpected(version.error());
  return emit_published(place, action.topic, *version, *std::move(data));
}

std::optional<Timestamp> Decider::expiry_of(const std::string& key) const {
  if (!key.starts_with("scratch.")) return std::nullopt;
  return now_ + kScratchTtl;
}

Result<Payload> Decider::set(Place place, const SetState& action) {
  if (!run_.created().session_id) {
    return fail("no_session",
                "`set` writes the state of the run's session, and the run was started without one");
  }
  // All values see the state as it was before any of them is written.
  std::vector<StateWrite> writes;
  for (const SetState::Write& write : action.writes) {
    auto value = bounded(write.value.render(scope_));
    if (!value) return std::unexpected(value.error());
    const bool removed = value->is_null();
    writes.push_back({.key = write.key,
                      .value = removed ? std::nullopt : std::optional(*std::move(value)),
                      .expires_at = removed ? std::nullopt : expiry_of(write.key)});
  }
  if (!has_room(scope_.state(), writes)) return std::unexpected(state_too_large());
  for (StateWrite& write : writes) emit(StateChanged{place.step, place.item, std::move(write)});
  return Payload();
}

}  // namespace ganglion
