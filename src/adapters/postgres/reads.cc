#include "adapters/postgres/reads.h"

#include <algorithm>
#include <limits>

#include "base/sha256.h"
#include "ports/state_rules.h"

namespace ganglion::postgres {
namespace {

// Of journals, or events, in one answer.
constexpr std::int64_t kMaxAnswerBytes = 4 << 20;
// Of open runs in one answer.
constexpr std::uint32_t kMaxOpenRuns = 256;
constexpr std::int64_t kMaxOpenEntries = 20'000;  // one run may have more
constexpr std::int64_t kMaxGrowthEntries = 256;   // of each run
constexpr std::int64_t kAfterEveryTime = std::numeric_limits<std::int64_t>::max();

RunId after_every_run() {
  RunId::Bytes bytes;
  bytes.fill(0xff);
  return RunId::from_bytes(bytes);
}

Error run_not_found(const RunId& run) {
  return {"not_found", "there is no run " + run.text()};
}

Error corrupt(std::string what) {
  return {"store_corrupt", std::move(what)};
}

// A well-formed pattern as a regular expression; nothing for one that takes every topic.
std::optional<std::string> expression_of(const std::string& pattern) {
  if (pattern == "**") return std::nullopt;
  std::string expression = "^";
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern.compare(at, 2, "**") == 0) {
      expression += ".+";
      at += 2;
    } else if (pattern[at] == '*') {
      expression += "[^.]+";
      ++at;
    } else {
      if (pattern[at] == '.') expression += '\\';
      expression += pattern[at++];
    }
  }
  return expression + '$';
}

bool is_wild(const std::string& pattern) {
  return pattern.contains('*');
}

std::int64_t left_of(std::uint32_t limit, std::size_t found) {
  return static_cast<std::int64_t>(limit) - static_cast<std::int64_t>(found);
}

// The statement whose index leaves the fewest runs to look at.
const Statement& statement_for(const RunQuery& query) {
  if (query.session_id) return kListRunsBySession;
  if (query.parent) return kListRunsByParent;
  if (!query.labels.empty()) return kListRunsByLabel;
  if (query.status) return kListRunsByStatus;
  if (query.workflow) return kListRunsByWorkflow;
  return kListRuns;
}

}  // namespace

// --- runs
// ------------------------------------------------------------------------------------------------------

Call RunScan::next() const {
  Array names(Type::text), values(Type::text);
  for (const auto& [name, value] : query_.labels) {
    names.add_text(name);
    values.add_text(value);
  }
  Params params;
  params.add(query_.before.value_or(after_every_run())).add(kSlice).add(left_of(query_.limit, found.size()));
  params.add_text(query_.workflow).add_text(query_.status).add_text(query_.session_id).add(query_.parent);
  params.add(std::move(names)).add(std::move(values));
  return {&statement_for(query_), std::move(params)};
}

// A slice that is shorter than it may be is the last, or has what was wanted.
Result<bool> RunScan::take(const PGresult& result) {
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    query_.before = row.run(0);
    if (row.is_null(1)) continue;
    Result<RunRecord> run = read_run(row, 1);
    if (!run) return std::unexpected(run.error());
    found.push_back(std::move(*run));
  }
  return found.size() >= query_.limit || rows_of(result) < kSlice;
}

Result<RunRecord> run_of(const RunId& run, const PGresult& result) {
  if (rows_of(result) == 0) return std::unexpected(run_not_found(run));
  return read_run(Row(result, 0));
}

Call read_journal(const RunId& run, std::uint64_t after, std::uint32_t limit) {
  return {&kReadJournal, std::move(Params().add(run).add(after).add(limit))};
}

Result<std::vector<JournalEntry>> journal_of(const RunId& run, std::uint64_t after, std::uint32_t limit,
                                             const PGresult& result) {
  if (rows_of(result) == 0) return std::unexpected(run_not_found(run));
  std::vector<JournalEntry> entries;
  for (int i = 0; i < rows_of(result) && entries.size() < limit; ++i) {
    const Row row(result, i);
    if (row.is_null(0)) break;
    if (row.number(0) != after + entries.size() + 1)
      return std::unexpected(corrupt("the journal of run " + run.text() + " has a gap"));
    entries.push_back(read_entry(row));
  }
  return entries;
}

Call read_open_runs(const std::optional<RunId>& after, std::uint32_t limit) {
  Params params;
  params.add(after.value_or(RunId())).add(std::min(limit, kMaxOpenRuns));
  params.add(kMaxAnswerBytes).add(kMaxOpenEntries);
  return {&kReadOpenRuns, std::move(params)};
}

Result<std::vector<OpenRun>> open_runs_of(const PGresult& result) {
  std::vector<OpenRun> open;
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    if (row.number(0) == 1) {
      Result<RunRecord> record = read_run(row, kEntryColumnCount);
      if (!record) return std::unexpected(record.error());
      open.push_back({std::move(*record), {}});
    }
    if (open.empty() || row.number(0) != open.back().journal.size() + 1)
      return std::unexpected(corrupt("the journal of an open run has a gap"));
    open.back().journal.push_back(read_entry(row));
  }
  return open;
}

