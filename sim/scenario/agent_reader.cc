#include "sim/scenario/agent_reader.h"

#include <cmath>
#include <utility>
#include <variant>

#include "base/overloaded.h"
#include "core/expr/bindings.h"
#include "project/names.h"
#include "sim/scenario/script_reader.h"

namespace ganglion::scenario {
namespace {

// Why the agent is not simulated; nothing where it is.
std::optional<std::string> exception_of(const AgentDefinition& agent) {
  return std::visit(
      Overloaded{[](const WorkerAgent&) -> std::optional<std::string> { return std::nullopt; },
                 [](const ProcessAgent&) -> std::optional<std::string> { return std::nullopt; },
                 [](const HttpAgent&) -> std::optional<std::string> { return std::nullopt; },
                 [](const HumanAgent&) -> std::optional<std::string> {
                   return "is a person: say under \"people\" what is answered";
                 },
                 [](const RouterAgent&) -> std::optional<std::string> {
                   return "is a router and routes by itself: simulate its classifier and its targets";
                 }},
      agent.backend);
}

std::optional<std::int64_t> whole_number(const Field& field, double unit, std::int64_t most,
                                         const Reading& reading) {
  const auto amount = project::read_number(field, 0, static_cast<double>(most) / unit, reading.diagnostics);
  if (!amount) return std::nullopt;
  const double units = *amount * unit;
  const std::int64_t whole = std::llround(units);
  if (unit == 1 && static_cast<double>(whole) != *amount) {
    reading.report(field, "expected a whole number, got " + describe(*field.value));
  }
  return whole;
}

// A number, or {min, max}; in units of 1/`unit`.
UsageModel::Range read_range(const Field& field, double unit, std::int64_t most, const Reading& reading) {
  UsageModel::Range range;
  if (field.value->kind != YamlKind::map) {
    range.min = whole_number(field, unit, most, reading).value_or(0);
    range.max = range.min;
    return range;
  }
  Fields fields(field, reading.diagnostics);
  const auto min = fields.take("min");
  const auto max = fields.take("max");
  fields.finish();
  if (min) range.min = whole_number(*min, unit, most, reading).value_or(0);
  range.max = range.min;
  if (!max) {
    reading.report(field, "expected a number or {min, max}");
    return range;
  }
  range.max = whole_number(*max, unit, most, reading).value_or(range.min);
  if (range.max < range.min) {
    reading.report(*max, "max is less than min");
    range.max = range.min;
  }
  return range;
}

UsageModel read_usage_model(const Field& field, const Reading& reading) {
  UsageModel usage;
  Fields fields(field, reading.diagnostics);
  if (const auto tokens = fields.take("tokens")) {
    usage.tokens = read_range(*tokens, 1, kMaxUsedTokens, reading);
  }
  if (const auto usd = fields.take("usd")) {
    usage.nano_usd = read_range(*usd, static_cast<double>(kNanoUsd), kMaxNanoUsd, reading);
  }
  fields.finish();
  return usage;
}

ErrorModel read_errors(const Field& field, const Reading& reading) {
  ErrorModel errors;
  if (field.value->kind != YamlKind::map) {
    errors.rate = read_chance(field, reading);
    return errors;
  }
  Fields fields(field, reading.diagnostics);
  if (const auto rate = fields.take("rate")) {
    errors.rate = read_chance(*rate, reading);
  } else {
    reading.report(field, "needs \"rate\", such as {rate: 0.05, code: upstream}");
  }
  if (const auto code = fields.take("code")) {
    errors.code = read_error_code(*code, reading).value_or(errors.code);
  }
  if (const auto message = fields.take("message")) {
    errors.message = project::read_text(*message, reading.diagnostics).value_or(errors.message);
  }
  if (const auto retryable = fields.take("retryable")) {
    errors.retryable = read_flag(*retryable, reading).value_or(errors.retryable);
  }
  fields.finish();
  return errors;
}

SlowModel read_slow(const Field& field, const Reading& reading) {
  SlowModel slow;
  if (field.value->kind != YamlKind::map) {
    slow.rate = read_chance(field, reading);
    return slow;
  }
  Fields fields(field, reading.diagnostics);
  if (const auto rate = fields.take("rate")) {
    slow.rate = read_chance(*rate, reading);
  } else {
    reading.report(field, "needs \"rate\", such as {rate: 0.02, factor: 20}");
  }
  if (const auto factor = fields.take("factor")) {
    const auto number = project::read_integer(*factor, 1, kMaxSlowFactor, reading.diagnostics);
    slow.factor = static_cast<std::uint32_t>(number.value_or(slow.factor));
  }
  fields.finish();
  return slow;
}

Effect read_effect(const Field& field, const Reading& reading) {
  const std::string_view word = field.value->text;
  if (word == "idempotent") return Effect::idempotent;
  if (word == "irreversible") return Effect::irreversible;
  if (word != "pure") {
    reading.report(field, "expected pure, idempotent or irreversible, got " + describe(*field.value));
  }
  return Effect::pure;
}

// The answers of this agent in a recording.
std::shared_ptr<const Recording> read_recording(const Field& field, const std::string& agent,
                                                const Reading& reading) {
  const auto text = load_file(field, reading);
  if (!text) return nullptr;
  auto recordings = read_recorded_answers(*text);
  if (!recordings) {
    reading.report(field, field.value->text + ":" + std::to_string(recordings.error().line) + ": " +
                              recordings.error().message);
    return nullptr;
  }
  const auto found = recordings->find(agent);
  if (found == recordings->end()) {
    reading.report(field, field.value->text + " has no answer of the agent " + agent);
    return nullptr;
  }
  return std::make_shared<const Recording>(std::move(found->second));
}

void read_luck(Fields& fields, const Reading& reading, AgentModel& model) {
  if (const auto errors = fields.take("errors")) model.errors = read_errors(*errors, reading);
  if (const auto hang = fields.take("hang")) model.hang = read_chance(*hang, reading);
  if (const auto garbage = fields.take("garbage")) model.garbage = read_chance(*garbage, reading);
  if (const auto slow = fields.take("slow")) model.slow = read_slow(*slow, reading);
  if (const auto duplicate = fields.take("duplicate")) model.duplicate = read_chance(*duplicate, reading);
  if (const auto crash = fields.take("crash")) model.crash = read_chance(*crash, reading);
}

void read_behaviour(Fields& fields, const AgentDefinition& definition, const Reading& reading,
                    AgentModel& model) {
  const auto key = fields.take("key");
  const auto state = fields.take("state");
  const auto script = fields.take("script");
  const auto recorded = fields.take("recorded");
  if (key) model.key = expressions(reading, {"input"}).value(*key);
  if (state) {
    // Read as a value with expressions, in which no name exists: a mistake is reported where it stands.
    const expr::Template value = expressions(reading, {}).value(*state);
    if (!value.is_literal()) reading.report(*state, "expressions are not evaluated here");
    model.state = value.is_literal() ? value.render(expr::Bindings()).value_or(Payload()) : Payload();
  }
  if (script) model.script = read_script(*script, definition, reading);
  if (recorded) model.recorded = read_recording(*recorded, model.name, reading);
  if (recorded && script) reading.report(*recorded, "either \"script\" or \"recorded\"");
  for (const auto* field : {&key, &state}) {
    if (*field && recorded) reading.report(**field, "belongs to a \"script\", not to recorded answers");
  }
}

// `{}` is what an agent without a script answers.
void check_default(const AgentDefinition& agent, const Field& field, const Reading& reading) {
  if (!agent.output) return;
  const auto violations = agent.output->validate_json("{}");
  if (!violations || violations->empty()) return;
  reading.report(field,
                 "the agent " + agent.name +
                     " needs a \"script\" or \"recorded\" answers: without, it answers {}, which breaks "
                     "its schema (" +
                     violations->front().message + ")");
}

AgentModel model_of(const AgentDefinition& definition) {
  AgentModel model{.name = definition.name};
  model.output_schema = definition.output;
  return model;
}

AgentModel read_agent(const Field& field, const AgentDefinition& definition, const Reading& reading) {
  AgentModel model = model_of(definition);
  Fields fields(field, reading.diagnostics);
  if (const auto latency = fields.take("latency")) {
    model.latency = read_latency(*latency, reading).value_or(model.latency);
  }
  if (const auto usage = fields.take("usage")) model.usage = read_usage_model(*usage, reading);
  read_luck(fields, reading, model);
  if (const auto effect = fields.take("effect")) model.effect = read_effect(*effect, reading);
  if (const auto key = fields.take("effect_key")) {
    model.effect_key = expressions(reading, {"input"}).value(*key);
    if (model.effect == Effect::pure) {
      reading.report(*key, "only for agents with effect: idempotent or irreversible");
    }
  }
  read_behaviour(fields, definition, reading, model);
  fields.finish();
  const bool answers = field.value->find("script") != nullptr || field.value->find("recorded") != nullptr;
  if (!answers) check_default(definition, field, reading);
  return model;
}

}  // namespace

std::map<std::string, AgentModel> read_agents(const std::optional<Field>& field, const Field& owner,
                                              const Reading& reading) {
  std::map<std::string, AgentModel> models;
  const auto& agents = reading.project.agents;
  if (field) {
    for (const auto& [name, agent] : Fields(*field, reading.diagnostics).take_all()) {
      const auto definition = agents.find(name);
      if (definition == agents.end()) {
        reading.report(
            agent, "no agent \"" + name + "\" in the project" + reading.diagnostics.nearest(name, agents));
      } else if (const auto why = exception_of(definition->second)) {
        reading.report(agent, "the agent " + name + " " + *why);
      } else {
        models.emplace(name, read_agent(agent, definition->second, reading));
      }
    }
  }
  for (const auto& [name, definition] : agents) {
    if (models.contains(name) || exception_of(definition)) continue;
    check_default(definition, field.value_or(owner), reading);
    models.emplace(name, model_of(definition));
  }
  return models;
}

}  // namespace ganglion::scenario
