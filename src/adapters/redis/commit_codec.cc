#include "adapters/redis/commit_codec.h"

#include <algorithm>
#include <utility>

#include "adapters/redis/codec.h"

namespace ganglion::redis {
namespace {

// A map whose size is known at the end.
class Fields {
 public:
  Packer& field(std::string_view name) {
    ++fields_;
    return packer_.text(name);
  }
  Packer& packer() { return packer_; }
  std::string take() { return Packer().map(fields_).raw(packer_.take()).take(); }

 private:
  std::size_t fields_ = 0;
  Packer packer_;
};

// The lists that show the run, but for those that change with its status.
std::vector<std::string> indexes_of(const RunRecord& record) {
  std::vector<std::string> indexes = {"all", "workflow:" + record.workflow};
  if (record.session_id) indexes.push_back("session:" + *record.session_id);
  if (record.parent) indexes.push_back("parent:" + record.parent->text());
  for (const auto& [name, value] : record.labels)
    indexes.push_back("label:" + std::to_string(name.size()) + ':' + name + value);
  return indexes;
}

void pack_status(Packer& packer, const std::string& status, std::optional<Timestamp> ended_at,
                 const std::string& usage) {
  packer.text("status").text(status).text("ended").boolean(ended_at.has_value());
  packer.text("rest").text(pack_rest(ended_at, usage));
}

// With the status that the run has after the whole commit.
void pack_create(Packer& packer, const RunRecord& record, const std::optional<StatusChange>& change) {
  packer.map(5).text("fixed").text(pack_fixed(record)).text("indexes");
  const std::vector<std::string> indexes = indexes_of(record);
  packer.array(indexes.size());
  for (const std::string& index : indexes) packer.text(index);
  if (change)
    pack_status(packer, change->status, change->ended_at, change->usage);
  else
    pack_status(packer, record.status, record.ended_at, record.usage);
}

void pack_journal(Fields& fields, const Commit& commit) {
  fields.field("run").text(commit.run.text());
  fields.field("version").number(commit.expected_version);
  Timestamp latest = commit.events.front().at;
  Packer& entries = fields.field("entries").array(commit.events.size());
  for (const JournalEntry& event : commit.events) {
    latest = std::max(latest, event.at);
    entries.text(pack_entry(event));
  }
  fields.field("latest").integer(latest.milliseconds_since_epoch());
}

void pack_run(Fields& fields, const Commit& commit) {
  if (commit.create) {
    pack_create(fields.field("create"), *commit.create, commit.status);
  } else if (commit.status) {
    Packer& status = fields.field("status").map(3);
    pack_status(status, commit.status->status, commit.status->ended_at, commit.status->usage);
  }
  if (commit.claim) {
    Packer& claim = fields.field("claim").map(2);
    claim.text("key").text(commit.claim->key).text("body_digest").text(commit.claim->body_digest);
  }
  if (commit.fork) {
    Packer& fork = fields.field("fork").map(2);
    fork.text("run").text(commit.fork->run.text()).text("seq").number(commit.fork->seq);
  }
}

void pack_records(Fields& fields, const Commit& commit) {
  if (!commit.removed_records.empty()) {
    Packer& removed = fields.field("removed").array(commit.removed_records.size());
    for (const RecordKey& key : commit.removed_records)
      removed.map(2).text("kind").text(kind_name(key.kind)).text("id").text(key.id);
  }
  if (!commit.records.empty()) {
    Packer& records = fields.field("records").array(commit.records.size());
    for (const Record& record : commit.records) pack_record(records.map(6), record);
  }
}

void pack_state(Fields& fields, const StateCommit& state) {
  Packer& packer = fields.field("state").map(4).text("session").text(state.session).text("expected");
  state.expected_version ? packer.number(*state.expected_version) : packer.nil();
  packer.text("history").number(kStateHistory).text("writes").array(state.writes.size());
  for (const StateWrite& write : state.writes) pack_state_write(packer, write);
}

void pack_others(Fields& fields, const Commit& commit) {
  if (!commit.published.empty()) {
    Packer& published = fields.field("published").array(commit.published.size());
    for (const TopicEvent& event : commit.published) pack_event(published, event);
  }
  if (!commit.cached.empty()) {
    Packer& outputs = fields.field("outputs").array(commit.cached.size());
    for (const CachedOutput& output : commit.cached) {
      outputs.map(3).text("key").text(output.key).text("bytes").text(pack_output(output));
      outputs.text("expires_at").integer(output.expires_at.milliseconds_since_epoch());
    }
  }
  if (!commit.blobs.empty()) {
    Packer& blobs = fields.field("blobs").array(commit.blobs.size());
    for (const std::string& digest : commit.blobs) blobs.text(digest);
  }
}

std::optional<CommitOutcome> unpack_committed(Unpacker& answer) {
  Committed committed;
  for (std::size_t seqs = answer.array(); seqs > 0 && answer.intact(); --seqs)
    committed.event_seqs.push_back(answer.number());
  if (!answer.absent()) committed.state_version = answer.number();
  return committed;
}

}  // namespace

std::string pack_commit(const Commit& commit) {
  Fields fields;
  fields.field("op").text("commit");
  pack_journal(fields, commit);
  pack_run(fields, commit);
  pack_records(fields, commit);
  if (commit.state) pack_state(fields, *commit.state);
  pack_others(fields, commit);
  return fields.take();
}

// 1, or [word, …].
std::optional<CommitOutcome> unpack_outcome(Unpacker answer) {
  if (!answer.next_is_array()) {
    if (answer.number() == 1 && answer.intact()) return Committed{};
    return std::nullopt;
  }
  answer.array();
  const std::string_view word = answer.text();
  std::optional<CommitOutcome> outcome;
  if (word == "done") outcome = unpack_committed(answer);
  if (word == "conflict") outcome = VersionConflict{answer.number()};
  if (word == "moved") outcome = StateMoved{answer.number()};
  if (word == "taken") {
    const std::optional<RunId> run = RunId::parse(answer.text());
    if (run) outcome = KeyTaken{*run, std::string(answer.text())};
  }
  return answer.intact() ? outcome : std::nullopt;
}

}  // namespace ganglion::redis
