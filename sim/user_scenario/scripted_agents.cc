#include "sim/user_scenario/scripted_agents.h"

#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/ids.h"

namespace ganglion::sim {
namespace {

using scenario::Answer;

std::string text_of(const TaskSuccess& success, Duration work) {
  std::string text = "\"output\":" + std::string(success.output.bytes());
  text += ",\"work_ms\":" + std::to_string(work.count());
  if (success.usage) text += ",\"usage\":" + std::string(success.usage->bytes());
  if (!success.events.empty()) {
    std::string events = "[";
    for (const PublishRequest& event : success.events) {
      JsonObject one;
      one.add("topic", event.topic).add_raw("data", event.data.bytes());
      events += (events.size() > 1 ? "," : "") + one.finish();
    }
    text += ",\"events\":" + events + "]";
  }
  if (!success.state.empty()) {
    JsonObject state;
    for (const StateWrite& write : success.state) {
      state.add_raw(write.key, write.value ? write.value->bytes() : "null");
    }
    text += ",\"state\":" + state.finish();
  }
  return text;
}

std::string text_of(const TaskFailure& failure, Duration work) {
  JsonObject error;
  error.add("code", failure.code).add("message", failure.message).add("retryable", failure.retryable);
  std::string text = "\"error\":" + error.finish() + ",\"work_ms\":" + std::to_string(work.count());
  if (failure.usage) text += ",\"usage\":" + std::string(failure.usage->bytes());
  return text;
}

AgentReply reply_of(const Answer& answer) {
  AgentReply reply{.after = answer.after, .twice = answer.duplicate, .dies = answer.crash};
  std::visit(Overloaded{[&](const TaskSuccess& success) { reply.result = text_of(success, answer.after); },
                        [&](const TaskFailure& failure) { reply.result = text_of(failure, answer.after); },
                        [&](const scenario::Hung&) { reply.silent = !answer.crash; }},
             answer.outcome);
  return reply;
}

}  // namespace

ScriptedAgents::ScriptedAgents(World& world, const scenario::Scenario& scenario, RunWatch& watch)
    : world_(world), watch_(watch), draws_(scenario::Draws(world.fate().seed()).at("agents")) {
  for (const auto& [name, model] : scenario.agents) scripts_.try_emplace(name, model);
}

scenario::Luck ScriptedAgents::luck(const scenario::AgentModel& model, const std::string& name,
                                    std::uint32_t attempt) {
  if (calm_) return {};
  const auto happens = [&](const char* what, const scenario::Chance& chance) {
    if (!world_.fate().once(name + "." + what, attempt, chance.rate())) return false;
    world_.trace().add(model.name, what, name);
    return true;
  };
  return {.error = happens("error", model.errors.rate),
          .hang = happens("hang", model.hang),
          .garbage = happens("garbage", model.garbage),
          .slow = happens("slow", model.slow.rate),
          .duplicate = happens("duplicate", model.duplicate),
          .crash = happens("crash", model.crash)};
}

AgentReply ScriptedAgents::reply(const AgentCall& call) {
  const auto script = scripts_.find(call.agent);
  if (script == scripts_.end()) {
    world_.violated("the scenario is wrong: it has no agent " + call.agent);
    return {.silent = true};
  }
  const auto run = RunId::parse(call.run).value_or(RunId());
  std::string name = watch_.names().of(run) + "/" + call.step;
  if (call.item) name += "[" + std::to_string(*call.item) + "]";
  name += "/" + call.agent;
  // An attempt that comes again after a restart of its engine is other work.
  if (const std::uint32_t again = handed_[call.token]++; again > 0) name += ".again-" + std::to_string(again);
  const Duration at = std::chrono::floor<Duration>(world_.timeline().now());
  const scenario::Call asked{.place = {watch_.workflow_of(run), call.step, call.item, call.iteration},
                             .input = Payload(call.input),
                             .attempt = call.attempt,
                             .idempotency_key = call.idempotency_key,
                             .at = at};
  const Answer answer = script->second.answer(asked, luck(script->second.model(), name, call.attempt),
                                              draws_.at(name, call.attempt));
  if (answer.mistake) world_.violated("the scenario is wrong: " + *answer.mistake);
  if (answer.effect_key) effects_.insert_or_assign({call.worker, call.token}, *answer.effect_key);
  return reply_of(answer);
}

void ScriptedAgents::done(const AgentCall& call) {
  const auto effect = effects_.extract({call.worker, call.token});
  if (effect.empty()) return;
  world_.trace().add(call.agent, "effect", effect.mapped());
  watch_.totals().effect(call.agent, effect.mapped());
}

}  // namespace ganglion::sim
