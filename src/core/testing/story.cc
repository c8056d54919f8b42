#include "core/testing/story.h"

#include <gtest/gtest.h>

#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"

namespace ganglion::testing {

Story::Story(std::shared_ptr<const Project> project, const std::string& input, const StartSpec& start)
    : run(kStoryRun, project, project->workflows.at("w")),
      project_(std::move(project)),
      checker_(project_->workflows.at("w")) {
  for (const auto& [key, value] : start.state) {
    state.version = 1;
    state.entries[key] = {Payload(value), 1, std::nullopt};
  }
  give(Start{
      {.workflow = "w",
       .definition = project_->digest,
       .input = Payload(input),
       .session_id = start.session_id,
       .origin = Rare(RunOrigin{
           .parent = start.parent, .depth = start.depth, .cause = start.cause, .budget = start.budget})}});
}

Story::~Story() {
  checker_.recount(run);
  for (const std::string& violation : checker_.violations()) ADD_FAILURE() << violation;
  const auto folded = fold(run.id(), project_, journal);
  if (!folded) {
    ADD_FAILURE() << folded.error().message;
    return;
  }
  EXPECT_EQ(run_json(**folded), run_json(run));
  EXPECT_EQ((*folded)->open_attempts(), run.open_attempts());
}

// --- what happens
// -------------------------------------------------------------------------------------------------------

void Story::give(const Input& input) {
  last = decide(run, input, now, {.state = &state, .last_event = last_event});
  keep(last);
}

// As a store does with a commit.
void Story::keep(const Decision& decision) {
  const std::uint64_t version = state.version + 1;
  for (const Event& event : decision.events) {
    journal.push_back(encode(event, journal.size() + 1, now, run.workflow()));
    checker_.observe(event, now);
    if (std::holds_alternative<EventPublished>(event)) ++last_event;
    const auto* change = std::get_if<StateChanged>(&event);
    if (change == nullptr) continue;
    state.version = version;
    if (change->write.value) {
      state.entries[change->write.key] = {*change->write.value, version, change->write.expires_at};
    } else {
      state.entries.erase(change->write.key);
    }
  }
}

Verdict Story::report(const AttemptToken& token, std::variant<TaskSuccess, TaskFailure> outcome) {
  TaskReport report{token, std::move(outcome), "tester", now};
  report.by_engine = is_performed_by_engine(run, token);
  give(std::move(report));
  return last.verdict;
}

void Story::event(const std::string& topic, const std::string& data) {
  const std::uint64_t seq = ++last_event;
  give(Deliver{{.seq = seq,
                .id = "e" + std::to_string(seq),
                .source = "test",
                .topic = topic,
                .time = now,
                .data = Payload(data)}});
}

void Story::approve(const std::string& step, const std::string& by, std::optional<Payload> output) {
  const ForPerson* person = asked(step);
  give(Answer{token(step), true, by, "", person ? person->digest : "", std::move(output)});
}

void Story::reject(const std::string& step, const std::string& comment) {
  const ForPerson* person = asked(step);
  give(Answer{token(step), false, "ann", comment, person ? person->digest : ""});
}

void Story::answer(const std::string& step, const std::string& by, const std::string& digest, bool approved,
                   std::uint32_t item) {
  give(Answer{token(step, item), approved, by, "", digest});
}

// --- what can be seen
// -------------------------------------------------------------------------------------------------------

AttemptToken Story::token(const std::string& step, std::uint32_t item) const {
  const TaskRecord* task = run.find_task(index(step), ItemIndex(item));
  return {run.id(), index(step), ItemIndex(item), task ? task->attempt : Attempt(1)};
}

std::vector<std::string> Story::events() const {
  std::vector<std::string> names;
  for (const Event& event : last.events) {
    const JournalEntry entry = encode(event, 1, now, run.workflow());
    names.push_back(entry.type + (entry.step ? " " + *entry.step : "") +
                    (entry.item ? "[" + std::to_string(*entry.item) + "]" : ""));
  }
  return names;
}

std::string Story::input(const std::string& step, std::uint32_t item) const {
  const TaskRecord* task = run.find_task(index(step), ItemIndex(item));
  return task ? std::string(task->input.bytes()) : "no task";
}

std::string Story::output(const std::string& step) const {
  const auto* done = std::get_if<StepDone>(&run.step(index(step)).state);
  return done ? std::string(done->output.payload().bytes()) : "not done";
}

std::string Story::error() const {
  const auto* broken = std::get_if<RunBroken>(&run.state());
  return broken ? broken->error->code : "";
}

std::string Story::error(const std::string& step) const {
  const StepState& state = run.step(index(step)).state;
  if (const auto* broken = std::get_if<StepBroken>(&state)) return broken->error->code;
  const auto* done = std::get_if<StepDone>(&state);
  return done ? done->error->code : "";
}

const ForPerson* Story::asked(const std::string& step, std::uint32_t item) const {
  const TaskRecord* task = run.find_task(index(step), ItemIndex(item));
  const auto* awaiting = task ? std::get_if<TaskAwaiting>(&task->state) : nullptr;
  return awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
}

}  // namespace ganglion::testing