Call read_growth(const std::vector<JournalPosition>& from) {
  Array runs(Type::uuid), seqs(Type::integer);
  for (const auto& [run, seq] : from) {
    runs.add(run);
    seqs.add(seq);
  }
  Params params;
  params.add(std::move(runs)).add(std::move(seqs)).add(kMaxGrowthEntries);
  params.add(static_cast<std::int64_t>(kMaxGrowthBytes));
  return {&kReadGrowth, std::move(params)};
}

Result<std::vector<JournalGrowth>> growth_of(const std::vector<JournalPosition>& from,
                                             const PGresult& result) {
  std::vector<JournalGrowth> growth;
  auto asked = from.begin();
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    if (!row.is_null(kEntryColumnCount)) {
      Result<RunRecord> record = read_run(row, kEntryColumnCount);
      if (!record) return std::unexpected(record.error());
      asked = std::ranges::find(asked, from.end(), record->id, &JournalPosition::run);
      growth.push_back({std::move(*record), {}});
    }
    if (row.is_null(0)) continue;
    if (asked == from.end() || row.number(0) != asked->seq + growth.back().entries.size() + 1)
      return std::unexpected(corrupt("a journal has a gap"));
    growth.back().entries.push_back(read_entry(row));
  }
  return growth;
}

// --- records
// ------------------------------------------------------------------------------------------------------

Call RecordScan::next() const {
  Params params;
  params.add(number_of(query_.kind));
  if (query_.before && !last_) return {&kFindRecord, std::move(params.add_text(*query_.before))};
  if (last_)
    params.add(last_->at).add_text(last_->id);
  else
    params.add(kAfterEveryTime).add_text(std::string_view());
  params.add(query_.limit);
  if (!query_.run) return {&kListRecords, std::move(params)};
  return {&kListRecordsOfRun, std::move(params.add(*query_.run))};
}

Result<bool> RecordScan::take(const PGresult& result) {
  if (query_.before && !last_) {
    Result<Record> last = record_of({query_.kind, *query_.before}, result);
    if (!last) return std::unexpected(last.error());
    last_ = std::move(*last);
    return false;
  }
  for (int i = 0; i < rows_of(result); ++i) found.push_back(read_record(query_.kind, Row(result, i)));
  return true;
}

Result<Record> record_of(const RecordKey& key, const PGresult& result) {
  if (rows_of(result) == 0) return fail("not_found", "there is no record " + key.id);
  return read_record(key.kind, Row(result, 0));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

EventScan::EventScan(EventQuery query) : query_(std::move(query)) {
  expression_ = is_wild(query_.pattern) ? expression_of(query_.pattern) : query_.pattern;
}

Call EventScan::next() const {
  const bool wild = is_wild(query_.pattern);
  const Statement& statement = query_.after ? (wild ? kReadEventsForward : kReadTopicForward)
                                            : (wild ? kReadEventsBackward : kReadTopicBackward);
  Params params;
  params.add(query_.after.value_or(0)).add(query_.before.value_or(std::numeric_limits<std::uint64_t>::max()));
  params.add(kSlice).add_text(expression_).add(left_of(query_.limit, found.size()));
  params.add(kMaxAnswerBytes - static_cast<std::int64_t>(bytes_));
  return {&statement, std::move(params)};
}

Result<bool> EventScan::take(const PGresult& result) {
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    (query_.after ? query_.after : query_.before) = row.number(0);
    if (row.is_null(1)) continue;
    found.push_back(read_event(row));
    bytes_ += found.back().data.size();
  }
  return found.size() >= query_.limit || bytes_ >= kMaxAnswerBytes || rows_of(result) < kSlice;
}

// --- state, values
// ------------------------------------------------------------------------------------------------------

Result<StateSnapshot> snapshot_of(std::optional<std::uint64_t> version, const PGresult& result) {
  const std::uint64_t latest = rows_of(result) > 0 ? Row(result, 0).number(0) : 0;
  StateSnapshot snapshot{.version = version.value_or(latest), .entries = {}};
  if (const Result<void> checked = check_state_version(snapshot.version, latest); !checked)
    return std::unexpected(checked.error());
  for (int i = 0; i < rows_of(result); ++i) {
    const Row row(result, i);
    if (row.is_null(1)) continue;
    StateEntry entry{Payload(std::string(row.bytes(4))), row.number(2), row.optional_time(3)};
    snapshot.entries.emplace(row.text(1), std::move(entry));
  }
  return snapshot;
}

Result<CachedOutput> cached_of(const std::string& key, const PGresult& result) {
  if (rows_of(result) == 0) return fail("not_found", "there is no cached output " + key);
  const Row row(result, 0);
  return CachedOutput{
      .key = key, .output = Payload(std::string(row.bytes(2))), .at = row.time(0), .expires_at = row.time(1)};
}

Result<std::string> value_of(const std::string& what, const PGresult& result) {
  if (rows_of(result) == 0) return fail("not_found", "there is no " + what);
  return std::string(Row(result, 0).bytes(0));
}

Result<std::string> blob_of(const std::string& digest, const PGresult& result) {
  Result<std::string> content = value_of("blob sha256:" + digest, result);
  if (content && sha256_hex(*content) != digest)
    return std::unexpected(corrupt("blob sha256:" + digest + " is damaged"));
  return content;
}

}  // namespace ganglion::postgres
