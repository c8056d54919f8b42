// Writing down what was decided, and what became of that.

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/assert.h"
#include "base/json_text.h"
#include "base/mutants.h"
#include "base/overloaded.h"
#include "coordinator/cell.h"
#include "coordinator/event_log.h"
#include "coordinator/placement.h"
#include "coordinator/sessions.h"
#include "core/blob_references.h"
#include "core/event_codec.h"

namespace ganglion {
namespace {

RunRecord record_of(const Run& run) {
  const RunCreated& created = run.created();
  return {.id = run.id(),
          .workflow = created.workflow,
          .definition = run.project().digest,
          .status = std::string(run.status()),
          .session_id = created.session_id,
          .labels = created.labels,
          .parent = created.origin->parent ? std::optional(created.origin->parent->run) : std::nullopt,
          .created_at = run.created_at(),
          .ended_at = run.ended_at(),
          .usage = usage_json(run.usage())};
}

void add_place(JsonObject& data, const Run& run, const AttemptToken& token) {
  const StepDefinition& step = run.definition(token.step);
  data.add("run_id", run.id().text()).add("workflow", run.workflow().name).add("step", step.name);
  if (step.for_each) {
    data.add("item", std::int64_t{token.item.value()});
  } else {
    data.add_raw("item", "null");
  }
}

void add_text(JsonObject& data, std::string_view name, const std::string& text) {
  if (text.empty()) {
    data.add_raw(name, "null");
  } else {
    data.add(name, text);
  }
}

Record approval_record(const Run& run, const AttemptToken& token, const ForPerson& person, Timestamp at) {
  JsonObject data;
  data.add("kind", person.agent.empty() ? "approval" : "task");
  add_place(data, run, token);
  add_text(data, "agent", person.agent);
  std::string by = "[";
  for (const std::string& name : person.by) {
    if (by.size() > 1) by += ',';
    append_json_string(by, name);
  }
  data.add_raw("by", by + "]").add_raw("show", person.show.bytes()).add("digest", person.digest);
  data.add("requested_at", format_rfc3339(at));
  const auto deadline = run.step_deadline(token.step);
  add_text(data, "expires_at", deadline ? format_rfc3339(*deadline) : "");
  return {RecordKind::approval, token.path_text(), run.id(), at, data.finish()};
}

Record dead_letter_record(const Run& run, const DeadLetter& letter, Timestamp at) {
  JsonObject data;
  data.add("kind", "task");
  add_place(data, run, letter.token);
  add_text(data, "agent", letter.agent);
  data.add("attempts", std::int64_t{letter.token.attempt.value()}).add_raw("input", letter.input.bytes());
  JsonObject error;
  error.add("code", letter.error.code).add("message", letter.error.message);
  data.add_raw("error", error.finish());
  return {RecordKind::dead_letter, letter.token.path_text(), run.id(), at, data.finish()};
}

}  // namespace

void Coordinator::commit(Cell& cell, Batch batch) {
  Commit commit = commit_of(cell, batch);
  batch.state = commit.state;
  if (batch.state) sessions_.begin_write(batch.state->session);
  if (!kAcknowledgeLast) {
    for (auto& answer : std::exchange(batch.answers, {})) answer.pending.done(std::move(answer.result));
  }
  cell.committing = true;
  cell.settling = false;
  auto finished = [this, id = cell.id, batch = std::move(batch)](CommitOutcome outcome) mutable {
    const auto written = batch.state ? std::optional(batch.state->session) : std::nullopt;
    std::visit(Overloaded{[&](const Committed& done) { committed(id, std::move(batch), done); },
                          [&](const VersionConflict&) { try_again(id, std::move(batch)); },
                          [&](const KeyTaken& taken) { key_taken(id, std::move(batch), taken); },
                          [&](const StateMoved&) { state_moved(id, std::move(batch)); },
                          [&](const StoreUnavailable& why) {
                            give_up(id, std::move(batch), {"unavailable", why.reason});
                          }},
               outcome);
    if (written) sessions_.end_write(*written);
  };
  store_.commit(std::move(commit), std::move(finished));
}

Commit Coordinator::commit_of(const Cell& cell, const Batch& batch) const {
  const Run& run = *cell.run;
  Commit commit{.run = cell.id,
                .expected_version = batch.from_version,
                .events = {},
                .create = {},
                .status = {},
                .claim = batch.claim,
                .fork = batch.fork};
  commit.events.reserve(batch.events.size());
  std::uint64_t seq = batch.from_version;
  for (const Event& event : batch.events) {
    commit.events.push_back(encode(event, ++seq, batch.at, run.workflow()));
    std::vector<std::string> blobs;
    find_blob_references(commit.events.back().data, blobs);
    std::ranges::move(blobs, std::back_inserter(commit.blobs));
    add_event(commit, cell, event, batch.at);
  }
  GANGLION_ASSERT(seq == run.version());
  if (commit.state) commit.state->expected_version = batch.state_version;
  std::ranges::sort(commit.blobs);
  commit.blobs.erase(std::ranges::unique(commit.blobs).begin(), commit.blobs.end());
  if (batch.creates) {
    commit.create = record_of(run);
  } else if (run.status() != batch.status_before || run.ended_at() != batch.ended_before) {
    commit.status = StatusChange{std::string(run.status()), run.ended_at(), usage_json(run.usage())};
  }
  for (const AttemptToken& token : batch.unasked)
    commit.removed_records.push_back({RecordKind::approval, token.path_text()});
  for (const DeadLetter& letter : batch.dead_letters)
    commit.records.push_back(dead_letter_record(run, letter, batch.at));
  for (const AttemptToken& token : batch.revived)
    commit.removed_records.push_back({RecordKind::dead_letter, token.path_text()});
  // The store removes before it adds: what came and went in this batch must not come.
  std::erase_if(commit.records, [&](const Record& record) {
    return std::ranges::any_of(commit.removed_records, [&](const RecordKey& removed) {
      return removed.kind == record.kind && removed.id == record.id;
    });
  });
  for (const CacheWrite& cached : batch.cached)
    commit.cached.push_back({cached.key, cached.output, batch.at, batch.at + cached.ttl});
  return commit;
}

// What else becomes durable with an event.
void Coordinator::add_event(Commit& commit, const Cell& cell, const Event& event, Timestamp at) const {
  const Run& run = *cell.run;
  if (const auto* waiting = std::get_if<TaskWaiting>(&event)) {
    const auto* person = std::get_if<ForPerson>(&waiting->wait);
    const AttemptToken token{run.id(), waiting->step, waiting->item, waiting->attempt};
    if (person) commit.records.push_back(approval_record(run, token, *person, at));
  } else if (const auto* decided = std::get_if<ApprovalDecided>(&event)) {
    const AttemptToken token{run.id(), decided->step, decided->item, decided->attempt};
    commit.removed_records.push_back({RecordKind::approval, token.path_text()});
  } else if (const auto* published = std::get_if<EventPublished>(&event)) {
    const auto& cause = run.created().origin->cause;
    TopicEvent entry{.id = published->id,
                     .source = "/v1/runs/" + run.id().text(),
                     .topic = published->topic,
                     .version = published->version,
                     .time = at,
                     .data = published->data,
                     .run = run.id(),
                     .step = run.definition(published->step).name};
    if (cause) entry.cause = cause->seq;
    entry.hops = cause ? cause->hops + 1 : 1;
    commit.published.push_back(std::move(entry));
  } else if (const auto* changed = std::get_if<StateChanged>(&event)) {
    if (!commit.state) commit.state = StateCommit{*run.created().session_id, {}};
    commit.state->writes.push_back(changed->write);
  } else if (const auto* forked = std::get_if<RunForked>(&event)) {
    // What the shared part asks people for is asked again, for this run.
    for (const AttemptToken& token : run.open_attempts()) {
      const TaskRecord& task = *run.find_task(token.step, token.item);
      const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
      const auto* person = awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
      if (person && forked->seq > 0) commit.records.push_back(approval_record(run, token, *person, at));
    }
  }
}

// --- what became of a commit
// --------------------------------------------------------------------------------------------

void Coordinator::committed(const RunId& run, Batch batch, const Committed& outcome) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  cell.settling = true;
  for (const std::uint64_t seq : outcome.event_seqs) events_.written(seq);
  if (batch.state && outcome.state_version) sessions_.wrote(*batch.state, *outcome.state_version);
  const bool home = is_home(*cell.run);
  const bool looked_after = home && !cell.run->ended();
  const bool came_home = looked_after && !cell.counted;
  if (came_home) count_open(cell);
  if (!looked_after) count_ended(cell);
  if (home) {
    carry_out(*cell.run, batch);
    if (came_home && placement_) take_up(cell);
  } else {
    placement_->written(run, cell.run->created().workflow);
  }
  tell_followers(cell, batch);
  if (batch.started) batch.started(StartedRun{run, false});
  for (auto& answer : batch.answers) answer.pending.done(std::move(answer.result));
  cell.settling = false;
  settle(cell);
}

