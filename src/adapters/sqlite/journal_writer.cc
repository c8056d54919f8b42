#include "adapters/sqlite/journal_writer.h"

#include <algorithm>

#include "base/json_text.h"

namespace ganglion::sqlite {
namespace {

// About 130 bytes each.
constexpr std::size_t kMaxPositions = 32'768;

std::string labels_json(const std::map<std::string, std::string>& labels) {
  JsonObject object;
  for (const auto& [name, value] : labels) object.add(name, value);
  return object.finish();
}

}  // namespace

JournalWriter::JournalWriter(Database& database, PieceTable& pieces, OutboxTable& outbox)
    : database_(database),
      pieces_(pieces),
      outbox_(outbox),
      begin_(database.prepare("BEGIN IMMEDIATE")),
      commit_(database.prepare("COMMIT")),
      roll_back_(database.prepare("ROLLBACK")),
      find_run_(database.prepare("SELECT handle FROM runs WHERE id = ?")),
      find_version_(database.prepare("SELECT max(seq) FROM journal WHERE run = ?")),
      find_fork_(database.prepare("SELECT fork_of, fork_seq FROM runs WHERE handle = ?")),
      find_claim_(database.prepare("SELECT run, body_digest FROM idempotency WHERE key = ?")),
      insert_run_(database.prepare(
          "INSERT INTO runs(id, workflow, definition, status, session_id, labels, created_at, ended_at, "
          "parent, usage, fork_of, fork_seq) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
      insert_label_(database.prepare("INSERT INTO run_labels(name, value, id) VALUES(?, ?, ?)")),
      insert_claim_(database.prepare("INSERT INTO idempotency(key, run, body_digest) VALUES(?, ?, ?)")),
      insert_event_(
          database.prepare("INSERT INTO journal(run, seq, at, type, step, item, attempt, data, pieces) "
                           "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")),
      update_status_(
          database.prepare("UPDATE runs SET status = ?, ended_at = ?, usage = ? WHERE handle = ?")),
      put_definition_(database.prepare("INSERT OR IGNORE INTO definitions(digest, source) VALUES(?, ?)")),
      put_setting_(database.prepare("INSERT INTO settings(name, value) VALUES(?, ?) "
                                    "ON CONFLICT(name) DO UPDATE SET value = excluded.value")),
      save_last_time_(database.prepare("INSERT OR REPLACE INTO latest_time(id, at) VALUES(1, ?)")) {}

DatabaseResult<void> JournalWriter::load() {
  const DatabaseResult<std::int64_t> last_row =
      database_.query_integer("SELECT at FROM journal ORDER BY rowid DESC LIMIT 1");
  if (!last_row) return std::unexpected(last_row.error());
  const DatabaseResult<std::int64_t> saved = database_.query_integer("SELECT at FROM latest_time");
  if (!saved) return std::unexpected(saved.error());
  last_row_time_ = Timestamp(*last_row);
  saved_time_ = Timestamp(*saved);
  last_time_ = std::max(last_row_time_, saved_time_);
  return outbox_.load();
}

DatabaseResult<void> JournalWriter::begin() {
  return begin_.run();
}

DatabaseResult<CommitOutcome> JournalWriter::apply(const Commit& commit) {
  if (commit.claim) {
    DatabaseResult<std::optional<KeyTaken>> taken = find_claim(commit.claim->key);
    if (!taken) return std::unexpected(taken.error());
    if (*taken) return **taken;
  }
  const DatabaseResult<std::optional<Position>> found = find_position(commit.run);
  if (!found) return std::unexpected(found.error());
  Position position = found->value_or(Position{});
  const bool may_go_on = commit.create ? !*found : position.version == commit.expected_version;
  if (!may_go_on) return VersionConflict{position.version};
  std::optional<std::int64_t> fork_of;
  if (commit.fork) {
    const auto shared = find_shared(*commit.fork);
    if (!shared) return std::unexpected(shared.error());
    if (const auto* conflict = std::get_if<VersionConflict>(&*shared)) return *conflict;
    fork_of = std::get<std::int64_t>(*shared);
  }

  if (commit.create) {
    const DatabaseResult<std::int64_t> handle = create(commit, fork_of);
    if (!handle) return std::unexpected(handle.error());
    position.handle = *handle;
  }
  for (const JournalEntry& event : commit.events) {
    if (const auto appended = append(position.handle, event); !appended)
      return std::unexpected(appended.error());
  }
  if (commit.status && !commit.create) {
    const auto changed = change_status(position.handle, *commit.status);
    if (!changed) return std::unexpected(changed.error());
  }
  if (const auto noted = outbox_.note(position.handle); !noted) return std::unexpected(noted.error());
  position.version = commit.events.back().seq;
  remember(commit.run, position, commit.status && commit.status->ended_at);
  return Committed{};
}

DatabaseResult<std::optional<JournalWriter::Position>> JournalWriter::find_position(const RunId& run) {
  if (const auto known = positions_.find(run); known != positions_.end()) return known->second;
  const ResetAtEnd reset_run(find_run_);
  const DatabaseResult<bool> exists = find_run_.bind(1, run).step();
  if (!exists) return std::unexpected(exists.error());
  if (!*exists) return std::nullopt;
  Position position{find_run_.integer(0), 0};
  const ResetAtEnd reset_version(find_version_);
  const DatabaseResult<bool> version = find_version_.bind(1, position.handle).step();
  if (!version) return std::unexpected(version.error());
  position.version = static_cast<std::uint64_t>(find_version_.integer(0));
  return position;
}

DatabaseResult<std::variant<std::int64_t, VersionConflict>> JournalWriter::find_shared(
    const ForkPoint& fork) {
  const DatabaseResult<std::optional<Position>> found = find_position(fork.run);
  if (!found) return std::unexpected(found.error());
  const Position position = found->value_or(Position{});
  if (position.version < fork.seq) return VersionConflict{position.version};
  std::int64_t handle = position.handle;
  for (;;) {
    const ResetAtEnd reset(find_fork_);
    const DatabaseResult<bool> row = find_fork_.bind(1, handle).step();
    if (!row) return std::unexpected(row.error());
    const bool shared_there = *row && !find_fork_.is_null(0) && fork.seq <= find_fork_.number(1);
    if (!shared_there) return handle;
    // Handles rise, so a file that says otherwise is damaged and would lead us in a circle.
    if (find_fork_.integer(0) >= handle)
      return std::unexpected(DatabaseError::corruption("a run is forked from a later one"));
    handle = find_fork_.integer(0);
  }
}

DatabaseResult<std::optional<KeyTaken>> JournalWriter::find_claim(const std::string& key) {
  const ResetAtEnd reset(find_claim_);
  const DatabaseResult<bool> taken = find_claim_.bind(1, key).step();
  if (!taken) return std::unexpected(taken.error());
  if (!*taken) return std::nullopt;
  const std::optional<RunId> run = RunId::parse(find_claim_.text(0));
  if (!run) return std::unexpected(DatabaseError::corruption("an idempotency key names no run"));
  return KeyTaken{*run, find_claim_.text(1)};
}

// Writes the index entry as it is after the whole commit, so that a new run is never updated at once.
DatabaseResult<std::int64_t> JournalWriter::create(const Commit& commit,
                                                   std::optional<std::int64_t> fork_of) {
  const RunRecord& record = *commit.create;
  const std::string labels = labels_json(record.labels);
  const std::optional<Timestamp> ended_at = commit.status ? commit.status->ended_at : record.ended_at;
  insert_run_.bind(1, record.id)
      .bind(2, record.workflow)
      .bind(3, record.definition)
      .bind(4, commit.status ? commit.status->status : record.status)
      .bind(5, record.session_id)
      .bind(6, labels)
      .bind(7, record.created_at)
      .bind(8, ended_at);
  if (record.parent) insert_run_.bind(9, *record.parent);
  insert_run_.bind(10, commit.status ? commit.status->usage : record.usage);
  if (fork_of) insert_run_.bind(11, *fork_of).bind_number(12, commit.fork->seq);
  if (const auto inserted = insert_run_.run(); !inserted) return std::unexpected(inserted.error());
  const std::int64_t handle = database_.last_insert_rowid();

  for (const auto& [name, value] : record.labels) {
    const auto inserted = insert_label_.bind(1, name).bind(2, value).bind(3, record.id).run();
    if (!inserted) return std::unexpected(inserted.error());
  }
  if (commit.claim) {
    const auto inserted =
        insert_claim_.bind(1, commit.claim->key).bind(2, commit.run).bind(3, commit.claim->body_digest).run();
    if (!inserted) return std::unexpected(inserted.error());
  }
  return handle;
}

DatabaseResult<void> JournalWriter::append(std::int64_t handle, const JournalEntry& event) {
  last_row_time_ = event.at;
  last_time_ = std::max(last_time_, event.at);
  insert_event_.bind(1, handle)
      .bind_number(2, event.seq)
      .bind(3, event.at)
      .bind(4, event.type)
      .bind(5, event.step)
      .bind(6, event.item)
      .bind(7, event.attempt);
  if (event.data.size() <= kMaxInlineText) return insert_event_.bind(8, event.data).run();
  const DatabaseResult<std::string> pieces = pieces_.store(event.data);
  if (!pieces) {
    insert_event_.reset();
    return std::unexpected(pieces.error());
  }
  return insert_event_.bind(8, std::string_view()).bind_bytes(9, *pieces).run();
}

DatabaseResult<void> JournalWriter::change_status(std::int64_t handle, const StatusChange& change) {
  return update_status_.bind(1, change.status)
      .bind(2, change.ended_at)
      .bind(3, change.usage)
      .bind(4, handle)
      .run();
}

void JournalWriter::remember(const RunId& run, Position position, bool ended) {
  if (ended) {
    positions_.erase(run);
    return;
  }
  if (positions_.size() >= kMaxPositions) positions_.clear();
  positions_.insert_or_assign(run, position);
}

DatabaseResult<void> JournalWriter::put_definition(const std::string& digest, const std::string& source) {
  return put_definition_.bind(1, digest).bind(2, source).run();
}

DatabaseResult<void> JournalWriter::put_setting(const std::string& name, const std::string& value) {
  return put_setting_.bind(1, name).bind(2, value).run();
}

DatabaseResult<void> JournalWriter::save_last_time() {
  if (last_row_time_ >= last_time_ || saved_time_ >= last_time_) return {};
  const auto saved = save_last_time_.bind(1, last_time_.milliseconds_since_epoch()).run();
  if (saved) saved_time_ = last_time_;
  return saved;
}

DatabaseResult<void> JournalWriter::commit() {
  if (const auto saved = save_last_time(); !saved) return saved;
  return commit_.run();
}

void JournalWriter::roll_back() {
  positions_.clear();
  // Some errors, a full disk among them, have rolled back already.
  if (database_.in_transaction()) static_cast<void>(roll_back_.run());
  // The file is as it was, so reading it back can fail only if the next write will fail as well.
  static_cast<void>(load());
}

}  // namespace ganglion::sqlite
