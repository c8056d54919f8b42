// The reads of the store.

#include <algorithm>
#include <charconv>
#include <utility>

#include "adapters/redis/codec.h"
#include "adapters/redis/engine.h"
#include "adapters/redis/store.h"
#include "ports/run_query.h"
#include "ports/state_rules.h"

namespace ganglion::redis {
namespace {

// Runs and events that one query looks at: Redis does nothing else meanwhile.
constexpr std::uint32_t kRunsPerQuery = 500;
constexpr std::uint32_t kEventsPerQuery = 500;
// Of journals or events in one answer.
constexpr std::uint64_t kMaxAnswerBytes = 4 << 20;
constexpr std::uint64_t kAfterEverySeq = std::uint64_t{1} << 53;  // as far as Lua counts

Error not_found(std::string_view what, std::string_view id) {
  return {"not_found", "there is no " + std::string(what) + " " + std::string(id)};
}

// Of a string that may not be there.
auto text_or_not_found(std::string what, std::string id) {
  return [what = std::move(what), id = std::move(id)](Reply reply) -> Result<std::string> {
    if (reply.kind == Reply::Kind::nil) return std::unexpected(not_found(what, id));
    return std::move(reply.text);
  };
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A decimal number that counts as 0 where it isn't there yet.
template <typename Number>
Result<Number> number_or_zero(const Reply& reply) {
  if (reply.kind == Reply::Kind::nil) return Number{0};
  const auto number = parse_number<Number>(reply.text);
  if (!number) return std::unexpected(damaged("a number"));
  return *number;
}

}  // namespace

// --- runs
// ---------------------------------------------------------------------------------------------------------

// A journal is read some megabytes at a time: Redis does nothing else meanwhile.
struct Store::JournalScan {
  RunId run;
  std::uint64_t after;
  std::uint32_t limit;
  Completion<Result<std::vector<JournalEntry>>> done;
  std::vector<JournalEntry> found = {};
};

namespace {

struct JournalPage {
  std::vector<JournalEntry> entries;
  bool more = false;
};

}  // namespace

void Store::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                         Completion<Result<std::vector<JournalEntry>>> done) {
  advance(std::make_unique<JournalScan>(run, std::min(after, kAfterEverySeq), limit, std::move(done)));
}

void Store::advance(std::unique_ptr<JournalScan> scan) {
  const RunId run = scan->run;
  const std::uint64_t after = scan->after + scan->found.size();
  Packer query;
  query.map(4).text("run").text(run.text()).text("after").number(after);
  query.text("limit").number(scan->limit - scan->found.size()).text("max_bytes").number(kMaxAnswerBytes);
  auto read = [run, after](Unpacker& answer) -> Result<JournalPage> {
    if (answer.absent()) return std::unexpected(not_found("run", run.text()));
    answer.array();
    auto entries = unpack_entries(answer, after + 1);
    const bool more = answer.boolean();
    if (!entries || !answer.intact()) return std::unexpected(damaged("the journal of run " + run.text()));
    return JournalPage{std::move(*entries), more};
  };
  auto next = [this, scan = std::move(scan)](Result<JournalPage> page) mutable {
    if (!page) return scan->done(std::unexpected(page.error()));
    std::ranges::move(page->entries, std::back_inserter(scan->found));
    if (page->more) return advance(std::move(scan));
    scan->done(std::move(scan->found));
  };
  engine_->query<JournalPage>("read_journal", query.take(), std::move(read), std::move(next));
}

void Store::find_run(RunId run, Completion<Result<RunRecord>> done) {
  Packer query;
  query.map(1).text("run").text(run.text());
  auto read = [run](Unpacker& answer) -> Result<RunRecord> {
    if (answer.absent()) return std::unexpected(not_found("run", run.text()));
    auto record = unpack_run(answer);
    if (!record) return std::unexpected(damaged("run " + run.text()));
    return std::move(*record);
  };
  engine_->query<RunRecord>("find_run", query.take(), std::move(read), std::move(done));
}

// A listing goes through the shortest index of those that its filters allow, some runs at a time.
struct Store::ListScan {
  RunQuery query;
  Completion<Result<std::vector<RunRecord>>> done;
  std::vector<RunRecord> found = {};
};

namespace {

std::vector<std::string> indexes_of(const RunQuery& query) {
  std::vector<std::string> indexes;
  if (query.workflow) indexes.push_back("workflow:" + *query.workflow);
  if (query.status) indexes.push_back("status:" + *query.status);
  if (query.session_id) indexes.push_back("session:" + *query.session_id);
  if (query.parent) indexes.push_back("parent:" + query.parent->text());
  for (const auto& [name, value] : query.labels)
    indexes.push_back("label:" + std::to_string(name.size()) + ':' + name + value);
  if (indexes.empty()) indexes.push_back("all");
  return indexes;
}

std::string pack_listing(const RunQuery& query, std::uint32_t limit) {
  Packer packer;
  packer.map(3).text("before");
  query.before ? packer.text(query.before->text()) : packer.nil();
  packer.text("limit").number(limit).text("indexes");
  const std::vector<std::string> indexes = indexes_of(query);
  packer.array(indexes.size());
  for (const std::string& index : indexes) packer.text(index);
  return packer.take();
}

Result<std::vector<RunRecord>> read_listing(Unpacker& answer) {
  std::vector<RunRecord> records;
  for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
    auto record = unpack_run(answer);
    if (!record) return std::unexpected(damaged("a run"));
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace

void Store::list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) {
  advance(std::make_unique<ListScan>(std::move(query), std::move(done)));
}

void Store::advance(std::unique_ptr<ListScan> scan) {
  // Where several filters apply, an index holds more runs than match.
  const bool exact = indexes_of(scan->query).size() == 1;
  const auto left = static_cast<std::uint32_t>(scan->query.limit - scan->found.size());
  const std::uint32_t limit = exact ? std::min(left, kRunsPerQuery) : kRunsPerQuery;
  std::string listing = pack_listing(scan->query, limit);
  auto next = [this, limit, scan = std::move(scan)](Result<std::vector<RunRecord>> page) mutable {
    if (!page) return scan->done(std::unexpected(page.error()));
    for (RunRecord& record : *page) {
      scan->query.before = record.id;
      if (scan->found.size() < scan->query.limit && matches(record, scan->query))
        scan->found.push_back(std::move(record));
    }
    const bool at_end = page->size() < limit || scan->found.size() >= scan->query.limit;
    if (!at_end) return advance(std::move(scan));
    scan->done(std::move(scan->found));
  };
  engine_->query<std::vector<RunRecord>>("list_runs", std::move(listing), read_listing, std::move(next));
}

void Store::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                           Completion<Result<std::vector<OpenRun>>> done) {
  Packer query;
  query.map(3).text("after");
  after ? query.text(after->text()) : query.nil();
  query.text("limit").number(limit).text("max_bytes").number(kMaxAnswerBytes);
  const auto read = [](Unpacker& answer) -> Result<std::vector<OpenRun>> {
    std::vector<OpenRun> open;
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      auto record = unpack_run(answer);
      auto journal = record ? unpack_entries(answer, 1) : std::nullopt;
      if (!journal) return std::unexpected(damaged("an open run"));
      open.push_back({std::move(*record), std::move(*journal)});
    }
    return open;
  };
  engine_->query<std::vector<OpenRun>>("open_runs", query.take(), read, std::move(done));
}

