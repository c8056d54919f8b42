#include "adapters/postgres/writes.h"

#include <algorithm>
#include <utility>

#include "adapters/postgres/rows.h"
#include "base/assert.h"
#include "base/overloaded.h"
#include "core/blob_references.h"
#include "core/workflow.h"
#include "ports/state_rules.h"

namespace ganglion::postgres {
namespace {

// Of commit_to_run and create_run.
constexpr std::int64_t kCommitted = 0;
constexpr std::int64_t kVersionConflict = 1;
constexpr std::int64_t kKeyTaken = 2;
constexpr std::int64_t kStateMoved = 3;
// Of write_state.
constexpr std::int64_t kStateWritten = 0;
constexpr std::int64_t kConditionFails = 1;

std::vector<std::string> references_in(std::string_view json) {
  std::vector<std::string> digests;
  find_blob_references(json, digests);
  return digests;
}

Array digests(const std::vector<std::string>& hex) {
  Array array(Type::bytes);
  for (const std::string& digest : hex) array.add_bytes(digest_bytes(digest));
  return array;
}

// Which elements of a list refer to which blobs: two arrays side by side, elements counted from 1.
class References {
 public:
  void add(std::size_t element, std::string_view json) {
    for (const std::string& digest : references_in(json)) {
      elements_.add(static_cast<std::int64_t>(element + 1));
      digests_.add_bytes(digest_bytes(digest));
    }
  }
  void move_to(Params& params) && { params.add(std::move(elements_)).add(std::move(digests_)); }

