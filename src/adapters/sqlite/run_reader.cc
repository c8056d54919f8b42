#include "adapters/sqlite/run_reader.h"

#include <algorithm>
#include <limits>

#include "base/json_text.h"
#include "ports/run_query.h"

namespace ganglion::sqlite {
namespace {

// Runs that a listing looks at before commits get their turn: about a millisecond.
constexpr int kRunsPerSlice = 500;
// Of journals in one answer of read_open_runs.
constexpr std::size_t kMaxOpenRunsBytes = 4 << 20;

// The columns in the order in which read_record takes them; the handle comes last.
std::string select_runs(std::string_view from) {
  return "SELECT runs.id, runs.workflow, runs.definition, runs.status, runs.session_id, runs.labels, "
         "runs.created_at, runs.ended_at, runs.parent, runs.usage, runs.handle FROM " +
         std::string(from);
}
constexpr int kHandleColumn = 10;

constexpr std::uint64_t kAfterEverySeq = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kWholeJournal = kAfterEverySeq;
// An upper bound for every run id, in the order of text.
constexpr std::string_view kAfterEveryId = "~";

Error run_not_found(const RunId& run) {
  return {"not_found", "there is no run " + run.text()};
}

std::size_t size_of(const JournalEntry& entry) {
  return sizeof(entry) + entry.data.size();
}

std::size_t size_of(const std::vector<JournalEntry>& entries) {
  std::size_t bytes = 0;
  for (const JournalEntry& entry : entries) bytes += size_of(entry);
  return bytes;
}

std::optional<std::map<std::string, std::string>> read_labels(const std::string& json) {
  std::map<std::string, std::string> labels;
  JsonMembers members(json);
  while (const auto member = members.next()) {
    Result<std::string> name = read_json_string('"' + std::string(member->name) + '"');
    Result<std::string> value = read_json_string(member->value);
    if (!name || !value) return std::nullopt;
    labels.emplace(std::move(*name), std::move(*value));
  }
  if (!members.intact()) return std::nullopt;
  return labels;
}

DatabaseResult<RunRecord> read_record(const Statement& row) {
  const std::string text = row.text(0);
  std::optional<RunId> id = RunId::parse(text);
  if (!id) return std::unexpected(DatabaseError::corruption("\"" + text + "\" is no run id"));
  auto labels = read_labels(row.text(5));
  if (!labels)
    return std::unexpected(DatabaseError::corruption("the labels of run " + text + " can't be read"));
  RunRecord record{.id = std::move(*id),
                   .workflow = row.text(1),
                   .definition = row.text(2),
                   .status = row.text(3),
                   .session_id = row.optional_text(4),
                   .labels = std::move(*labels),
                   .created_at = row.time(6),
                   .ended_at = row.optional_time(7),
                   .usage = row.text(9)};
  if (row.is_null(8)) return record;
  record.parent = RunId::parse(row.text(8));
  if (!record.parent)
    return std::unexpected(DatabaseError::corruption("the parent of run " + text + " is no run id"));
  return record;
}

}  // namespace

RunReader::RunReader(Database& database, PieceTable& pieces)
    : pieces_(pieces),
      find_run_(database.prepare(select_runs("runs WHERE id = ?"))),
      find_fork_(database.prepare("SELECT fork_of, fork_seq FROM runs WHERE handle = ?")),
      read_entries_(database.prepare("SELECT seq, at, type, step, item, attempt, data, pieces FROM journal "
                                     "WHERE run = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?")),
      read_open_runs_(database.prepare(select_runs("runs INDEXED BY runs_open "
                                                   "WHERE ended_at IS NULL AND id > ? ORDER BY id LIMIT ?"))),
      get_definition_(database.prepare("SELECT source FROM definitions WHERE digest = ?")),
      get_setting_(database.prepare("SELECT value FROM settings WHERE name = ?")),
      list_all_(database.prepare(select_runs("runs WHERE id < ? ORDER BY id DESC"))),
      list_by_workflow_(database.prepare(
          select_runs("runs INDEXED BY runs_by_workflow WHERE id < ? AND workflow = ? ORDER BY id DESC"))),
      list_by_status_(database.prepare(
          select_runs("runs INDEXED BY runs_by_status WHERE id < ? AND status = ? ORDER BY id DESC"))),
      list_by_session_(database.prepare(
          select_runs("runs INDEXED BY runs_by_session WHERE id < ? AND session_id = ? ORDER BY id DESC"))),
      list_by_parent_(database.prepare(
          select_runs("runs INDEXED BY runs_by_parent WHERE id < ? AND parent = ? ORDER BY id DESC"))),
      list_by_label_(database.prepare(select_runs("run_labels CROSS JOIN runs ON runs.id = run_labels.id "
                                                  "WHERE run_labels.id < ? AND run_labels.name = ? AND "
                                                  "run_labels.value = ? ORDER BY run_labels.id DESC"))) {}

DatabaseResult<std::vector<RunReader::Segment>> RunReader::find_segments(std::int64_t handle) {
  std::vector<Segment> segments = {{handle, kAfterEverySeq}};
  for (;;) {
    const ResetAtEnd reset(find_fork_);
    const DatabaseResult<bool> row = find_fork_.bind(1, handle).step();
    if (!row) return std::unexpected(row.error());
    if (!*row || find_fork_.is_null(0)) break;
    // Handles rise, so a file that says otherwise is damaged and would lead us in a circle.
    if (find_fork_.integer(0) >= handle)
      return std::unexpected(DatabaseError::corruption("a run is forked from a later one"));
    handle = find_fork_.integer(0);
    segments.push_back({handle, find_fork_.number(1)});
  }
  std::ranges::reverse(segments);
  return segments;
}

DatabaseResult<std::vector<JournalEntry>> RunReader::read_entries(std::int64_t handle, std::uint64_t after,
                                                                  const Bounds& bounds) {
  const DatabaseResult<std::vector<Segment>> segments = find_segments(handle);
  if (!segments) return std::unexpected(segments.error());
  std::vector<JournalEntry> entries;
  for (const Segment& segment : *segments) {
    if (segment.last <= after) continue;
    const auto appended = append_entries(segment, after, bounds, entries);
    if (!appended) return std::unexpected(appended.error());
  }
  return entries;
}

DatabaseResult<void> RunReader::append_entries(const Segment& segment, std::uint64_t after,
                                               const Bounds& bounds, std::vector<JournalEntry>& entries) {
  const ResetAtEnd reset(read_entries_);
  const std::uint64_t first = after + entries.size();
  read_entries_.bind(1, segment.handle)
      .bind_number(2, std::min(first, kAfterEverySeq))
      .bind_number(3, segment.last)
      .bind_number(4, bounds.entries - entries.size());
  std::size_t bytes = size_of(entries);
  for (std::uint64_t expected = first + 1; bytes < bounds.bytes; ++expected) {
    const DatabaseResult<bool> row = read_entries_.step();
    if (!row) return std::unexpected(row.error());
    const bool complete =
        segment.last == kAfterEverySeq || expected > segment.last || entries.size() >= bounds.entries;
    if (!*row && complete) return {};
    if (!*row || read_entries_.number(0) != expected)
      return std::unexpected(DatabaseError::corruption("a journal has a gap"));
    DatabaseResult<std::string> data = read_entries_.text(6);
    if (!read_entries_.is_null(7)) data = pieces_.load(read_entries_.bytes(7));
    if (!data) return std::unexpected(data.error());
    entries.push_back(JournalEntry{.seq = expected,
                                   .at = read_entries_.time(1),
                                   .type = read_entries_.text(2),
                                   .step = read_entries_.optional_text(3),
                                   .item = read_entries_.optional_integer(4),
                                   .attempt = read_entries_.optional_integer(5),
                                   .data = std::move(*data)});
    bytes += size_of(entries.back());
  }
  return {};
}

Result<std::vector<JournalEntry>> RunReader::read_journal(const RunId& run, std::uint64_t after,
                                                          std::uint32_t limit) {
  const ResetAtEnd reset(find_run_);
  const DatabaseResult<bool> found = find_run_.bind(1, run).step();
  if (!found) return std::unexpected(found.error().as_read_error());
  if (!*found) return std::unexpected(run_not_found(run));
  DatabaseResult<std::vector<JournalEntry>> entries =
      read_entries(find_run_.integer(kHandleColumn), after, {.entries = limit});
  if (!entries) return std::unexpected(entries.error().as_read_error());
  return std::move(*entries);
}

Result<RunRecord> RunReader::find_run(const RunId& run) {
  const ResetAtEnd reset(find_run_);
  const DatabaseResult<bool> found = find_run_.bind(1, run).step();
  if (!found) return std::unexpected(found.error().as_read_error());
  if (!*found) return std::unexpected(run_not_found(run));
  DatabaseResult<RunRecord> record = read_record(find_run_);
  if (!record) return std::unexpected(record.error().as_read_error());
  return std::move(*record);
}

// The index that leaves the fewest runs to look at; what else the query asks for is compared run by run.
Statement& RunReader::start(const ListScan& scan) {
  const RunQuery& query = scan.query;
  Statement* statement = &list_all_;
  if (query.session_id)
    statement = &list_by_session_.bind(2, std::string_view(*query.session_id));
  else if (query.parent)
    statement = &list_by_parent_.bind(2, *query.parent);
  else if (!query.labels.empty())
    statement = &list_by_label_.bind(2, query.labels.begin()->first).bind(3, query.labels.begin()->second);
  else if (query.status)
    statement = &list_by_status_.bind(2, std::string_view(*query.status));
  else if (query.workflow)
    statement = &list_by_workflow_.bind(2, std::string_view(*query.workflow));
  const std::optional<RunId>& before = scan.position ? scan.position : query.before;
  return before ? statement->bind(1, *before) : statement->bind(1, kAfterEveryId);
}

Result<bool> RunReader::advance(ListScan& scan) {
  Statement& rows = start(scan);
  const ResetAtEnd reset(rows);
  for (int looked_at = 0; looked_at < kRunsPerSlice; ++looked_at) {
    if (scan.found.size() >= scan.query.limit) return true;
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error().as_read_error());
    if (!*row) return true;
    DatabaseResult<RunRecord> record = read_record(rows);
    if (!record) return std::unexpected(record.error().as_read_error());
    scan.position = record->id;
    if (matches(*record, scan.query)) scan.found.push_back(std::move(*record));
  }
  return false;
}