void Store::last_time(Completion<Result<Timestamp>> done) {
  const auto read = [](const Reply& reply) -> Result<Timestamp> {
    const Result<std::int64_t> time = number_or_zero<std::int64_t>(reply);
    if (!time) return std::unexpected(time.error());
    return Timestamp(*time);
  };
  engine_->ask<Timestamp>(command({"GET", engine_->key("latest")}), read, std::move(done));
}

// --- definitions, settings, records
// -----------------------------------------------------------------------------

void Store::get_definition(std::string digest, Completion<Result<std::string>> done) {
  engine_->ask<std::string>(command({"HGET", engine_->key("definitions"), digest}),
                            text_or_not_found("definition", digest), std::move(done));
}

void Store::get_setting(std::string name, Completion<Result<std::string>> done) {
  engine_->ask<std::string>(command({"HGET", engine_->key("settings"), name}),
                            text_or_not_found("setting", name), std::move(done));
}

void Store::find_record(RecordKey key, Completion<Result<Record>> done) {
  const std::string hash = engine_->key("records", kind_name(key.kind));
  auto read = [key](const Reply& reply) -> Result<Record> {
    if (reply.kind == Reply::Kind::nil) return std::unexpected(not_found("record", key.id));
    auto record = unpack_record(key.kind, key.id, reply.text);
    if (!record) return std::unexpected(damaged("record " + key.id));
    return std::move(*record);
  };
  engine_->ask<Record>(command({"HGET", hash, key.id}), std::move(read), std::move(done));
}

void Store::list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) {
  Packer packer;
  packer.map(4).text("kind").text(kind_name(query.kind)).text("limit").number(query.limit).text("run");
  query.run ? packer.text(query.run->text()) : packer.nil();
  packer.text("before");
  query.before ? packer.text(*query.before) : packer.nil();
  auto read = [kind = query.kind, before = query.before](Unpacker& answer) -> Result<std::vector<Record>> {
    if (answer.absent()) return std::unexpected(not_found("record", before.value_or("")));
    std::vector<Record> records;
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      const std::string_view id = answer.text();
      auto record = unpack_record(kind, id, answer.text());
      if (!record) return std::unexpected(damaged("record " + std::string(id)));
      records.push_back(std::move(*record));
    }
    return records;
  };
  engine_->query<std::vector<Record>>("list_records", packer.take(), std::move(read), std::move(done));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

void Store::last_event(Completion<Result<std::uint64_t>> done) {
  engine_->ask<std::uint64_t>(command({"GET", engine_->key("events")}), number_or_zero<std::uint64_t>,
                              std::move(done));
}