 private:
  Array elements_{Type::integer};
  Array digests_{Type::bytes};
};

void add_entries(Params& params, const std::vector<JournalEntry>& entries) {
  Array at(Type::integer), type(Type::text), step(Type::text), item(Type::integer), attempt(Type::integer),
      data(Type::bytes);
  for (const JournalEntry& entry : entries) {
    at.add(entry.at);
    type.add_text(entry.type);
    step.add_text(entry.step);
    item.add(entry.item);
    attempt.add(entry.attempt);
    data.add_bytes(entry.data);
  }
  params.add(std::move(at)).add(std::move(type)).add(std::move(step));
  params.add(std::move(item)).add(std::move(attempt)).add(std::move(data));
}

void add_demanded_state(Params& params, const std::optional<StateCommit>& state) {
  if (state && state->expected_version)
    params.add_text(state->session).add(*state->expected_version);
  else
    params.add_null().add_null();
}

Params params_of_commit(const Commit& commit) {
  Params params;
  params.add(commit.run).add(commit.expected_version);
  add_entries(params, commit.events);
  if (commit.status)
    params.add_text(commit.status->status).add(commit.status->ended_at).add_text(commit.status->usage);
  else
    params.add_null().add_null().add_null();
  add_demanded_state(params, commit.state);
  return params;
}

// The index entry is that after the whole commit, so that a new run is not changed at once.
Params params_of_creation(const Commit& commit) {
  const RunRecord& record = *commit.create;
  const std::optional<StatusChange>& change = commit.status;
  Array names(Type::text), values(Type::text);
  for (const auto& [name, value] : record.labels) {
    names.add_text(name);
    values.add_text(value);
  }
  Params params;
  params.add(commit.run).add(commit.expected_version);
  add_entries(params, commit.events);
  params.add_text(record.workflow)
      .add_text(record.definition)
      .add_text(change ? change->status : record.status)
      .add_text(record.session_id)
      .add_text(labels_text(record.labels))
      .add(std::move(names))
      .add(std::move(values))
      .add(record.created_at)
      .add(change ? change->ended_at : record.ended_at)
      .add(record.parent)
      .add_text(change ? change->usage : record.usage)
      .add(commit.fork ? std::optional(commit.fork->run) : std::nullopt);
  if (commit.claim)
    params.add_text(commit.claim->key).add_text(commit.claim->body_digest);
  else
    params.add_null().add_null();
  add_demanded_state(params, commit.state);
  return params;
}

Params params_of(const Record& record) {
  Params params;
  params.add(number_of(record.kind))
      .add_text(record.id)
      .add(record.run)
      .add(record.at)
      .add_bytes(record.data);
  params.add(digests(references_in(record.data)));
  return params;
}

Params params_of_removal(RecordKind kind, const std::optional<std::string>& id) {
  return std::move(Params().add(number_of(kind)).add_text(id));
}

Params params_of(const std::vector<TopicEvent>& events) {
  Array topic(Type::text), source(Type::text), id(Type::text), version(Type::integer), time(Type::integer),
      subject(Type::text), run(Type::uuid), step(Type::text), cause(Type::integer), hops(Type::integer),
      data(Type::bytes);
  References references;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const TopicEvent& event = events[i];
    topic.add_text(event.topic);
    source.add_text(event.source);
    id.add_text(event.id);
    version.add(event.version);
    time.add(event.time);
    subject.add_text(event.subject);
    run.add(event.run);
    step.add_text(event.step);
    cause.add(event.cause);
    hops.add(event.hops);
    data.add_bytes(event.data.bytes());
    references.add(i, event.data.bytes());
  }
  Params params;
  params.add(std::move(topic)).add(std::move(source)).add(std::move(id)).add(std::move(version));
  params.add(std::move(time)).add(std::move(subject)).add(std::move(run)).add(std::move(step));
  params.add(std::move(cause)).add(std::move(hops)).add(std::move(data));
  std::move(references).move_to(params);
  return params;
}

Params params_of(const StateCommit& state) {
  Array keys(Type::text), values(Type::bytes), expires(Type::integer);
  References references;
  for (std::size_t i = 0; i < state.writes.size(); ++i) {
    const StateWrite& write = state.writes[i];
    keys.add_text(write.key);
    write.value ? values.add_bytes(write.value->bytes()) : values.add_null();
    expires.add(write.expires_at);
    if (write.value) references.add(i, write.value->bytes());
  }
  Params params;
  params.add_text(state.session).add(std::move(keys)).add(std::move(values)).add(std::move(expires));
  params.add(kStateHistory);
  std::move(references).move_to(params);
  return params;
}

Params params_of(const CachedOutput& output) {
  Params params;
  params.add_text(output.key).add(output.at).add(output.expires_at).add_bytes(output.output.bytes());
  return params;
}

bool has_parts(const Commit& commit) {
  return !commit.records.empty() || !commit.removed_records.empty() || !commit.published.empty() ||
         commit.state || !commit.cached.empty() || !commit.blobs.empty();
}

// Those with an answer that counts come first: published events, then state.
void add_parts(Write& write, const Commit& commit) {
  if (!commit.published.empty()) write.calls.push_back({&kAppendEventsPart, params_of(commit.published)});
  if (commit.state) write.calls.push_back({&kWriteSessionPart, params_of(*commit.state)});
  for (const RecordKey& key : commit.removed_records)
    write.calls.push_back({&kRemoveRecordPart, params_of_removal(key.kind, key.id)});
  for (const Record& record : commit.records) write.calls.push_back({&kPutRecordPart, params_of(record)});
  for (const CachedOutput& output : commit.cached)
    write.calls.push_back({&kPutCachedPart, params_of(output)});
  if (!commit.blobs.empty())
    write.calls.push_back({&kKeepBlobsPart, std::move(Params().add(digests(commit.blobs)))});
}

Locks locks_of(const Commit& commit) {
  Locks locks{
      .runs = {commit.run}, .claims = commit.claim.has_value(), .publishes = !commit.published.empty()};
  // Two processes that both go on with the parent create its sub-runs one after the other.
  if (commit.create && commit.create->parent) locks.runs.push_back(*commit.create->parent);
  if (commit.state) locks.sessions.push_back(commit.state->session);
  return locks;
}

}  // namespace

// --- commits
// ------------------------------------------------------------------------------------------------------

Write write_of(const Commit& commit) {
  Write write{.locks = locks_of(commit)};
  for (const JournalEntry& event : commit.events) write.time = std::max(write.time, event.at);
  const bool parts = has_parts(commit);
  if (commit.create)
    write.calls.push_back({parts ? &kCreateRunWithParts : &kCreateRun, params_of_creation(commit)});
  else
    write.calls.push_back({parts ? &kCommitToRunWithParts : &kCommitToRun, params_of_commit(commit)});
  add_parts(write, commit);
  return write;
}

CommitShape shape_of(const Commit& commit) {
  return {.creates = commit.create.has_value(),
          .publishes = !commit.published.empty(),
          .writes_state = commit.state.has_value()};
}

CommitOutcome outcome_of(const CommitShape& shape, Results results) {
  const Row decision(*results[0], 0);
  switch (decision.integer(0)) {
    case kVersionConflict:
      return VersionConflict{decision.number(1)};
    case kKeyTaken:
      return KeyTaken{decision.run(2), decision.text(3)};
    case kStateMoved:
      return StateMoved{decision.number(1)};
    default:
      GANGLION_ASSERT(decision.integer(0) == kCommitted);
  }
  Committed committed;
  std::size_t part = 1;
  if (shape.publishes) {
    for (const Appended& appended : appended_of(*results[part++]))
      committed.event_seqs.push_back(appended.seq);
  }
  if (shape.writes_state) committed.state_version = Row(*results[part], 0).number(0);
  return committed;
}

