#include "sim/scenario/agent_script.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "sim/scenario/draw_scope.h"

namespace ganglion::scenario {
namespace {

// Answers that hardly any schema accepts.
constexpr std::array<std::string_view, 6> kOddities = {R"({"unexpected":{"nested":[null]}})",
                                                       R"("I'm sorry, I can't help with that.")",
                                                       "null",
                                                       "[[]]",
                                                       "-1",
                                                       "false"};

Payload garbage(const AgentModel& model, std::uint64_t word) {
  for (std::size_t i = 0; i < kOddities.size(); ++i) {
    const std::string_view odd = kOddities[(word + i) % kOddities.size()];
    if (!model.output_schema) return Payload(std::string(odd));
    const auto violations = model.output_schema->validate_json(odd);
    if (violations && !violations->empty()) return Payload(std::string(odd));
  }
  return Payload(std::string(kOddities.front()));  // the schema takes anything
}

std::optional<Payload> usage_of(const UsageModel& model, const Draws& draws) {
  if (!model.tokens && !model.nano_usd) return std::nullopt;
  JsonObject usage;
  if (model.tokens) {
    usage.add("tokens", between(model.tokens->min, model.tokens->max, draws.word("tokens")));
  }
  if (model.nano_usd) {
    const std::int64_t nano = between(model.nano_usd->min, model.nano_usd->max, draws.word("usd"));
    usage.add_number("usd", static_cast<double>(nano) / static_cast<double>(kNanoUsd));
  }
  return Payload(usage.finish());
}

// A text as it is, everything else as JSON.
std::string text_of(const Payload& payload) {
  return read_json_string(payload.bytes()).value_or(std::string(payload.bytes()));
}

Result<TaskSuccess> render(const ReplyOutput& reply, const expr::Scope& scope) {
  auto output = reply.output.render(scope);
  if (!output) return std::unexpected(output.error());
  TaskSuccess success{.output = *std::move(output)};
  for (const ReplyOutput::Event& event : reply.publish) {
    auto data = event.data.render(scope);
    if (!data) return std::unexpected(data.error());
    success.events.push_back({.topic = event.topic, .data = *std::move(data)});
  }
  for (const ReplyOutput::Write& write : reply.session) {
    auto value = write.value.render(scope);
    if (!value) return std::unexpected(value.error());
    StateWrite written{.key = write.key, .value = {}, .expires_at = {}};
    if (!value->is_null()) written.value = *std::move(value);
    success.state.push_back(std::move(written));
  }
  return success;
}

Result<Outcome> render(const Reply& reply, const AgentModel& model, const expr::Scope& scope,
                       const Draws& draws) {
  return std::visit(Overloaded{[&](const ReplyOutput& output) -> Result<Outcome> {
                                 auto success = render(output, scope);
                                 if (!success) return std::unexpected(success.error());
                                 return *std::move(success);
                               },
                               [&](const ReplyError& error) -> Result<Outcome> {
                                 auto message = error.message.render(scope);
                                 if (!message) return std::unexpected(message.error());
                                 return TaskFailure{.code = error.code,
                                                    .message = text_of(*message),
                                                    .retryable = error.retryable};
                               },
                               [&](const ReplyHang&) -> Result<Outcome> { return Hung{}; },
                               [&](const ReplyGarbage&) -> Result<Outcome> {
                                 return TaskSuccess{.output = garbage(model, draws.word("garbage"))};
                               }},
                    reply.outcome);
}

// The first entry that holds; nothing where none does.
Result<const Reply*> choose(const AgentModel& model, const expr::Scope& scope) {
  for (const Reply& reply : model.script) {
    if (!reply.when) return &reply;
    const auto value = reply.when->evaluate(scope);
    if (!value) return std::unexpected(value.error());
    if (!value->is(expr::Kind::boolean)) {
      return fail("not_boolean", "\"when\" gives no true or false: " + reply.when->source());
    }
    if (value->as_boolean()) return &reply;
  }
  return nullptr;
}

void mistake(const AgentModel& model, const std::string& what, Answer& answer) {
  answer.mistake = "agent " + model.name + ": " + what;
  answer.outcome =
      TaskFailure{.code = std::string(kMistakeCode), .message = *answer.mistake, .retryable = false};
}

}  // namespace

Luck draw_luck(const AgentModel& model, const Draws& draws) {
  const auto drawn = [&](const Chance& chance, std::string_view name) {
    return chance.happens(draws.word(name));
  };
  return {.error = drawn(model.errors.rate, "error"),
          .hang = drawn(model.hang, "hang"),
          .garbage = drawn(model.garbage, "garbage"),
          .slow = drawn(model.slow.rate, "slow"),
          .duplicate = drawn(model.duplicate, "duplicate"),
          .crash = drawn(model.crash, "crash")};
}

Answer AgentScript::answer(const Call& call, const Luck& luck, const Draws& draws) {
  Answer answer;
  answer.after = sample(model_.latency, draws.word("latency"));
  if (luck.hang && !luck.crash) {
    answer.outcome = Hung{};
  } else if (luck.error && !luck.crash) {
    const ErrorModel& error = model_.errors;
    answer.outcome = TaskFailure{.code = error.code, .message = error.message, .retryable = error.retryable};
  } else {
    if (model_.recorded) {
      replay(call, answer);
    } else {
      script(call, draws, answer);
    }
    auto* success = std::get_if<TaskSuccess>(&answer.outcome);
    if (success != nullptr) {
      if (luck.garbage && !luck.crash) {
        *success = TaskSuccess{.output = garbage(model_, draws.word("oddity"))};
      }
      if (!success->usage) success->usage = usage_of(model_.usage, draws);
      const auto taken = take_effect(call, draws, answer);
      if (!taken) mistake(model_, "effect_key: " + taken.error().message, answer);
    }
    answer.crash = luck.crash;
  }
  if (luck.slow) answer.after = std::min(answer.after * std::int64_t{model_.slow.factor}, kMaxSpan);
  answer.duplicate = luck.duplicate && !answer.crash && !std::holds_alternative<Hung>(answer.outcome);
  return answer;
}

void AgentScript::script(const Call& call, const Draws& draws, Answer& answer) {
  auto instance = instance_of(call, draws);
  if (!instance) return mistake(model_, "key: " + instance.error().message, answer);
  Instance& self = **instance;
  DrawScope scope(draws, call.at);
  scope.set("input", expr::Value::json(call.input)).set("state", expr::Value::json(self.state));
  scope.set("attempt", expr::Value::integer(call.attempt));
  scope.set("iteration", expr::Value::integer(call.place.iteration));
  scope.set("calls", expr::Value::integer(static_cast<std::int64_t>(self.calls)));
  ++self.calls;
  if (model_.script.empty()) {
    answer.outcome = TaskSuccess{.output = Payload("{}")};
    return;
  }
  const auto chosen = choose(model_, scope);
  if (!chosen) return mistake(model_, chosen.error().message, answer);
  if (*chosen == nullptr) {
    return mistake(model_,
                   "no entry of its script holds for the input " +
                       std::string(call.input.bytes().substr(0, kShownInput)),
                   answer);
  }
  const Reply& reply = **chosen;
  auto outcome = render(reply, model_, scope, draws);
  if (!outcome) return mistake(model_, outcome.error().message, answer);
  if (reply.set) {
    auto state = reply.set->render(scope);
    if (!state) return mistake(model_, "set: " + state.error().message, answer);
    self.state = *std::move(state);
  }
  if (reply.latency) answer.after = sample(*reply.latency, draws.word("latency"));
  answer.outcome = *std::move(outcome);
}

Result<AgentScript::Instance*> AgentScript::instance_of(const Call& call, const Draws& draws) {
  std::string key;
  if (model_.key) {
    DrawScope scope(draws, call.at);
    auto rendered = model_.key->render(scope.set("input", expr::Value::json(call.input)));
    if (!rendered) return std::unexpected(rendered.error());
    key = rendered->bytes();
  }
  const auto found = instances_.find(key);
  if (found != instances_.end()) return &found->second;
  if (instances_.size() >= kMaxInstances) {
    return fail("too_many", "an agent has at most " + std::to_string(kMaxInstances) + " keys");
  }
  return &instances_.emplace(key, Instance{.state = model_.state}).first->second;
}

void AgentScript::replay(const Call& call, Answer& answer) {
  const auto match = model_.recorded->find(call.place, call.input);
  if (!match) {
    return mistake(model_,
                   "no answer was recorded for step " + call.place.step + " of " + call.place.workflow +
                       ", nor for this input anywhere",
                   answer);
  }
  const RecordedAnswer& recorded = model_.recorded->answer(*match, replayed_[match->key]++);
  answer.after = std::min(recorded.took, kMaxSpan);
  answer.outcome = recorded.outcome;
}

Result<void> AgentScript::take_effect(const Call& call, const Draws& draws, Answer& answer) const {
  if (model_.effect == Effect::pure) return {};
  answer.effect_key = call.idempotency_key;
  if (!model_.effect_key) return {};
  DrawScope scope(draws, call.at);
  auto key = model_.effect_key->render(scope.set("input", expr::Value::json(call.input)));
  if (!key) return std::unexpected(key.error());
  answer.effect_key = text_of(*key);
  return {};
}

}  // namespace ganglion::scenario
