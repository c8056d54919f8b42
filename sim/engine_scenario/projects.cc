#include "sim/engine_scenario/projects.h"

#include "base/assert.h"

namespace ganglion::sim {
namespace {

// Some of everything.
constexpr const char* kEverything = R"(
defaults:
  timeout: 3s
  retry: {max_attempts: 2, backoff: constant, initial: 100ms, max: 100ms, jitter: 0}
agents:
  a: {kind: worker, fallback: [b, cache]}
  b: {kind: worker, concurrency: 4, output: {type: object, required: [n], properties: {n: {type: integer}}}}
  c: {kind: worker, idle_timeout: 2s, circuit_breaker: {failures: 3, window: 10s, open: 2s}}
  d: {kind: worker, rate_limit: {requests: 20/s}, state: {read: [n], write: [seen.*]}, publishes: [done.*]}
  e: {kind: process, command: [./e]}
  ann: {kind: human}
  desk: {kind: router, rules: [{match: "(?i)translate", to: b}], classifier: c, default: d}
  listener: {kind: worker, subscribes: [told.*]}
workflows:
  main:
    timeout: 5m
    steps:
      first: {agent: a, input: {k: "${{ input.k }}", text: "${{ input.text }}"}, cache: {ttl: 5s}}
      each:
        for_each: "${{ input.list }}"
        max_parallel: 3
        agent: b
        input: {n: "${{ item }}", i: "${{ index }}"}
        on_failure: continue
      routed: {agent: desk, input: {text: "${{ input.text }}"}, on_failure: continue}
      local: {agent: e, input: {x: "${{ steps.first.output }}"}, on_failure: continue}
      loop:
        agent: c
        input: {last: "${{ steps.loop.output }}"}
        until: "${{ steps.loop.output.n > 3 }}"
        max_iterations: 4
        on_failure: continue
      child: {workflow: inner, input: {k: "${{ input.k }}"}, needs: [first], on_failure: continue}
      children:
        for_each: "${{ [1, 2, 3] }}"
        max_parallel: 2
        workflow: inner
        input: {k: "${{ item }}"}
        on_failure: continue
      nap: {needs: [child], sleep: 700ms}
      count: {needs: [nap], set: {n: "${{ has(state.n) ? state.n + 1 : 1 }}"}}
      tell: {needs: [count], publish: {topic: told.main, data: {k: "${{ input.k }}"}}}
      wait:
        needs: [first]
        wait_for: {event: "inner.*", timeout: 20s}
        on_failure: continue
      sign:
        needs: [first]
        approve: {by: [ann, bob], show: "${{ steps.first.output }}"}
        timeout: 30s
        on_failure: continue
      person: {agent: ann, input: {k: "${{ input.k }}"}, needs: [each], timeout: 20s, on_failure: continue}
      last: {agent: d, input: {s: "${{ steps.sign.output }}"}, needs: [tell, person], on_failure: pause}
    output: {last: "${{ steps.last.output }}", each: "${{ steps.each.output }}"}
  inner:
    steps:
      i: {agent: a, input: {k: "${{ input.k }}"}}
      say: {publish: {topic: inner.done, data: "${{ steps.i.output }}"}}
    output: "${{ steps.i.output }}"
  reacting:
    steps:
      r: {agent: c, input: "${{ input }}", on_failure: continue}
triggers:
  - {on: "inner.*", workflow: reacting, input: {event: "${{ event.id }}"}}
  - {cron: "* * * * *", workflow: reacting, missed: latest}
)";

// Many small runs, hardly any waiting: what coordinators do to each other.
constexpr const char* kPipeline = R"(
defaults:
  timeout: 2s
  retry: {max_attempts: 3, backoff: exponential, initial: 50ms, max: 400ms, jitter: 0.2}
agents:
  a: {kind: worker}
  b: {kind: worker}
  c: {kind: worker, concurrency: 3}
  d: {kind: worker, rate_limit: {requests: 30/s}}
workflows:
  main:
    steps:
      first: {agent: a, input: {k: "${{ input.k }}"}}
      second: {agent: b, input: {x: "${{ steps.first.output }}"}}
      third: {agent: c, input: {x: "${{ steps.second.output }}"}}
    output: "${{ steps.third.output }}"
  inner:
    steps:
      left: {agent: a, input: {k: "${{ input.k }}"}}
      right: {agent: b, input: {k: "${{ input.k }}"}}
      both: {agent: d, input: {l: "${{ steps.left.output }}", r: "${{ steps.right.output }}"}}
    output: "${{ steps.both.output }}"
)";