// --- records
// ------------------------------------------------------------------------------------------------------

Write write_of(const Record& record) {
  Write write;
  write.calls.push_back({&kPutRecord, params_of(record)});
  return write;
}

Write removal_of(RecordKind kind, const std::optional<std::string>& id) {
  Write write{.alone = true};
  write.calls.push_back({&kRemoveRecords, params_of_removal(kind, id)});
  return write;
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

Write write_of(const std::vector<TopicEvent>& events) {
  Write write{.locks = {.publishes = true}};
  write.calls.push_back({&kAppendEvents, params_of(events)});
  return write;
}

std::vector<Appended> appended_of(const PGresult& result) {
  std::vector<Appended> appended;
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    appended.push_back({row.number(0), row.boolean(1)});
  }
  return appended;
}

// --- state
// ------------------------------------------------------------------------------------------------------

Write write_of(const std::string& session, const StateWrite& write, const StatePrecondition& precondition) {
  const auto [condition, version] = std::visit(
      Overloaded{[](AnyVersion) { return std::pair<std::int64_t, std::uint64_t>(0, 0); },
                 [](KeyAbsent) { return std::pair<std::int64_t, std::uint64_t>(1, 0); },
                 [](KeyVersion wanted) { return std::pair<std::int64_t, std::uint64_t>(2, wanted.version); }},
      precondition);
  Params params;
  params.add_text(session).add_text(write.key);
  write.value ? params.add_bytes(write.value->bytes()) : params.add_null();
  params.add(write.expires_at).add(condition).add(version);
  params.add(std::uint64_t{kMaxStateKeys}).add(std::uint64_t{kMaxStateBytes}).add(kStateHistory);
  params.add(digests(write.value ? references_in(write.value->bytes()) : std::vector<std::string>()));
  Write made{.locks = {.sessions = {session}}};
  made.calls.push_back({&kWriteState, std::move(params)});
  return made;
}

StateOutcome state_outcome_of(const PGresult& result) {
  using Refusal = std::variant<StateConflict, Error>;
  const Row row(result, 0);
  if (row.integer(0) == kStateWritten) return row.number(1);
  if (row.integer(0) != kConditionFails) return std::unexpected(Refusal(state_too_large()));
  StateConflict conflict;
  if (!row.is_null(3))
    conflict.current = StateEntry{Payload(std::string(row.bytes(2))), row.number(3), row.optional_time(4)};
  return std::unexpected(Refusal(std::move(conflict)));
}

Write expiry_of(Timestamp now, std::uint32_t limit) {
  Write write{.alone = true};
  write.calls.push_back({&kExpireState, std::move(Params().add(now).add(limit).add(kStateHistory))});
  return write;
}

std::vector<ExpiredState> expired_of(const PGresult& result) {
  std::vector<ExpiredState> expired;
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    expired.push_back({row.text(0), row.number(1)});
  }
  return expired;
}

// --- the outbox
// ------------------------------------------------------------------------------------------------------

Write filling_of(const std::vector<RunId>& runs) {
  Array ids(Type::uuid);
  for (const RunId& run : runs) ids.add(run);
  Write write;
  write.calls.push_back({&kPutIntoOutbox, std::move(Params().add(std::move(ids)))});
  return write;
}

Write taking_of(std::uint32_t limit, Duration lease) {
  Params params;
  params.add(limit).add(std::int64_t{lease.count()}).add(std::int64_t{kMaxOutboxLease.count()});
  Write write;
  write.calls.push_back({&kTakeFromOutbox, std::move(params)});
  return write;
}

std::vector<RunId> taken_of(const PGresult& result) {
  std::vector<RunId> taken;
  for (int i = 0; i < rows_of(result); ++i) taken.push_back(Row(result, i).run(0));
  return taken;
}

Write settling_of(const std::vector<JournalPosition>& copied) {
  Write write;
  Array runs(Type::uuid), seqs(Type::integer);
  for (const auto& [run, seq] : copied) {
    write.locks.runs.push_back(run);
    runs.add(run);
    seqs.add(seq);
  }
  write.calls.push_back({&kSettleOutbox, std::move(Params().add(std::move(runs)).add(std::move(seqs)))});
  return write;
}

}  // namespace ganglion::postgres
