#include "sim/engine_scenario/unlucky_agents.h"

namespace ganglion::sim {
namespace {

constexpr std::size_t kOversize = (1 << 20) + 10;

}  // namespace

bool UnluckyAgents::happens(const std::string& agent, const char* what, double probability) {
  return world_.fate().occasion(world_.fate().site("agent-" + agent + "." + what), probability).happens;
}

std::string UnluckyAgents::output(const AgentCall& call, Draw& draw) {
  const std::string n = std::to_string(draw.below(7));
  std::string result =
      R"("output":{"n":)" + n + R"(},"usage":{"tokens":)" + std::to_string(draw.below(50)) + "}";
  if (call.agent != "d") return result;
  // The one that publishes and writes state.
  if (draw.chance(0.5)) result += R"(,"events":[{"topic":"done.d","data":{"n":)" + n + "}}]";
  if (draw.chance(0.3)) result += R"(,"state":{"seen.last":)" + n + "}";
  return result;
}

AgentReply UnluckyAgents::reply(const AgentCall& call) {
  Draw draw = world_.fate().draw(world_.fate().site("agent-" + call.agent + ".reply"));
  AgentReply reply{.after = draw.between(SimTime(1'000), SimTime(60'000))};
  if (happens(call.agent, "silent", faults_.silent)) {
    reply.silent = true;
    return reply;
  }
  if (happens(call.agent, "slow", faults_.slow)) {
    reply.after = draw.between(SimTime(1'000'000), SimTime(6'000'000));
  }
  reply.dies = happens(call.agent, "dies", faults_.dies);
  reply.twice = happens(call.agent, "twice", faults_.twice);
  if (happens(call.agent, "error", faults_.error)) {
    reply.result = R"("error":{"code":"boom","message":"it broke","retryable":)" +
                   std::string(draw.chance(0.7) ? "true" : "false") + "}";
  } else if (happens(call.agent, "garbage", faults_.garbage)) {
    constexpr const char* kGarbage[] = {R"("output":)",
                                        R"("output":{"n":)",
                                        R"("output":"\ud800")",
                                        R"("output":{"wrong":true},"usage":{"tokens":-1})",
                                        R"("output":{"n":"text"})",
                                        R"("error":"no")",
                                        R"("unknown":1)"};
    reply.result = kGarbage[draw.below(std::size(kGarbage))];
  } else if (happens(call.agent, "oversize", faults_.oversize)) {
    reply.result = R"("output":")" + std::string(kOversize, 'x') + "\"";
  } else if (happens(call.agent, "not_permitted", faults_.not_permitted)) {
    reply.result = R"("output":{"n":1},"events":[{"topic":"secret.topic","data":1}],"state":{"n":-1000})";
  } else {
    reply.result = output(call, draw);
  }
  return reply;
}

}  // namespace ganglion::sim