void Coordinator::tell_followers(const Cell& cell, const Batch& batch) const {
  if (cell.followers->empty() && !options_.on_transition) return;
  std::vector<JournalEntry> entries;
  std::uint64_t seq = batch.from_version;
  for (const Event& event : batch.events)
    entries.push_back(encode(event, ++seq, batch.at, cell.run->workflow()));
  for (const JournalEntry& entry : entries) {
    if (options_.on_transition) options_.on_transition(cell.id, entry);
  }
  tell_followers(cell, entries);
}

void Coordinator::tell_followers(const Cell& cell, std::span<const JournalEntry> entries) const {
  const auto followers = *cell.followers;  // one may leave while another is called
  for (const auto& [id, follower] : followers) {
    if (cell.followers->contains(id)) follower(entries, *cell.run);
  }
}

// To be read again. What is under way by then may not be wanted any more by what is read.
void Coordinator::throw_away(Cell& cell, const Batch& batch) {
  if (placement_ && cell.counted) {
    UnderWay before = under_way(*cell.run);
    for (const AttemptToken& token : batch.withdrawn) before.attempts.push_back({token, {}});
    cell.before.edit() = std::move(before);
  }
  cell.run.reset();
}

// The journal has moved: somebody else decided. Read it, and decide the same inputs again. A run that should
// have been new is one that was started before.
void Coordinator::try_again(const RunId& run, Batch batch) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  if (batch.creates) count_ended(cell);
  throw_away(cell, batch);
  for (auto& answer : batch.answers | std::views::reverse) cell.waiting.push_front(std::move(answer.pending));
  load(run);
  if (batch.started) batch.started(StartedRun{run, true});
}

