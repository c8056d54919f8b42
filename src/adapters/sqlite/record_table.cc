#include "adapters/sqlite/record_table.h"

#include <limits>
#include <string_view>

#include "base/assert.h"

namespace ganglion::sqlite {
namespace {

// As written in the file.
std::int64_t number_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::approval:
      return 1;
    case RecordKind::dead_letter:
      return 2;
  }
  GANGLION_ASSERT(false);
}

Error no_record(const std::string& id) {
  return {"not_found", "there is no record " + id};
}

// The columns are id, run, at, data.
DatabaseResult<Record> read_record(RecordKind kind, const Statement& row) {
  Record record{.kind = kind, .id = row.text(0), .run = {}, .at = row.time(2), .data = row.text(3)};
  if (row.is_null(1)) return record;
  record.run = RunId::parse(row.text(1));
  if (!record.run) return std::unexpected(DatabaseError::corruption("a record names no run"));
  return record;
}

constexpr std::int64_t kAfterEveryTime = std::numeric_limits<std::int64_t>::max();

}  // namespace

RecordTable::RecordTable(Database& database, BlobTable& blobs)
    : database_(database),
      blobs_(blobs),
      insert_(database.prepare("INSERT INTO records(kind, id, run, at, data) VALUES(?, ?, ?, ?, ?)")),
      find_refs_(database.prepare("SELECT data FROM records WHERE kind = ? AND id = ?")),
      find_all_refs_(
          database.prepare("SELECT data FROM records WHERE kind = ? AND instr(data, '\"$ref\"') > 0")),
      delete_(database.prepare("DELETE FROM records WHERE kind = ? AND id = ?")),
      delete_all_(database.prepare("DELETE FROM records WHERE kind = ?")),
      find_(database.prepare("SELECT id, run, at, data FROM records WHERE kind = ? AND id = ?")),
      list_(database.prepare("SELECT id, run, at, data FROM records INDEXED BY records_by_time "
                             "WHERE kind = ?1 AND (at, id) < (?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4")),
      list_of_run_(database.prepare("SELECT id, run, at, data FROM records INDEXED BY records_by_run "
                                    "WHERE kind = ?1 AND run = ?5 AND (at, id) < (?2, ?3) "
                                    "ORDER BY at DESC, id DESC LIMIT ?4")) {}

DatabaseResult<void> RecordTable::put(const Record& record) {
  if (const auto removed = remove(record.kind, record.id); !removed) return std::unexpected(removed.error());
  insert_.bind(1, number_of(record.kind)).bind(2, record.id);
  if (record.run) insert_.bind(3, *record.run);
  insert_.bind(4, record.at).bind(5, record.data);
  if (const auto inserted = insert_.run(); !inserted) return inserted;
  return blobs_.refer_from(record.data);
}

DatabaseResult<std::uint64_t> RecordTable::remove(RecordKind kind, const std::optional<std::string>& id) {
  const auto bind = [&](Statement& of_one, Statement& of_all) -> Statement& {
    Statement& statement = id ? of_one.bind(2, std::string_view(*id)) : of_all;
    return statement.bind(1, number_of(kind));
  };
  Statement& rows = bind(find_refs_, find_all_refs_);
  const ResetAtEnd reset(rows);
  for (;;) {
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (const auto released = blobs_.release_from(rows.bytes(0)); !released)
      return std::unexpected(released.error());
  }
  if (const auto deleted = bind(delete_, delete_all_).run(); !deleted)
    return std::unexpected(deleted.error());
  return static_cast<std::uint64_t>(database_.changed_rows());
}

Result<Record> RecordTable::find(const RecordKey& key) {
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> row = find_.bind(1, number_of(key.kind)).bind(2, key.id).step();
  if (!row) return std::unexpected(row.error().as_read_error());
  if (!*row) return std::unexpected(no_record(key.id));
  DatabaseResult<Record> record = read_record(key.kind, find_);
  if (!record) return std::unexpected(record.error().as_read_error());
  return std::move(*record);
}

Result<std::vector<Record>> RecordTable::list(const RecordQuery& query) {
  Statement& rows = query.run ? list_of_run_.bind(5, *query.run) : list_;
  const ResetAtEnd reset(rows);
  rows.bind(1, number_of(query.kind)).bind(2, kAfterEveryTime).bind(3, std::string_view());
  if (query.before) {
    const Result<Record> last = find({query.kind, *query.before});
    if (!last) return std::unexpected(last.error());
    rows.bind(2, last->at).bind(3, std::string_view(*query.before));
  }
  rows.bind(4, std::int64_t{query.limit});
  std::vector<Record> records;
  for (;;) {
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error().as_read_error());
    if (!*row) return records;
    DatabaseResult<Record> record = read_record(query.kind, rows);
    if (!record) return std::unexpected(record.error().as_read_error());
    records.push_back(std::move(*record));
  }
}

}  // namespace ganglion::sqlite
