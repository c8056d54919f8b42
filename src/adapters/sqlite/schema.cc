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

// Large rows of the journal in pieces (piece_table.h), forks, and what belongs to journals: records, the
// event log, the state of sessions, cached outputs, blobs.
//
// `state` has one row for every value that can be read at some version: it is visible from `version` until
// before `until`. `blobs` counts who refers to a blob, and counts also for one that isn't there yet
// (`written_at` is NULL); its content lies apart, so that counting doesn't move it.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE runs ADD COLUMN parent TEXT;
ALTER TABLE runs ADD COLUMN usage TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN fork_of INTEGER REFERENCES runs(handle);
ALTER TABLE runs ADD COLUMN fork_seq INTEGER;
CREATE INDEX runs_by_parent ON runs(parent, id) WHERE parent IS NOT NULL;

CREATE TABLE pieces(
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  bytes BLOB NOT NULL
) STRICT;
ALTER TABLE journal ADD COLUMN pieces BLOB;

CREATE TABLE records(
  kind INTEGER NOT NULL,
  id TEXT NOT NULL,
  run TEXT,
  at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_id ON records(kind, id);
CREATE INDEX records_by_time ON records(kind, at, id);
CREATE INDEX records_by_run ON records(kind, run, at, id) WHERE run IS NOT NULL;

CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  time INTEGER NOT NULL,
  subject TEXT,
  run TEXT,
  step TEXT,
  cause INTEGER,
  hops INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_id ON events(source, id);
CREATE INDEX events_by_topic ON events(topic, seq);

CREATE TABLE sessions(
  handle INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  keys INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE state(
  session INTEGER NOT NULL REFERENCES sessions(handle),
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  until INTEGER,
  expires_at INTEGER,
  value TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX state_now ON state(session, key) WHERE until IS NULL;
CREATE INDEX state_past ON state(session, until) WHERE until IS NOT NULL;
CREATE INDEX state_expiring ON state(expires_at) WHERE until IS NULL AND expires_at IS NOT NULL;

CREATE TABLE cached_outputs(
  key TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  output TEXT NOT NULL
) STRICT;
CREATE INDEX cached_outputs_expiring ON cached_outputs(expires_at);

CREATE TABLE blobs(
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  written_at INTEGER,
  refs INTEGER NOT NULL
) STRICT;
CREATE INDEX blobs_unused ON blobs(written_at) WHERE refs = 0;
CREATE TABLE blob_contents(id INTEGER PRIMARY KEY REFERENCES blobs(id), content BLOB NOT NULL) STRICT;

DROP VIEW journal_readable;
CREATE VIEW journal_readable AS
  SELECT runs.id AS run, seq, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, type, step, item, attempt,
         CASE WHEN pieces IS NULL THEN data ELSE '(large: lies in pieces)' END AS data
  FROM journal JOIN runs ON runs.handle = journal.run;
)sql";

// The same tables in a file whose pages have checks (page_check.h), which an older program would not keep. A
// file that has none is rewritten after its tables are those of this version.
constexpr const char* kVersion3 = "SELECT 3";

// Runs whose journals are still to be copied, by when they may be taken.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE outbox(run INTEGER PRIMARY KEY REFERENCES runs(handle), due INTEGER NOT NULL) STRICT;
CREATE INDEX outbox_due ON outbox(due);
)sql";

constexpr std::array kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4};

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

// Debian's sqlite3 has no `.recover`. `.dump` goes on behind what it can't read, but then ends with a
// rollback, and it leaves out whose file it is.
std::string command_that_saves(const std::string& path) {
  return "{ sqlite3 '" + path + "' .dump | sed 's/^ROLLBACK.*/COMMIT;/'; echo 'PRAGMA application_id=" +
         std::to_string(kApplicationId) + "; PRAGMA user_version=" + std::to_string(migrations().size()) +
         ";'; } | sqlite3 '" + path + "-saved'";
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
    return {"store_corrupt", path + " is damaged (" + error.message +
                                 "). Nothing was changed. Go back to a backup of the file, or save what is "
                                 "readable into another one with: " +
                                 command_that_saves(path)};
  }
  return {"store_unavailable", "can't open " + path + ": " + error.message};
}

}  // namespace ganglion::sqlite
