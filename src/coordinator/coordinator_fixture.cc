#include "coordinator/coordinator_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <boost/json.hpp>

#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"
#include "core/testing/invariants.h"

namespace ganglion::testing {

// --- one process
// ----------------------------------------------------------------------------------------------------------

Process::Process(VirtualClock& clock_, Store& shared, Projects projects,
                 std::shared_ptr<const Project> project, FaultPlan& plan, Random& random,
                 CoordinatorOptions options, SessionsOptions session_options)
    : clock(clock_),
      store(shared, clock_, plan),
      definitions(store,
                  [projects = std::move(projects)](
                      const std::string& source) -> Result<std::shared_ptr<const Project>> {
                    const auto found = projects.find(source);
                    if (found == projects.end()) return ganglion::fail("invalid_project", source);
                    return found->second;
                  }),
      sessions(store, clock_, session_options),
      events(store, clock_),
      coordinator({.store = store,
                   .clock = clock_,
                   .random = random,
                   .tasks = queue,
                   .definitions = definitions,
                   .sessions = sessions,
                   .events = events},
                  std::move(options)),
      router(store, clock_, events, coordinator, definitions,
             [this](const TopicEvent&, const Error& problem) { problems.push_back(problem); }),
      schedules(store, clock_, coordinator, definitions,
                [this](const std::string&, const Error& problem) { problems.push_back(problem); }) {
  boot(project);
  clock.run();
}

void Process::boot(const std::shared_ptr<const Project>& project) {
  auto route = [this](Result<std::size_t> open_runs) {
    if (!open_runs) return;
    recovered = *open_runs;
    sessions.start();
    router.start([this](Result<void> started) {
      if (!started) return;
      schedules.start();
      booted = true;
    });
  };
  auto recover = [this, route](Result<void> activated) {
    if (!activated) return;
    events.open([this, route](Result<void> opened) {
      if (opened) coordinator.recover(route);
    });
  };
  definitions.restore([this, project, recover](Result<void> restored) {
    if (!restored) return;
    const auto active = definitions.active();
    if (active && active->digest == project->digest) return recover({});
    definitions.activate(project, recover);
  });
}

std::shared_ptr<Project> assembled(
    const std::shared_ptr<const Project>& main,
    const std::vector<std::pair<std::string, std::shared_ptr<const Project>>>& others,
    const std::string& version) {
  auto project = std::make_shared<Project>(*main);
  for (const auto& [name, other] : others) {
    WorkflowDefinition workflow = other->workflows.at("w");
    workflow.name = name;
    project->workflows.insert_or_assign(name, std::move(workflow));
    project->agents.insert(other->agents.begin(), other->agents.end());
  }
  project->source = "ganglion: " + version;
  project->digest = "d" + version;
  return project;
}

// --- the engine
// -----------------------------------------------------------------------------------------------------------

World::World(std::shared_ptr<const Project> project_, CoordinatorOptions options_,
             SessionsOptions session_options_)
    : projects{{project_->source, project_}},
      project(std::move(project_)),
      options(std::move(options_)),
      session_options(session_options_) {
  restart();
  restarts = 0;
}

void World::restart() {
  for (int tries = 0; tries < 20; ++tries) {
    process.reset();
    clock.run();
    process =
        std::make_unique<Process>(clock, store, projects, project, faults, random, options, session_options);
    ++restarts;
    if (process->booted) return;
    process.reset();
    clock.advance(Duration(100));
  }
  GANGLION_ASSERT(!"the engine doesn't start");
}

void World::activate(std::shared_ptr<const Project> next) {
  projects.insert_or_assign(next->source, next);
  project = std::move(next);
  // The compiler of a process knows the projects of its start; this one is compiled already.
  const auto activated = insist<void>([this](auto done) { process->definitions.activate(project, done); });
  ASSERT_TRUE(activated.has_value());
  settle();
}

void World::settle() {
  clock.run();
  if (process->store.dead()) restart();
}

void World::pass(Duration duration) {
  clock.advance(duration);
  settle();
}

// --- clients
// --------------------------------------------------------------------------------------------------------------

template <typename T>
Result<T> World::insist(const std::function<void(std::function<void(Result<T>)>)>& call) {
  for (int tries = 0; tries < 50; ++tries) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    call([answer](Result<T> result) { *answer = std::move(result); });
    clock.run();
    // An answer may wait for the store; that of a process that has died never comes.
    const int restarts_before = restarts;
    for (int waits = 0; waits < 100 && !*answer && restarts == restarts_before; ++waits) {
      settle();
      if (restarts == restarts_before && !*answer) clock.advance(Duration(50));
    }
    if (*answer && (**answer || (**answer).error().code != "unavailable")) {
      settle();
      return **answer;
    }
    if (!*answer && restarts == restarts_before) {
      ADD_FAILURE() << "a client was never answered";
      return ganglion::fail("unanswered", "");
    }
    pass(Duration(50));
  }
  return ganglion::fail("unavailable", "and doesn't come back");
}

