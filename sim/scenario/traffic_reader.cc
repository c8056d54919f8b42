#include "sim/scenario/traffic_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/topic.h"
#include "project/names.h"
#include "project/suggestion.h"

namespace ganglion::scenario {
namespace {

// --- arrivals

std::vector<RecordedRun> read_recorded(const Field& field, const std::string& workflow,
                                       const Reading& reading) {
  const auto text = load_file(field, reading);
  if (!text) return {};
  auto runs = read_recorded_runs(*text);
  const std::string& path = field.value->text;
  if (!runs) {
    reading.report(field, path + ":" + std::to_string(runs.error().line) + ": " + runs.error().message);
    return {};
  }
  if (!workflow.empty())
    std::erase_if(*runs, [&](const RecordedRun& run) { return run.workflow != workflow; });
  if (runs->empty()) {
    reading.report(field, path + " has no run" + (workflow.empty() ? "" : " of the workflow " + workflow) +
                              " that a client started");
  }
  std::set<std::string> unknown;
  for (const RecordedRun& run : *runs) {
    if (!reading.project.workflows.contains(run.workflow)) unknown.insert(run.workflow);
  }
  for (const std::string& name : unknown) {
    reading.report(field, path + " has runs of the workflow \"" + name +
                              "\", which the project doesn't have; choose one with \"workflow\"");
  }
  if (unknown.empty()) return *std::move(runs);
  return {};
}

void read_values(Fields& fields, const Reading& reading, Arrivals& arrivals) {
  auto values = expressions(reading, {"index"});
  const auto found = reading.project.workflows.find(arrivals.workflow);
  const WorkflowDefinition* workflow = found == reading.project.workflows.end() ? nullptr : &found->second;
  arrivals.input = expr::Template::literal(Payload("{}"));
  const auto input = fields.take("input");
  if (input) arrivals.input = values.value(*input);
  if (workflow != nullptr) {
    hold_to(workflow->input, arrivals.input, input.value_or(fields.owner()),
            "the workflow " + arrivals.workflow, reading);
  }
  if (const auto session = fields.take("session")) arrivals.session = values.value(*session);
  if (const auto labels = fields.take("labels")) {
    for (const auto& [name, label] : Fields(*labels, reading.diagnostics).take_all()) {
      arrivals.labels.emplace(name, values.value(label));
    }
  }
}

Arrivals read_arrival(const Field& field, Duration duration, const Reading& reading) {
  Arrivals arrivals;
  Fields fields(field, reading.diagnostics);
  if (field.value->kind != YamlKind::map) return arrivals;
  const auto workflow = fields.take("workflow");
  if (workflow) arrivals.workflow = read_workflow(*workflow, reading).value_or("");
  const auto timing = TimingFields::take(fields);
  if (const auto recorded = fields.take("recorded")) {
    for (const auto* field_of : {&timing.rate, &timing.every, &timing.at}) {
      if (*field_of) reading.report(**field_of, "recorded runs come at their own times");
    }
    for (const std::string_view key : {"input", "session", "labels"}) {
      if (const auto value = fields.take(key)) reading.report(*value, "recorded runs bring their own");
    }
    if (timing.count) {
      const auto most = static_cast<std::int64_t>(kMaxArrivals);
      const auto count = project::read_integer(*timing.count, 1, most, reading.diagnostics);
      arrivals.count = static_cast<std::uint64_t>(count.value_or(most));
    }
    arrivals.recorded = read_recorded(*recorded, arrivals.workflow, reading);
  } else {
    if (!workflow) reading.report(field, "needs \"workflow\", or \"recorded\" runs");
    TimingRead read = read_timing(field, timing, duration, reading);
    arrivals.timing = std::move(read.timing);
    arrivals.count = read.count;
    read_values(fields, reading, arrivals);
  }
  fields.finish();
  return arrivals;
}

// --- events

// The patterns of topics that something in the project reacts to.
std::vector<std::string> listened_to(const Project& project) {
  std::vector<std::string> patterns;
  for (const Trigger& trigger : project.triggers) {
    if (const auto* event = std::get_if<EventTrigger>(&trigger.source)) patterns.push_back(event->on);
  }
  for (const auto& [name, agent] : project.agents) {
    patterns.insert(patterns.end(), agent.subscribes.begin(), agent.subscribes.end());
  }
  for (const auto& [name, workflow] : project.workflows) {
    for (const StepDefinition& step : workflow.steps) {
      if (const auto* wait = std::get_if<WaitFor>(&step.action)) patterns.push_back(wait->event);
    }
  }
  return patterns;
}

void check_data(const Publications& events, const Field& field, const Reading& reading) {
  const auto topic = reading.project.topics.find(events.topic);
  if (topic == reading.project.topics.end() || topic->second.empty()) return;
  hold_to(topic->second.rbegin()->second, events.data, field, "the topic " + events.topic, reading);
}

Publications read_publications(const Field& field, Duration duration, const Reading& reading) {
  Publications events;
  Fields fields(field, reading.diagnostics);
  if (field.value->kind != YamlKind::map) return events;
  if (const auto topic = fields.take("topic")) {
    events.topic = project::read_topic(*topic, reading.diagnostics).value_or("");
    const auto patterns = listened_to(reading.project);
    if (is_topic(events.topic) && !any_matches(patterns, events.topic)) {
      reading.report(*topic, "nothing in the project reacts to \"" + events.topic + "\"" +
                                 project::did_you_mean(events.topic, patterns));
    }
  } else {
    reading.report(field, "needs \"topic\"");
  }
  TimingRead read = read_timing(field, TimingFields::take(fields), duration, reading);
  events.timing = std::move(read.timing);
  events.count = read.count;
  const auto data = fields.take("data");
  if (data) events.data = expressions(reading, {"index"}).value(*data);
  check_data(events, data.value_or(field), reading);
  fields.finish();
  return events;
}

// --- people

// Who may decide at a step: nothing where it asks no person.
std::optional<std::vector<std::string>> deciders(const StepDefinition& step, const Project& project) {
  if (const auto* approval = std::get_if<Approval>(&step.action)) return approval->by;
  const auto* call = std::get_if<AgentCall>(&step.action);
  if (call == nullptr) return std::nullopt;
  // Also by a router, a fallback or an expression.
  if (call->agent.empty()) return std::vector<std::string>();
  const AgentDefinition& agent = project.agents.at(call->agent);
  if (const auto* human = std::get_if<HumanAgent>(&agent.backend)) return human->by;
  const auto& chain = step.fallback ? *step.fallback : agent.fallback;
  const bool may_ask = std::holds_alternative<RouterAgent>(agent.backend) || !chain.empty();
  return may_ask ? std::optional(std::vector<std::string>()) : std::nullopt;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

void check_step(const Field& field, const std::string& name, const std::string& by, const Reading& reading) {
  std::vector<std::string> asking;
  std::vector<std::string> others;
  bool exists = false;
  for (const auto& [workflow_name, workflow] : reading.project.workflows) {
    for (const StepDefinition& step : workflow.steps) {
      const auto allowed = deciders(step, reading.project);
      if (allowed) asking.push_back(step.name);
      if (step.name != name) continue;
      exists = true;
      if (!allowed) continue;
      if (allowed->empty() || std::ranges::find(*allowed, by) != allowed->end()) return;
      others.insert(others.end(), allowed->begin(), allowed->end());
    }
  }
  if (!others.empty()) {
    reading.report(field, "\"" + by + "\" may not decide at " + name + ": it asks " + listed(others));
  } else if (exists) {
    reading.report(field, "the step " + name + " asks no person");
  } else {
    reading.report(field, "no step \"" + name + "\"" + project::did_you_mean(name, asking));
  }
}

Person read_person(const Field& field, const Reading& reading) {
  Person person;
  Fields fields(field, reading.diagnostics);
  if (field.value->kind != YamlKind::map) return person;
  if (const auto by = fields.take("by")) {
    person.by = project::read_text(*by, reading.diagnostics).value_or("");
    if (person.by.size() > project::kMaxPersonBytes) reading.report(*by, "too long for a name");
  } else {
    reading.report(field, "needs \"by\": who decides");
  }
  if (const auto steps = fields.take("steps")) {
    for (const Field& item : reading.items(*steps, kMaxSteps, "[sign_off]")) {
      const auto name = project::read_text(item, reading.diagnostics);
      if (!name) continue;
      check_step(item, *name, person.by, reading);
      person.steps.push_back(*name);
    }
  }
  if (const auto after = fields.take("after")) {
    person.after = read_latency(*after, reading).value_or(person.after);
  }
  if (const auto approve = fields.take("approve")) person.approve = read_chance(*approve, reading);
  if (const auto output = fields.take("output")) {
    person.output = expressions(reading, {"show", "step"}).value(*output);
  }
  if (const auto comment = fields.take("comment")) {
    person.comment = project::read_text(*comment, reading.diagnostics).value_or("");
    if (person.comment.size() > kMaxComment) {
      reading.report(*comment, "a comment has at most " + std::to_string(kMaxComment) + " bytes");
    }
  }
  fields.finish();
  return person;
}

}  // namespace

std::vector<Arrivals> read_arrivals(const Field& field, Duration duration, const Reading& reading) {
  std::vector<Arrivals> arrivals;
  for (const Field& item : reading.items(field, kMaxEntries, "[{workflow: review, rate: 5/s, input: {}}]")) {
    arrivals.push_back(read_arrival(item, duration, reading));
  }
  return arrivals;
}

std::vector<Publications> read_events(const Field& field, Duration duration, const Reading& reading) {
  std::vector<Publications> events;
  for (const Field& item :
       reading.items(field, kMaxEntries, "[{topic: file.uploaded, every: 1m, data: {}}]")) {
    events.push_back(read_publications(item, duration, reading));
  }
  return events;
}

std::vector<Person> read_persons(const Field& field, const Reading& reading) {
  std::vector<Person> people;
  for (const Field& item : reading.items(field, kMaxEntries, "[{by: ann, steps: [sign_off], after: 5m}]")) {
    people.push_back(read_person(item, reading));
  }
  return people;
}

Cancels read_cancels(const Field& field, const Reading& reading) {
  Cancels cancels;
  Fields fields(field, reading.diagnostics);
  if (field.value->kind != YamlKind::map) return cancels;
  if (const auto rate = fields.take("rate")) {
    cancels.rate = read_chance(*rate, reading);
  } else {
    reading.report(field, "needs \"rate\", such as {rate: 0.02, after: {min: 0s, max: 10s}}");
  }
  if (const auto after = fields.take("after")) {
    cancels.after = read_latency(*after, reading).value_or(cancels.after);
  }
  fields.finish();
  return cancels;
}

}  // namespace ganglion::scenario