struct Store::EventScan {
  EventQuery query;
  Completion<Result<std::vector<TopicEvent>>> done;
  std::vector<TopicEvent> found = {};
  std::uint64_t bytes = 0;  // of their data
};

namespace {

struct EventPage {
  std::vector<TopicEvent> events;
  std::optional<std::uint64_t> go_on_from;  // nothing at the end
};

std::string pack_events_query(const EventQuery& query, std::size_t found) {
  Packer packer;
  packer.map(7).text("after").number(std::min(query.after.value_or(0), kAfterEverySeq));
  packer.text("before").number(std::min(query.before.value_or(kAfterEverySeq), kAfterEverySeq));
  packer.text("forward").boolean(query.after.has_value());
  packer.text("limit").number(std::min<std::uint64_t>(query.limit - found, kEventsPerQuery));
  packer.text("max_bytes").number(kMaxAnswerBytes).text("scan").number(kEventsPerQuery);
  const bool wild = query.pattern.contains('*');
  packer.text(wild ? "pattern" : "topic");
  if (query.pattern == "**")
    packer.nil();
  else
    packer.text(wild ? lua_pattern(query.pattern) : query.pattern);
  return packer.take();
}

Result<EventPage> read_event_page(Unpacker& answer) {
  EventPage page;
  answer.array();
  for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
    answer.array();
    const std::uint64_t seq = answer.number();
    auto event = unpack_event(answer.text(), seq);
    if (!event) return std::unexpected(damaged("event " + std::to_string(seq)));
    page.events.push_back(std::move(*event));
  }
  if (!answer.absent()) page.go_on_from = answer.number();
  if (!answer.intact()) return std::unexpected(damaged("the event log"));
  return page;
}

}  // namespace

void Store::read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) {
  advance(std::make_unique<EventScan>(std::move(query), std::move(done)));
}

// Goes on until it has found one event at least, or all that there are up to the limit while they are small.
void Store::advance(std::unique_ptr<EventScan> scan) {
  std::string query = pack_events_query(scan->query, scan->found.size());
  auto next = [this, scan = std::move(scan)](Result<EventPage> page) mutable {
    if (!page) return scan->done(std::unexpected(page.error()));
    for (TopicEvent& event : page->events) {
      scan->bytes += event.data.size();
      scan->found.push_back(std::move(event));
    }
    const bool enough = scan->found.size() >= scan->query.limit || scan->bytes >= kMaxAnswerBytes;
    if (!page->go_on_from || enough) return scan->done(std::move(scan->found));
    (scan->query.after ? scan->query.after : scan->query.before) = *page->go_on_from;
    advance(std::move(scan));
  };
  engine_->query<EventPage>("read_events", std::move(query), read_event_page, std::move(next));
}

// --- state, outputs, blobs
// ------------------------------------------------------------------------------------------------

void Store::read_state(std::string session, std::optional<std::uint64_t> version,
                       Completion<Result<StateSnapshot>> done) {
  Packer query;
  query.map(3).text("session").text(session).text("history").number(kStateHistory).text("version");
  version ? query.number(*version) : query.nil();
  auto read = [session, version](Unpacker& answer) -> Result<StateSnapshot> {
    answer.array();
    const std::uint64_t latest = answer.number();
    StateSnapshot snapshot{.version = version.value_or(latest), .entries = {}};
    if (const auto readable = check_state_version(snapshot.version, latest); !readable)
      return std::unexpected(readable.error());
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      std::string key(answer.text());
      auto entry = unpack_state_entry(answer.text());
      if (!entry) return std::unexpected(damaged("the state of session " + session));
      snapshot.entries.emplace(std::move(key), std::move(*entry));
    }
    if (!answer.intact()) return std::unexpected(damaged("the state of session " + session));
    return snapshot;
  };
  engine_->query<StateSnapshot>("read_state", query.take(), std::move(read), std::move(done));
}

void Store::find_cached(std::string key, Completion<Result<CachedOutput>> done) {
  auto read = [key](const Reply& reply) -> Result<CachedOutput> {
    if (reply.kind == Reply::Kind::nil) return std::unexpected(not_found("cached output", key));
    auto output = unpack_output(key, reply.text);
    if (!output) return std::unexpected(damaged("cached output " + key));
    return std::move(*output);
  };
  engine_->ask<CachedOutput>(command({"GET", engine_->key("output", key)}), std::move(read), std::move(done));
}

void Store::get_blob(std::string digest, Completion<Result<std::string>> done) {
  engine_->ask<std::string>(command({"GET", engine_->key("blob", digest)}),
                            text_or_not_found("blob", "sha256:" + digest), std::move(done));
}

void Store::has_blob(std::string digest, Completion<Result<bool>> done) {
  const auto read = [](const Reply& reply) -> Result<bool> { return reply.integer == 1; };
  engine_->ask<bool>(command({"EXISTS", engine_->key("blob", digest)}), read, std::move(done));
}

}  // namespace ganglion::redis