RunId World::start(const StartOptions& how) {
  StartRequest request{.workflow = how.workflow,
                       .input = Payload(how.input),
                       .session_id = how.session,
                       .priority = how.priority,
                       .labels = how.labels,
                       .traceparent = {},
                       .claim = IdempotencyClaim{"start " + std::to_string(++next_key_), "x"}};
  const auto started =
      insist<StartedRun>([&](auto done) { process->coordinator.start_run(request, std::move(done)); });
  EXPECT_TRUE(started.has_value()) << started.error().code << ": " << started.error().message;
  return started ? started->id : RunId();
}

Result<void> World::submit(const RunId& run, const Input& input) {
  return insist<void>([&](auto done) { process->coordinator.submit(run, input, std::move(done)); });
}

void World::signal(const RunId& run, const std::string& name, const std::string& data) {
  const auto sent = submit(run, Signal{"signal " + std::to_string(++next_key_), name, Payload(data)});
  EXPECT_TRUE(sent.has_value()) << sent.error().code;
}

void World::publish(const std::string& topic, const std::string& data) {
  const TopicEvent event{.id = std::to_string(++next_key_),
                         .source = "client",
                         .topic = topic,
                         .time = clock.now(),
                         .data = Payload(data)};
  const auto published =
      insist<std::vector<Appended>>([&](auto done) { process->events.append({event}, std::move(done)); });
  EXPECT_TRUE(published.has_value());
}

void World::answer_first(bool approved, const std::string& by) {
  const auto open = records(RecordKind::approval);
  ASSERT_FALSE(open.empty());
  const AttemptToken token = AttemptToken::parse_path(open.back().id).value();
  const auto data = boost::json::parse(open.back().data);
  const auto answered = submit(token.run, Answer{.token = token,
                                                 .approved = approved,
                                                 .by = by,
                                                 .comment = "",
                                                 .digest = std::string(data.at("digest").as_string())});
  // Where the answer to the first try was lost, the second is told that it has been decided.
  EXPECT_TRUE(answered.has_value() || answered.error().code == "conflict") << answered.error().code;
}

Result<RunId> World::fork(const RunId& run, const std::string& step, std::optional<Payload> input) {
  return insist<RunId>([&](auto done) { process->coordinator.fork_run(run, step, input, std::move(done)); });
}

// --- workers
// --------------------------------------------------------------------------------------------------------------

Result<Verdict> World::report(const AttemptToken& token, const Outcome& outcome) {
  const TaskReport report{.token = token, .outcome = outcome, .worker = "w1", .started_at = clock.now()};
  return insist<Verdict>([&](auto done) { process->coordinator.report(report, std::move(done)); });
}

void World::work() {
  for (int quiet = 0; quiet < 15;) {
    settle();
    bool busy = false;
    std::vector<std::pair<Task, Outcome>> answers;
    for (const Task& task : std::exchange(process->queue.tasks, {})) {
      if (auto outcome = worker(task)) {
        answers.emplace_back(task, *std::move(outcome));
      } else {
        process->queue.tasks.push_back(task);
      }
    }
    for (const auto& [task, outcome] : answers) {
      busy = true;
      handed_out.push_back(task);
      report(task.token, outcome);
    }
    if (busy) {
      quiet = 0;
      continue;
    }
    ++quiet;
    pass(Duration(100));
  }
}