// Counters in a session's state, read and written by steps and by agents, with budgets.
constexpr const char* kSessions = R"(
defaults:
  timeout: 2s
  retry: {max_attempts: 3, backoff: constant, initial: 50ms, max: 50ms, jitter: 0}
agents:
  a: {kind: worker, budget: {tokens: 50}}
  d: {kind: worker, state: {read: [n, m], write: [seen.*]}, publishes: [done.*], budget: {tokens: 50}}
workflows:
  main:
    budget: {tokens: 300}
    steps:
      first: {agent: a, input: {k: "${{ input.k }}"}}
      one: {needs: [first], set: {n: "${{ has(state.n) ? state.n + 1 : 1 }}"}}
      second: {agent: d, needs: [one], input: {n: "${{ state.n }}"}, on_failure: continue}
      two: {needs: [second], set: {n: "${{ state.n + 1 }}", scratch.last: "${{ input.k }}"}}
      each: {for_each: "${{ input.list }}", agent: a, input: {i: "${{ item }}"}, needs: [two], on_failure: continue}
    output: "${{ state.n }}"
  inner:
    steps:
      one: {set: {m: "${{ has(state.m) ? state.m + 1 : 1 }}"}}
      ask: {agent: d, needs: [one], input: {m: "${{ has(state.m) ? state.m : 0 }}"}, on_failure: continue}
    output: "${{ steps.ask.output }}"
)";

// Agents that react to each other's events, and runs that wait for them.
constexpr const char* kSwarm = R"(
defaults:
  timeout: 2s
  retry: {max_attempts: 3, backoff: constant, initial: 50ms, max: 50ms, jitter: 0}
agents:
  a: {kind: worker}
  b: {kind: worker, subscribes: [inner.done]}
  d: {kind: worker, subscribes: ["ask.*"], publishes: [done.*], state: {read: [n], write: [seen.*]}}
  listener: {kind: worker, subscribes: [done.*]}
workflows:
  main:
    steps:
      ask: {publish: {topic: ask.main, data: {k: "${{ input.k }}"}}}
      answer:
        needs: [ask]
        wait_for: {event: "done.*", where: "${{ event.data.n >= 0 }}", timeout: 15s}
        on_failure: continue
      more:
        for_each: "${{ input.list }}"
        wait_for: {event: "told.*", timeout: 10s}
        on_failure: continue
      end: {agent: a, needs: [answer], input: {got: "${{ steps.answer.output }}"}}
    output: "${{ steps.end.output }}"
  inner:
    steps:
      i: {agent: a, input: {k: "${{ input.k }}"}}
      say: {publish: {topic: inner.done, data: "${{ steps.i.output }}"}}
    output: "${{ steps.i.output }}"
  reacting:
    steps:
      r: {agent: a, input: "${{ input }}", on_failure: continue}
triggers:
  - {on: "done.*", workflow: reacting, input: {event: "${{ event.id }}"}}
  - {on: "told.*", where: "${{ event.data.n > 4 }}", workflow: inner, input: {k: "${{ event.data.n }}"}}
)";

}  // namespace

std::string engine_project(std::size_t which, int version) {
  constexpr const char* kProjects[] = {kEverything, kPipeline, kSessions, kSwarm};
  GANGLION_ASSERT(which < kEngineProjects);
  return "# version " + std::to_string(version) + "\nganglion: 1\n" + kProjects[which];
}

}  // namespace ganglion::sim
