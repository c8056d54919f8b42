#include "bench/load/workload.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/assert.h"

namespace ganglion::bench {
namespace {

constexpr auto kNames =
    std::to_array<std::string_view>({"pipeline", "diamond", "fanout", "logistics", "delegation"});

// An attempt is never timed out, and no attempt follows a failed one: a measurement with errors is none.
constexpr std::string_view kHead =
    "ganglion: 1\n"
    "defaults: {timeout: 1h, retry: {max_attempts: 1}}\n";

// Longer than a server that is taken over from needs.
constexpr std::string_view kPatientHead =
    "ganglion: 1\n"
    "defaults: {timeout: 5s, retry: {max_attempts: 5, initial: 10ms}}\n";

// A JSON string of so many bytes.
std::string filler(std::size_t bytes) {
  return '"' + std::string(bytes < 2 ? 0 : bytes - 2, 'x') + '"';
}

std::string agents_of(const std::vector<WorkloadStep>& steps) {
  std::vector<std::string> names;
  for (const WorkloadStep& step : steps) names.push_back(step.agent);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  std::string text = "agents:\n";
  for (const std::string& name : names) text += "  " + name + ": {kind: worker}\n";
  return text;
}

// `body` is the workflow's, indented by four.
Workload assembled(std::string name, std::vector<WorkloadStep> steps, std::string input,
                   std::string_view body) {
  Workload workload{.name = name,
                    .project = {},
                    .workflow = std::string(kWorkflowPrefix) + name,
                    .input = std::move(input),
                    .steps = std::move(steps),
                    .tasks_per_run = 0};
  workload.tasks_per_run = workload.steps.size();
  workload.project = agents_of(workload.steps) + "workflows:\n  " + workload.workflow + ":\n";
  workload.project += body;
  return workload;
}

Workload pipeline(std::size_t bytes) {
  const std::string payload = filler(bytes);
  return assembled("pipeline",
                   {{.name = "first", .agent = "first", .needs = {}, .output = payload},
                    {.name = "second", .agent = "second", .needs = {"first"}, .output = payload},
                    {.name = "last", .agent = "third", .needs = {"second"}, .output = payload}},
                   payload, R"(    steps:
      first: {agent: first, input: "${{ input }}"}
      second: {agent: second, input: "${{ steps.first.output }}"}
      last: {agent: third, input: "${{ steps.second.output }}"}
    output: "${{ steps.last.output }}"
)");
}

Workload diamond(std::size_t bytes) {
  const std::string payload = filler(bytes);
  const auto step = [&](const char* name, std::vector<std::string> needs) {
    return WorkloadStep{.name = name, .agent = name, .needs = std::move(needs), .output = payload};
  };
  return assembled("diamond",
                   {step("code_reviewer", {}), step("test_writer", {"code_reviewer"}),
                    step("doc_generator", {"code_reviewer", "test_writer"}),
                    step("merge_agent", {"code_reviewer", "test_writer", "doc_generator"})},
                   payload, R"(    steps:
      code_reviewer: {agent: code_reviewer, input: "${{ input }}"}
      test_writer: {agent: test_writer, input: {review: "${{ steps.code_reviewer.output }}"}}
      doc_generator:
        agent: doc_generator
        input: {review: "${{ steps.code_reviewer.output }}", tests: "${{ steps.test_writer.output }}"}
      merge_agent:
        agent: merge_agent
        input:
          review: "${{ steps.code_reviewer.output }}"
          tests: "${{ steps.test_writer.output }}"
          docs: "${{ steps.doc_generator.output }}"
    output: "${{ steps.merge_agent.output }}"
)");
}

Workload fanout(std::size_t bytes) {
  const std::string payload = filler(bytes);
  std::string items = "[" + payload;
  for (std::size_t i = 1; i < kFanOut; ++i) items += "," + payload;
  Workload workload =
      assembled("fanout",
                {{.name = "split", .agent = "splitter", .needs = {}, .output = items + "]"},
                 {.name = "work", .agent = "item_worker", .needs = {"split"}, .output = payload},
                 {.name = "join", .agent = "joiner", .needs = {"work"}, .output = payload}},
                payload, R"(    steps:
      split: {agent: splitter, input: "${{ input }}"}
      work: {for_each: "${{ steps.split.output }}", agent: item_worker, input: "${{ item }}"}
      join: {agent: joiner, input: "${{ steps.work.output }}"}
    output: "${{ steps.join.output }}"
)");
  workload.tasks_per_run = kFanOut + 2;
  return workload;
}

// The pipeline with its second step in a run of its own, of another domain.
Workload delegation(std::size_t bytes) {
  const std::string payload = filler(bytes);
  // What a step needs ended in another run: what is between is more than a step's coordination.
  const auto step = [&](const char* name, const char* agent, std::size_t tasks_of_run) {
    return WorkloadStep{
        .name = name, .agent = agent, .needs = {}, .output = payload, .tasks_of_run = tasks_of_run};
  };
  return assembled("delegation",
                   {step("first", "first", 2), step("second", "second", 1), step("last", "third", 2)},
                   payload, R"(    steps:
      first: {agent: first, input: "${{ input }}"}
      delegated: {workflow: bench_detail, input: "${{ steps.first.output }}"}
      last: {agent: third, input: "${{ steps.delegated.output }}"}
    output: "${{ steps.last.output }}"
  bench_detail:
    steps:
      second: {agent: second, input: "${{ input }}"}
    output: "${{ steps.second.output }}"
coordination:
  domains: {details: {workflows: [bench_detail]}}
)");
}

// A shipment of examples/logistics, all of whose checks succeed.
Workload logistics(std::size_t bytes) {
  const std::string lines = R"([{"sku":"lamp","quantity":1}])";
  const std::string address = R"({"city":"Utrecht","country":"NL"})";
  const std::string parcels = R"([{"warehouse":"north","lines":)" + lines + "}]";
  const std::string order = R"({"shipment":"S-1","lines":)" + lines + R"(,"address":)" + address +
                            R"(,"note":)" + filler(bytes) + "}";
  const std::string shipment = R"({"shipment":"S-1","service":"standard","lines":)" + lines +
                               R"(,"address":)" + address + R"(,"note":)" + filler(bytes) +
                               R"(,"problems":[]})";
  return assembled(
      "logistics",
      {{.name = "shipment_data", .agent = "shipment_data", .needs = {}, .output = shipment},
       {.name = "address_validation",
        .agent = "address_validation",
        .needs = {"shipment_data"},
        .output = R"({"valid":true,"node":"Utrecht","problems":[],"address":)" + address + "}"},
       {.name = "inventory",
        .agent = "inventory",
        .needs = {"shipment_data"},
        .output = R"({"reserved":true,"holder":"order","missing":[],"parcels":)" + parcels + "}"},
       {.name = "routing",
        .agent = "routing",
        .needs = {"address_validation", "inventory"},
        .output = R"({"parcels":)" + parcels + "}"},
       {.name = "hand_off",
        .agent = "hand_off",
        .needs = {"routing"},
        .output = R"({"number":"D-1","document":"dispatch.json","cents":450})"}},
      R"({"order":)" + order + "}", R"(    steps:
      shipment_data: {agent: shipment_data, input: {order: "${{ input.order }}"}}
      address_validation:
        if: "${{ size(steps.shipment_data.output.problems) == 0 }}"
        agent: address_validation
        input: {address: "${{ steps.shipment_data.output.address }}"}
      inventory:
        if: "${{ size(steps.shipment_data.output.problems) == 0 }}"
        agent: inventory
        input: {lines: "${{ steps.shipment_data.output.lines }}"}
      routing:
        if: "${{ steps.address_validation.output.valid && steps.inventory.output.reserved }}"
        agent: routing
        input:
          shipment: "${{ steps.shipment_data.output }}"
          parcels: "${{ steps.inventory.output.parcels }}"
          node: "${{ steps.address_validation.output.node }}"
      hand_off:
        if: "${{ steps.routing.output != null }}"
        agent: hand_off
        input:
          shipment: "${{ steps.shipment_data.output }}"
          address: "${{ steps.address_validation.output.address }}"
          parcels: "${{ steps.routing.output.parcels }}"
      outcome:
        needs: [hand_off]
        transform:
          shipment: "${{ input.order.shipment }}"
          status: "${{ steps.hand_off.output != null ? 'dispatched' : 'held' }}"
          number: "${{ steps.hand_off.output.number }}"
    output: "${{ steps.outcome.output }}"
)");
}

Workload named(std::string_view name, std::size_t bytes) {
  if (name == "pipeline") return pipeline(bytes);
  if (name == "diamond") return diamond(bytes);
  if (name == "fanout") return fanout(bytes);
  if (name == "delegation") return delegation(bytes);
  GANGLION_ASSERT(name == "logistics");
  return logistics(bytes);
}

}  // namespace

std::span<const std::string_view> workload_names() {
  return kNames;
}

Workload make_workload(std::string_view name, std::size_t payload_bytes, Attempts attempts) {
  Workload workload = named(name, payload_bytes);
  workload.attempts = attempts;
  workload.project.insert(0, attempts == Attempts::one ? kHead : kPatientHead);
  return workload;
}

std::string start_body(const Workload& workload) {
  return R"({"workflow":")" + workload.workflow + R"(","input":)" + workload.input + "}";
}

std::string agents_json(const Workload& workload) {
  std::set<std::string> agents;
  for (const WorkloadStep& step : workload.steps) agents.insert('"' + step.agent + '"');
  std::string json = "[";
  for (const std::string& agent : agents) json += (json.ends_with('[') ? "" : ",") + agent;
  return json + "]";
}

Workload make_trace_workload(std::string name, const std::vector<TracedCall>& calls, double speedup) {
  const auto faster = [&](std::chrono::nanoseconds time) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) / speedup));
  };
  const auto step_name = [](std::size_t position) { return "call_" + std::to_string(position + 1); };
  std::vector<WorkloadStep> steps;
  std::string body = "    steps:\n";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const TracedCall& call = calls[i];
    WorkloadStep step{.name = step_name(i),
                      .agent = "model",
                      .needs = {},
                      .output = filler(call.output_bytes),
                      .takes = faster(call.took)};
    std::string needs, given;
    for (const std::size_t need : call.needs) {
      step.needs.push_back(step_name(need));
      needs += (needs.empty() ? "" : ", ") + step_name(need);
    }
    // What it quotes is passed on, the rest of its input is filled up.
    std::size_t quoted = 0;
    for (const std::size_t quote : call.quotes) {
      quoted += calls[quote].output_bytes;
      given += ", " + step_name(quote) + ": \"${{ steps." + step_name(quote) + ".output }}\"";
    }
    const std::string rest = filler(call.input_bytes > quoted ? call.input_bytes - quoted : 0);
    body += "      " + step.name + ": {agent: model, needs: [" + needs + "], input: {text: " + rest + given +
            "}}\n";
    steps.push_back(std::move(step));
  }
  body += "    output: \"${{ steps." + step_name(calls.size() - 1) + ".output }}\"\n";
  Workload workload = assembled("trace", std::move(steps), "null", body);
  workload.name = std::move(name);
  workload.project.insert(0, kHead);
  workload.shortest_run = faster(shortest_replay(calls));
  return workload;
}

}  // namespace ganglion::bench