bool World::has_task(const std::string& step) const {
  return std::ranges::any_of(process->queue.tasks, [&](const Task& task) { return task.step == step; });
}

Task World::take(const std::string& step) {
  settle();
  auto& tasks = process->queue.tasks;
  const auto found = std::ranges::find_if(tasks, [&](const Task& task) { return task.step == step; });
  if (found == tasks.end()) {
    ADD_FAILURE() << "nothing is queued for the step " << step;
    return {};
  }
  Task task = *found;
  tasks.erase(found);
  return task;
}

// --- what can be seen
// -----------------------------------------------------------------------------------------------------

template <typename T>
T World::ask(const std::function<void(std::function<void(T)>)>& call) {
  std::optional<T> answer;
  call([&](T value) { answer = std::move(value); });
  clock.run();
  GANGLION_ASSERT(answer.has_value());
  return *std::move(answer);
}

std::string World::json(const RunId& run) {
  const auto shown = insist<std::string>([&](std::function<void(Result<std::string>)> done) {
    process->coordinator.inspect(run, [done = std::move(done)](Result<const Run*> found) {
      done(found ? Result<std::string>(run_json(**found)) : std::unexpected(found.error()));
    });
  });
  return shown ? *shown : shown.error().code;
}

std::string World::status(const RunId& run) {
  const std::string text = json(run);
  if (!text.starts_with('{')) return text;
  return std::string(boost::json::parse(text).at("status").as_string());
}

std::vector<JournalEntry> World::journal(const RunId& run) {
  return ask<Result<std::vector<JournalEntry>>>(
             [&](auto done) { store.read_journal(run, 0, 1'000'000, done); })
      .value();
}

std::vector<std::string> World::types(const RunId& run) {
  std::vector<std::string> types;
  for (const JournalEntry& entry : journal(run)) types.push_back(entry.type);
  return types;
}

std::vector<RunRecord> World::runs(const RunQuery& query) {
  RunQuery all = query;
  all.limit = 100'000;
  return ask<Result<std::vector<RunRecord>>>([&](auto done) { store.list_runs(all, done); }).value();
}

std::vector<RunId> World::children(const RunId& run) {
  std::vector<RunId> ids;
  RunQuery query;
  query.parent = run;
  for (const RunRecord& record : runs(query)) ids.insert(ids.begin(), record.id);
  return ids;
}

