#include "adapters/sqlite/schema.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace ganglion::sqlite {
namespace {

// `journal` is a table in order of arrival with an index on the position: with 500 open runs and 256 events
// in a transaction that takes 338,000 rows/s, a table ordered by (run, seq) only 153,000, since it then
// touches one page for every run (docs/internals/store.md). Times are milliseconds since the Unix epoch;
// `journal_readable` is for people.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE runs(
  handle INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workflow TEXT NOT NULL,
  definition TEXT NOT NULL,
  status TEXT NOT NULL,
  session_id TEXT,
  labels TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE INDEX runs_open ON runs(id) WHERE ended_at IS NULL;
CREATE INDEX runs_by_workflow ON runs(workflow, id);
CREATE INDEX runs_by_status ON runs(status, id);
CREATE INDEX runs_by_session ON runs(session_id, id) WHERE session_id IS NOT NULL;

CREATE TABLE run_labels(
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY(name, value, id)
) WITHOUT ROWID, STRICT;

CREATE TABLE journal(
  run INTEGER NOT NULL REFERENCES runs(handle),
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  step TEXT,
  item INTEGER,
  attempt INTEGER,
  data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_position ON journal(run, seq);

CREATE TABLE idempotency(
  key TEXT PRIMARY KEY,
  run TEXT NOT NULL,
  body_digest TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE definitions(digest TEXT PRIMARY KEY, source TEXT NOT NULL) STRICT;
CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

-- The latest time in the journal, written only when it is not that of the journal's last row.
CREATE TABLE latest_time(id INTEGER PRIMARY KEY CHECK(id = 1), at INTEGER NOT NULL) STRICT;

CREATE VIEW journal_readable AS
  SELECT runs.id AS run, seq, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, type, step, item, attempt,
         data
  FROM journal JOIN runs ON runs.handle = journal.run;
)sql";

constexpr std::array<const char*, 1> kMigrations = {kVersion1};

Result<void> incompatible(std::string why) {
  return fail("store_incompatible", std::move(why));
}

DatabaseResult<void> apply(Database& database, const char* step, std::size_t version) {
  const std::string marks = "PRAGMA application_id=" + std::to_string(kApplicationId) +
                            "; PRAGMA user_version=" + std::to_string(version);
  const std::string transaction = std::string("BEGIN IMMEDIATE;") + step + ";" + marks + ";COMMIT";
  const DatabaseResult<void> done = database.execute(transaction.c_str());
  if (!done && database.in_transaction()) static_cast<void>(database.execute("ROLLBACK"));
  return done;
}

DatabaseResult<std::set<std::string>> definitions_in(Database& database) {
  Statement select = database.prepare("SELECT name || ': ' || sql FROM sqlite_schema WHERE sql IS NOT NULL");
  std::set<std::string> definitions;
  for (;;) {
    const DatabaseResult<bool> row = select.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return definitions;
    definitions.insert(select.text(0));
  }
}

// SQLite checks the form of its schema, not what the text says: one flipped letter would be another column.
// So the file must define everything that a fresh one does; what somebody has added is no harm.
DatabaseResult<void> check_definitions(Database& database, std::span<const char* const> steps) {
  DatabaseResult<Database> fresh = Database::open(":memory:", {});
  if (!fresh) return std::unexpected(fresh.error());
  for (const char* step : steps) {
    if (const auto done = fresh->execute(step); !done) return done;
  }
  const auto expected = definitions_in(*fresh);
  if (!expected) return std::unexpected(expected.error());
  const auto found = definitions_in(database);
  if (!found) return std::unexpected(found.error());
  if (!std::ranges::includes(*found, *expected)) {
    return std::unexpected(DatabaseError::corruption("its tables are not those of schema version " +
                                                     std::to_string(steps.size())));
  }
  return {};
}

std::string path_of(const Database& database) {
  return sqlite3_db_filename(database.handle(), "main");
}

}  // namespace

std::span<const char* const> migrations() {
  return kMigrations;
}

Result<void> migrate(Database& database, std::span<const char* const> steps) {
  const std::string path = path_of(database);
  const auto number = [&](const char* sql) -> Result<std::int64_t> {
    DatabaseResult<std::int64_t> value = database.query_integer(sql);
    if (!value) return std::unexpected(open_error(path, value.error()));
    return *value;
  };
  const Result<std::int64_t> objects = number("SELECT count(*) FROM sqlite_schema");
  if (!objects) return std::unexpected(objects.error());
  const Result<std::int64_t> application = number("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  const Result<std::int64_t> version = number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());

  if (*objects > 0 && *application != kApplicationId) {
    return incompatible(path + " is an SQLite database of another program; name another file");
  }
  if (*version < 0 || static_cast<std::size_t>(*version) > steps.size()) {
    return incompatible(path + " was written by a newer Ganglion (schema version " +
                        std::to_string(*version) + ", this one knows " + std::to_string(steps.size()) +
                        "); use that version or a newer one");
  }
  for (auto at = static_cast<std::size_t>(*version); at < steps.size(); ++at) {
    const DatabaseResult<void> applied = apply(database, steps[at], at + 1);
    if (!applied) return std::unexpected(open_error(path, applied.error()));
  }
  const DatabaseResult<void> checked = check_definitions(database, steps);
  if (!checked) return std::unexpected(open_error(path, checked.error()));
  return {};
}

Error open_error(const std::string& path, const DatabaseError& error) {
  if (error.is_busy()) {
    return {"store_locked",
            path + " is open in another program, such as the sqlite3 shell; close that first"};
  }
  if (error.is_corruption()) {
    return {"store_corrupt",
            path + " is damaged (" + error.message +
                "). Nothing was changed. Go back to a backup of the file, or save what is readable "
                "with: sqlite3 " +
                path + " .recover | sqlite3 recovered.db"};
  }
  return {"store_unavailable", "can't open " + path + ": " + error.message};
}

}  // namespace ganglion::sqlite