bool Coordinator::Batch::refuses() const {
  return std::ranges::any_of(answers, [](const Answer& answer) {
    return answer.result.value_or(Verdict::unknown) != Verdict::accepted;
  });
}

// A refusal changes nothing, so no commit would find out that the run has moved on: that another engine has
// handed out what is reported here, or asked for what is decided here. So the store is asked before anybody
// is refused.
void Coordinator::confirm(Cell& cell, Batch batch) {
  cell.committing = true;
  cell.settling = false;
  const std::uint64_t version = batch.from_version;
  store_.read_journal(
      cell.id, version, 1,
      [this, id = cell.id, batch = std::move(batch)](Result<std::vector<JournalEntry>> newer) mutable {
        if (newer && !newer->empty()) return try_again(id, std::move(batch));
        Cell& decided = cell_of(id);
        decided.committing = false;
        decided.settling = true;
        for (auto& answer : batch.answers) {
          if (!newer) answer.result = std::unexpected(newer.error());
          answer.pending.done(std::move(answer.result));
        }
        decided.settling = false;
        settle(decided);
      });
}

// Another engine has written the session: what was decided from its state is decided again from the new one.
// A new run is left to whoever wants it.
void Coordinator::state_moved(const RunId& run, Batch batch) {
  sessions_.moved(batch.state->session);
  if (!batch.creates) return try_again(run, std::move(batch));
  Cell& cell = cell_of(run);
  cell.committing = false;
  count_ended(cell);
  cell.run.reset();
  batch.started(fail("unavailable", "the state of the session has changed meanwhile; try again"));
  let_go(run);
}

void Coordinator::give_up(const RunId& run, Batch batch, const Error& error) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  problem(run, error);
  // Those that came meanwhile, too: none overtakes another.
  std::list<Pending> refused = std::exchange(cell.waiting, {});
  const std::string workflow = cell.run->workflow().name;
  throw_away(cell, batch);
  if (batch.started) {
    // It may be there all the same, if the answer was lost: then somebody has to look after it.
    if (placement_) placement_->written(run, workflow);
    count_ended(cell);
    batch.started(std::unexpected(error));
  } else {
    load_later(cell);
  }
  for (auto& answer : batch.answers) answer.pending.done(std::unexpected(error));
  refuse(std::move(refused), error);
  let_go(run);
}

void Coordinator::key_taken(const RunId& run, Batch batch, const KeyTaken& taken) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  count_ended(cell);
  // Whoever has started it may have gone before it told anybody.
  if (placement_) placement_->written(taken.run, cell.run->workflow().name);
  cell.run.reset();
  if (taken.body_digest == batch.claim->body_digest) {
    batch.started(StartedRun{taken.run, true});
  } else {
    batch.started(fail("idempotency_mismatch", "this Idempotency-Key started run " + taken.run.text() +
                                                   " with another request; use a new key for a new request"));
  }
  let_go(run);
}

}  // namespace ganglion