std::vector<Record> World::records(RecordKind kind) {
  return ask<Result<std::vector<Record>>>([&](auto done) {
           store.list_records({.kind = kind, .run = {}, .before = {}, .limit = 100'000}, done);
         })
      .value();
}

std::vector<TopicEvent> World::log() {
  return ask<Result<std::vector<TopicEvent>>>([&](auto done) {
           store.read_events({.pattern = "**", .before = {}, .after = 0, .limit = 100'000}, done);
         })
      .value();
}

StateSnapshot World::state(const std::string& session) {
  return ask<Result<StateSnapshot>>([&](auto done) { store.read_state(session, std::nullopt, done); })
      .value();
}

std::unique_ptr<Run> World::folded(const RunId& run) {
  const auto entries = journal(run);
  const RunCreated created = decode_created(entries.front()).value();
  for (const auto& [source, known] : projects) {
    if (known->digest == created.definition) return fold(run, known, entries).value();
  }
  GANGLION_ASSERT(!"a run of an unknown project");
}

// --- what must be so
// ------------------------------------------------------------------------------------------------------

void World::verify_run(const RunRecord& record, std::set<std::string>& approvals,
                       std::set<std::string>& published) {
  SCOPED_TRACE("run " + record.id.text() + " of " + record.workflow);
  const auto entries = journal(record.id);
  const auto run = folded(record.id);
  EXPECT_EQ(json(record.id), run_json(*run)) << "what is shown is not what the journal says";
  EXPECT_EQ(record.ended_at, run->ended_at());
  if (run->ended()) EXPECT_EQ(record.status, run->status());

  InvariantChecker checker(run->workflow());
  for (const JournalEntry& entry : entries) {
    const Event event = decode(entry, run->workflow()).value();
    checker.observe(event, entry.at);
    const std::uint64_t shared = run->forked() ? run->forked()->seq : 0;
    const auto* said = std::get_if<EventPublished>(&event);
    if (said && entry.seq > shared) published.insert("/v1/runs/" + record.id.text() + " " + said->id);
  }
  checker.recount(*run);
  for (const std::string& violation : checker.violations()) ADD_FAILURE() << violation;

  if (run->ended()) return;
  for (const AttemptToken& token : run->open_attempts()) {
    const TaskRecord& task = *run->find_task(token.step, token.item);
    const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
    if (awaiting && std::holds_alternative<ForPerson>(awaiting->wait())) approvals.insert(token.path_text());
  }
  if (const auto& parent = run->created().origin->parent) {
    const auto above = folded(parent->run);
    const TaskRecord* task = above->find_task(parent->step, parent->item);
    EXPECT_TRUE(!above->ended() && task != nullptr && task->attempt == parent->attempt &&
                std::holds_alternative<StepRunning>(above->step(parent->step).state) &&
                std::holds_alternative<TaskDispatched>(task->state))
        << "an open sub-run that nobody wants";
    EXPECT_EQ(
        std::holds_alternative<RunOnHold>(above->state()) && !std::holds_alternative<RunOnHold>(run->state()),
        false)
        << "a sub-run goes on while its parent is on hold";
  }
}

void World::verify() {
  settle();
  std::set<std::string> approvals;
  std::set<std::string> published;
  std::size_t open = 0;
  for (const RunRecord& record : runs()) {
    verify_run(record, approvals, published);
    if (!record.ended_at) ++open;
  }
  EXPECT_EQ(process->coordinator.open_runs(), open) << "open runs are counted wrongly";
  std::size_t by_definition = 0;
  for (const OpenRuns& runs : process->coordinator.open_runs_by_definition()) by_definition += runs.runs;
  EXPECT_EQ(by_definition, open);

  std::set<std::string> listed;
  for (const Record& record : records(RecordKind::approval)) listed.insert(record.id);
  EXPECT_EQ(listed, approvals) << "the approvals that are listed are not those that are waited for";

  std::map<std::string, int> logged;
  for (const TopicEvent& event : log()) {
    if (event.run) ++logged[event.source + " " + event.id];
  }
  for (const auto& [name, times] : logged) {
    EXPECT_EQ(times, 1) << name;
    EXPECT_TRUE(published.contains(name)) << name << " was published by nobody";
  }
  EXPECT_EQ(logged.size(), published.size()) << "an event of a journal is not in the log";
  EXPECT_EQ(process->router.position(), log().size()) << "the router has not come to the end of the log";
}

// --- every fault
// ----------------------------------------------------------------------------------------------------------

void with_every_fault(const std::function<std::unique_ptr<World>()>& make,
                      const std::function<void(World&)>& scenario) {
  int writes = 0;
  int calls = 0;
  {
    SCOPED_TRACE("without a fault");
    const auto world = make();
    const int writes_before = world->process->store.writes;
    const int calls_before = world->process->store.calls;
    scenario(*world);
    world->verify();
    if (world->restarts == 0) {
      writes = world->process->store.writes - writes_before;
      calls = world->process->store.calls - calls_before;
    } else {
      // It dies by itself: what earlier processes did is not counted here.
      writes = calls = 60;
    }
  }
  if (::testing::Test::HasFailure()) return;
  const std::pair<Fault, const char*> kinds[] = {{Fault::unavailable, "a write is refused"},
                                                 {Fault::unavailable_call, "a call is refused"},
                                                 {Fault::outage, "everything is refused for a while"},
                                                 {Fault::die_before, "the process ends before a write"},
                                                 {Fault::die_after, "the process ends after a write"}};
  for (const auto& [fault, name] : kinds) {
    const int last = fault == Fault::unavailable_call ? calls : writes;
    for (int at = 1; at <= last; ++at) {
      SCOPED_TRACE(std::string(name) + ": number " + std::to_string(at) + " of " + std::to_string(last));
      const auto world = make();
      world->faults = {fault, at};
      scenario(*world);
      world->faults = {};
      world->pass(Duration(500));
      world->verify();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace ganglion::testing
