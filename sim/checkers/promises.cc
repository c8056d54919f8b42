#include "sim/checkers/promises.h"

#include <algorithm>
#include <utility>

#include "agents/pool.h"
#include "base/overloaded.h"
#include "coordinator/event_router.h"
#include "core/event_codec.h"
#include "core/testing/invariants.h"
#include "core/usage.h"
#include "core/workflow.h"

namespace ganglion::sim {
namespace {

constexpr std::uint32_t kAll = 10'000'000;
constexpr std::size_t kRestingTimers = 64;  // of an engine that has nothing to do

std::uint64_t shared_part(const Run& run) {
  return run.forked() ? run.forked()->seq : 0;
}

}  // namespace

Promises::Promises(World& world, const History& history, Projects& projects, Conventions conventions)
    : world_(world),
      history_(history),
      projects_(projects),
      conventions_(std::move(conventions)),
      runs_(stored_runs(world.store(), projects)) {
  for (const StoredRun& run : runs_) by_id_.emplace(run.record.id.text(), &run);
}

void Promises::broken(const std::string& run, const std::string& what) {
  world_.violated("run " + run + ": " + what);
}

const StoredRun* Promises::find(const std::string& run) const {
  const auto found = by_id_.find(run);
  return found == by_id_.end() ? nullptr : found->second;
}

void Promises::check() {
  whole_runs();
  acknowledged_starts();
  accepted_results();
  inputs_of_tasks();
  cancels();
  decisions();
  event_log();
  audit();
  session_state();
  counters();
  budgets();
  records();
  followers();
  limits();
  const std::size_t open = count_open_runs(world_.store());
  for (const auto& host : world_.hosts()) {
    // One of several doesn't hear of what the others have ended.
    if (host->serves() && world_.hosts().size() == 1) rest(*host, open);
  }
}

// --- each journal by itself
// ------------------------------------------------------------------------------------------------

void Promises::whole_runs() {
  for (const StoredRun& stored : runs_) {
    if (!stored.run) {
      broken(stored.record.id.text(), "it can't be read: " + stored.problem);
      continue;
    }
    journal(stored);
    events_of(stored);
  }
}

void Promises::journal(const StoredRun& stored) {
  const std::string id = stored.record.id.text();
  const Run& run = *stored.run;
  std::uint64_t seq = 0;
  ganglion::testing::InvariantChecker checker(run.workflow());
  for (const JournalEntry& entry : stored.journal) {
    if (entry.seq != ++seq) broken(id, "its journal has a gap before " + std::to_string(entry.seq));
    const auto event = decode(entry, run.workflow());
    if (!event) {
      broken(id, "entry " + std::to_string(entry.seq) + " can't be read");
      continue;
    }
    checker.observe(*event, entry.at);
  }
  checker.recount(run);
  for (const std::string& violation : checker.violations()) broken(id, violation);
  if (stored.record.ended_at != run.ended_at()) {
    broken(id, "the index shows " + stored.record.status + ", the journal " + std::string(run.status()));
  }
  if (run.ended() && stored.record.status != run.status()) broken(id, "the index shows another final state");
}

void Promises::events_of(const StoredRun& stored) {
  const Run& run = *stored.run;
  const RunId& id = stored.record.id;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> last_input;
  const std::string session = run.created().session_id.value_or("");
  for (const JournalEntry& entry : stored.journal) {
    const Event event = decode(entry, run.workflow()).value();
    const bool own = entry.seq > shared_part(run);
    if (const auto* scheduled = std::get_if<TaskScheduled>(&event)) {
      std::string& input = last_input[{scheduled->step.value(), scheduled->item.value()}];
      if (scheduled->input) input = scheduled->input->bytes();
      if (scheduled->role != TaskRole::work || input.empty()) continue;
      inputs_[AttemptToken{id, scheduled->step, scheduled->item, scheduled->attempt}.text()] = input;
    } else if (const auto* done = std::get_if<TaskSucceeded>(&event)) {
      ends_[AttemptToken{id, done->step, done->item, done->attempt}.text()] = entry.type;
    } else if (const auto* failed = std::get_if<TaskFailed>(&event)) {
      ends_[AttemptToken{id, failed->step, failed->item, failed->attempt}.text()] = entry.type;
    } else if (const auto* routed = std::get_if<TaskRouted>(&event)) {
      ends_[AttemptToken{id, routed->step, routed->item, routed->attempt}.text()] = entry.type;
    } else if (const auto* decided = std::get_if<ApprovalDecided>(&event)) {
      decided_[AttemptToken{id, decided->step, decided->item, decided->attempt}.path_text()] =
          decided->approved ? "approve" : "reject";
    } else if (const auto* published = std::get_if<EventPublished>(&event); published != nullptr && own) {
      published_.insert("/v1/runs/" + id.text() + " " + published->id);
    } else if (const auto* changed = std::get_if<StateChanged>(&event); changed != nullptr && own) {
      ++counts_[session + "\n" + changed->write.key];
    }
  }
  if (run.ended()) return;
  for (const AttemptToken& token : run.open_attempts()) {
    const TaskRecord& task = *run.find_task(token.step, token.item);
    const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
    if (awaiting && std::holds_alternative<ForPerson>(awaiting->wait())) asked_.insert(token.path_text());
  }
}

// --- what was said
// ----------------------------------------------------------------------------------------------------------

void Promises::acknowledged_starts() {
  if (!world_.has_lost_writes()) {
    for (const std::string& run : history_.runs()) {
      if (find(run) == nullptr) broken(run, "it was acknowledged and is gone");
    }
  }
  if (!conventions_.labels_name_keys) return;
  std::map<std::string, std::string> by_key;
  for (const StoredRun& stored : runs_) {
    const auto key = stored.record.labels.find("key");
    if (key == stored.record.labels.end() || stored.record.parent || !stored.run || stored.run->forked())
      continue;
    const auto [known, first] = by_key.try_emplace(key->second, stored.record.id.text());
    if (!first) broken(stored.record.id.text(), "one idempotency key started it and " + known->second);
  }
}

void Promises::accepted_results() {
  if (world_.has_lost_writes()) return;
  for (const std::string& token : history_.accepted()) {
    if (!ends_.contains(token)) world_.violated("a result was accepted that no journal has: " + token);
  }
}

void Promises::inputs_of_tasks() {
  if (world_.has_lost_writes()) return;
  for (const auto& [token, input] : history_.inputs()) {
    const auto scheduled = inputs_.find(token);
    if (scheduled != inputs_.end() && scheduled->second != input) {
      world_.violated("a worker got another input than the journal has: " + token + ": " + input + " for " +
                      scheduled->second);
    }
  }
}

void Promises::cancels() {
  if (world_.has_lost_writes()) return;
  for (const std::string& run : history_.cancelled_runs()) {
    const StoredRun* stored = find(run);
    if (stored == nullptr || !stored->run || history_.retried_runs().contains(run)) continue;
    if (stored->run->status() != "cancelled") {
      broken(run, "its cancel was acknowledged and it is " + std::string(stored->run->status()));
    }
  }
}

void Promises::decisions() {
  if (world_.has_lost_writes()) return;
  for (const auto& [approval, decision] : history_.decisions()) {
    const auto decided = decided_.find(approval);
    if (decided == decided_.end()) {
      world_.violated("a decision was acknowledged that no journal has: " + approval);
    } else if (decided->second != decision) {
      world_.violated("an approval was decided otherwise than was acknowledged: " + approval);
    }
  }
}

void Promises::followers() {
  if (world_.has_lost_writes()) return;
  for (const auto& [id, entries] : history_.journals()) {
    const StoredRun* stored = find(id);
    for (const auto& [seq, text] : entries) {
      if (stored == nullptr || seq > stored->journal.size()) {
        broken(id, "a follower got entry " + std::to_string(seq) + ", which is not there");
        continue;
      }
      const JournalEntry& entry = stored->journal[seq - 1];
      if (text.find("\"type\":\"" + entry.type + "\"") == std::string::npos) {
        broken(id, "a follower got another entry " + std::to_string(seq));
      }
    }
  }
}

// --- events, state, records
// ---------------------------------------------------------------------------------------------

void Promises::event_log() {
  EventQuery everything;
  everything.after = 0;
  everything.limit = kAll;
  std::map<std::uint64_t, std::string> log;
  std::map<std::string, int> times;
  for (std::uint64_t last = 0;;) {
    everything.after = last;
    const auto page = world_.store().ask<Result<std::vector<TopicEvent>>>(
        [&](Store& backing, auto answer) { backing.read_events(everything, std::move(answer)); });
    if (page->empty()) break;
    for (const TopicEvent& event : *page) {
      const std::string name = event.source + " " + event.id;
      log.emplace(event.seq, name);
      if (++times[name] > 1) world_.violated("an event is in the log twice: " + name);
      if (event.run && !published_.contains(name))
        world_.violated("an event was published by nobody: " + name);
    }
    last = page->back().seq;
  }
  for (const std::string& name : published_) {
    if (!times.contains(name)) world_.violated("an event of a journal is not in the log: " + name);
  }
  if (world_.has_lost_writes()) return;
  for (const auto& [name, seq] : history_.events()) {
    const auto found = log.find(seq);
    if (found == log.end() || found->second != name.first + " " + name.second) {
      world_.violated("an acknowledged event is not in the log: " + name.second);
    }
  }
}

void Promises::session_state() {
  if (world_.has_lost_writes()) return;
  for (const auto& [place, writes] : history_.state()) {
    const auto& [session, key] = place;
    for (const auto& [version, value] : writes) {
      const auto snapshot = world_.store().ask<Result<StateSnapshot>>(
          [&](Store& backing, auto answer) { backing.read_state(session, version, std::move(answer)); });
      if (!snapshot) continue;  // no longer kept
      const auto entry = snapshot->entries.find(key);
      if (entry == snapshot->entries.end() || entry->second.value.bytes() != value) {
        world_.violated("an acknowledged write of " + session + "/" + key + " is not its version " +
                        std::to_string(version));
      }
    }
  }
}

// Steps that count up what they have read: if one is lost, two were made from the same version.
void Promises::counters() {
  for (const auto& [place, writes] : counts_) {
    const std::size_t line = place.find('\n');
    const std::string session = place.substr(0, line);
    const std::string key = place.substr(line + 1);
    if (session.empty() || !conventions_.counters.contains(key)) continue;
    const auto snapshot = world_.store().ask<Result<StateSnapshot>>(
        [&](Store& backing, auto answer) { backing.read_state(session, std::nullopt, std::move(answer)); });
    const auto entry = snapshot->entries.find(key);
    const std::string value =
        entry == snapshot->entries.end() ? "nothing" : std::string(entry->second.value.bytes());
    if (value != std::to_string(writes)) {
      world_.violated("the counter " + session + "/" + key + " was raised " + std::to_string(writes) +
                      " times and is " + value);
    }
  }
}

void Promises::budgets() {
  if (!conventions_.uses_fit_budgets) return;
  for (const StoredRun& stored : runs_) {
    if (!stored.run) continue;
    const auto& budget = stored.run->workflow().budget;
    if (!budget || !budget->tokens) continue;
    const double used = as_budget(stored.run->usage()).tokens.value_or(0);
    if (used > *budget->tokens) {
      broken(stored.record.id.text(),
             "it used " + std::to_string(used) + " tokens of " + std::to_string(*budget->tokens));
    }
  }
}

void Promises::records() {
  const auto listed = world_.store().ask<Result<std::vector<Record>>>([&](Store& backing, auto answer) {
    backing.list_records({.kind = RecordKind::approval, .run = {}, .before = {}, .limit = kAll},
                         std::move(answer));
  });
  std::set<std::string> ids;
  for (const Record& record : *listed) ids.insert(record.id);
  if (ids != asked_) world_.violated("the approvals that are listed are not those that are waited for");
}

// --- engines
// ------------------------------------------------------------------------------------------------------------

// Engines beside each other may both hand out an attempt, and one of them hears of its end.
void Promises::limits() {
  if (world_.hosts().size() > 1) return;
  const auto& project = world_.options().project;
  for (const auto& [agent, most] : history_.most_at_once()) {
    const auto found = project->agents.find(agent);
    if (found == project->agents.end() || !found->second.concurrency) continue;
    if (most > static_cast<std::size_t>(*found->second.concurrency)) {
      world_.violated("an engine handed out " + std::to_string(most) + " tasks of " + agent + " at once");
    }
  }
}

// Everything that there is, and nothing else. What a failover has lost may still be in the audit.
void Promises::audit() {
  const AuditServer* const audit = world_.audit();
  if (audit == nullptr || world_.has_lost_writes()) return;
  for (const StoredRun& stored : runs_) {
    const auto copied = audit->runs().find(stored.record.id);
    if (copied == audit->runs().end())
      broken(stored.record.id.text(), "the audit hasn't got it");
    else if (copied->second.journal != stored.journal)
      broken(stored.record.id.text(), "the audit has another journal of it");
    else if (copied->second.record != stored.record)
      broken(stored.record.id.text(), "the audit has another record of it");
  }
  if (audit->runs().size() > runs_.size()) world_.violated("the audit has runs that don't exist");
}

// Nothing is left behind by what is over.
void Promises::rest(EngineHost& host, std::size_t open_runs) {
  Engine& engine = host.engine();
  if (engine.coordinator().open_runs() != open_runs) {
    world_.violated(host.name() + " counts " + std::to_string(engine.coordinator().open_runs()) +
                    " open runs of " + std::to_string(open_runs));
  }
  if (open_runs > 0) return;
  for (const agents::AgentStatus& status : engine.pool().statuses()) {
    if (status.queued + status.handed_out > 0) {
      world_.violated(host.name() + " still holds tasks of " + status.agent + " (" +
                      std::to_string(status.queued) + " queued, " + std::to_string(status.handed_out) +
                      " handed out)");
    }
  }
  if (host.pending_timers() > kRestingTimers + conventions_.timers_at_rest) {
    world_.violated(host.name() + " rests with " + std::to_string(host.pending_timers()) + " timers");
  }
}

}  // namespace ganglion::sim