Result<std::vector<OpenRun>> RunReader::read_open_runs(const std::optional<RunId>& after,
                                                       std::uint32_t limit) {
  const ResetAtEnd reset(read_open_runs_);
  if (after) {
    read_open_runs_.bind(1, *after);
  } else {
    read_open_runs_.bind(1, std::string_view());
  }
  read_open_runs_.bind(2, std::int64_t{limit});
  std::vector<OpenRun> open;
  std::size_t bytes = 0;
  while (bytes < kMaxOpenRunsBytes) {
    const DatabaseResult<bool> row = read_open_runs_.step();
    if (!row) return std::unexpected(row.error().as_read_error());
    if (!*row) break;
    DatabaseResult<std::vector<JournalEntry>> journal =
        read_entries(read_open_runs_.integer(kHandleColumn), 0, {.entries = kWholeJournal});
    if (!journal) return std::unexpected(journal.error().as_read_error());
    DatabaseResult<RunRecord> record = read_record(read_open_runs_);
    if (!record) return std::unexpected(record.error().as_read_error());
    bytes += size_of(*journal);
    open.push_back(OpenRun{std::move(*record), std::move(*journal)});
  }
  return open;
}

Result<std::vector<JournalGrowth>> RunReader::read_growth(const std::vector<JournalPosition>& from) {
  std::vector<JournalGrowth> growth;
  std::size_t bytes = 0;
  for (const auto& [run, seq] : from) {
    if (bytes >= kMaxGrowthBytes) break;
    const ResetAtEnd reset(find_run_);
    const DatabaseResult<bool> found = find_run_.bind(1, run).step();
    if (!found) return std::unexpected(found.error().as_read_error());
    if (!*found) continue;
    DatabaseResult<RunRecord> record = read_record(find_run_);
    if (!record) return std::unexpected(record.error().as_read_error());
    auto entries =
        read_entries(find_run_.integer(kHandleColumn), seq, {kWholeJournal, kMaxGrowthBytes - bytes});
    if (!entries) return std::unexpected(entries.error().as_read_error());
    bytes += size_of(*entries);
    growth.push_back({std::move(*record), std::move(*entries)});
  }
  return growth;
}

Result<std::string> RunReader::read_text(Statement& statement, const std::string& key,
                                         std::string_view what) {
  const ResetAtEnd reset(statement);
  const DatabaseResult<bool> found = statement.bind(1, key).step();
  if (!found) return std::unexpected(found.error().as_read_error());
  if (!*found) return fail("not_found", "there is no " + std::string(what) + " " + key);
  return statement.text(0);
}

Result<std::string> RunReader::get_definition(const std::string& digest) {
  return read_text(get_definition_, digest, "definition");
}

Result<std::string> RunReader::get_setting(const std::string& name) {
  return read_text(get_setting_, name, "setting");
}

}  // namespace ganglion::sqlite
