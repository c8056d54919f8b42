#include "adapters/sqlite/outbox_table.h"

#include <chrono>

namespace ganglion::sqlite {
namespace {

Timestamp now() {
  using std::chrono::duration_cast;
  return Timestamp(duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count());
}

}  // namespace

OutboxTable::OutboxTable(Database& database)
    : find_switch_(database.prepare("SELECT 1 FROM settings WHERE name = 'outbox'")),
      turn_on_(database.prepare("INSERT OR IGNORE INTO settings(name, value) VALUES('outbox', 'on')")),
      note_(database.prepare("INSERT OR IGNORE INTO outbox(run, due) VALUES(?, ?)")),
      put_(database.prepare(
          "INSERT OR IGNORE INTO outbox(run, due) SELECT handle, ?2 FROM runs WHERE id = ?1")),
      find_due_(database.prepare("SELECT outbox.run, runs.id FROM outbox CROSS JOIN runs ON handle = run "
                                 "WHERE due <= ? ORDER BY due, run LIMIT ?")),
      find_beyond_(database.prepare("SELECT outbox.run, runs.id FROM outbox CROSS JOIN runs ON handle = run "
                                    "WHERE due > ? ORDER BY due, run LIMIT ?")),
      set_due_(database.prepare("UPDATE outbox SET due = ?2 WHERE run = ?1")),
      remove_(database.prepare("DELETE FROM outbox WHERE run = (SELECT handle FROM runs WHERE id = ?1) "
                               "AND (SELECT max(seq) FROM journal WHERE journal.run = outbox.run) <= ?2")),
      put_last_(
          database.prepare("UPDATE outbox SET due = ?2 WHERE run = (SELECT handle FROM runs WHERE id = ?1)")),
      count_(database.prepare("SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ?)")) {}

DatabaseResult<void> OutboxTable::load() {
  const ResetAtEnd reset(find_switch_);
  const DatabaseResult<bool> row = find_switch_.step();
  if (!row) return std::unexpected(row.error());
  on_ = *row;
  return {};
}

DatabaseResult<void> OutboxTable::turn_on() {
  on_ = true;
  return turn_on_.run();
}

DatabaseResult<void> OutboxTable::note(std::int64_t handle) {
  if (!on_) return {};
  return note_.bind(1, handle).bind(2, now()).run();
}

DatabaseResult<void> OutboxTable::put(const std::vector<RunId>& runs) {
  for (const RunId& run : runs) {
    if (const auto put = put_.bind(1, run).bind(2, now()).run(); !put) return put;
  }
  return {};
}

// A lease that would end later than any from now on is one from before the clock was set back.
DatabaseResult<std::vector<RunId>> OutboxTable::take(std::uint32_t limit, Duration lease) {
  const Timestamp time = now();
  std::vector<Taken> found;
  if (const auto due = find_due(find_due_, time, limit, found); !due) return std::unexpected(due.error());
  const auto beyond = find_due(find_beyond_, time + kMaxOutboxLease, limit, found);
  if (!beyond) return std::unexpected(beyond.error());
  std::vector<RunId> taken;
  for (const Taken& row : found) {
    const auto set = set_due_.bind(1, row.handle).bind(2, time + lease).run();
    if (!set) return std::unexpected(set.error());
    taken.push_back(row.run);
  }
  return taken;
}

DatabaseResult<void> OutboxTable::find_due(Statement& rows, Timestamp bound, std::uint32_t limit,
                                           std::vector<Taken>& found) {
  const ResetAtEnd reset(rows);
  rows.bind(1, bound).bind(2, static_cast<std::int64_t>(limit - found.size()));
  for (;;) {
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    const std::optional<RunId> run = RunId::parse(rows.text(1));
    if (!run) return std::unexpected(DatabaseError::corruption("the outbox names no run"));
    found.push_back({rows.integer(0), *run});
  }
}

DatabaseResult<void> OutboxTable::settle(const std::vector<JournalPosition>& copied) {
  const Timestamp time = now();
  for (const auto& [run, seq] : copied) {
    if (const auto removed = remove_.bind(1, run).bind_number(2, seq).run(); !removed) return removed;
    // Of one that has gone on; the others are gone.
    if (const auto put = put_last_.bind(1, run).bind(2, time).run(); !put) return put;
  }
  return {};
}

Result<std::uint64_t> OutboxTable::count() {
  const ResetAtEnd reset(count_);
  const DatabaseResult<bool> row = count_.bind_number(1, kMaxOutboxCount).step();
  if (!row) return std::unexpected(row.error().as_read_error());
  return count_.number(0);
}

}  // namespace ganglion::sqlite
