#include "adapters/postgres/store.h"

#include <algorithm>
#include <random>
#include <utility>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/reader.h"
#include "adapters/postgres/reads.h"
#include "adapters/postgres/schema.h"
#include "adapters/postgres/writer.h"
#include "adapters/postgres/writes.h"
#include "ports/commit_check.h"

namespace ganglion::postgres {
namespace {

// Of blobs that wait.
constexpr std::size_t kMaxQueuedBlobBytes = 2 * kMaxBlob;

RunId::Bytes random_id() {
  RunId::Bytes id;
  std::random_device random;
  std::ranges::generate(id, [&] { return static_cast<unsigned char>(random()); });
  return id;
}

// How each kind of answer says that nothing was written.
template <typename Answer>
Answer unavailable(const std::string& reason) {
  if constexpr (std::is_same_v<Answer, CommitOutcome>)
    return StoreUnavailable{reason};
  else
    return std::unexpected(Error{"unavailable", reason});
}

// `parse(Results)` gives the answer of a write that was made.
template <typename Answer, typename Parse>
Write answered(Write write, Parse parse, ganglion::Store::Completion<Answer> done) {
  write.done = [parse = std::move(parse), done = std::move(done)](WriteAnswer answer) mutable {
    done(answer ? parse(*answer) : unavailable<Answer>(answer.error()));
  };
  return write;
}

Write one_call(const Statement& statement, Params params) {
  Write write;
  write.calls.push_back({&statement, std::move(params)});
  return write;
}

Result<void> nothing(Results) {
  return {};
}

Result<std::uint64_t> count(Results results) {
  return Row(*results[0], 0).number(0);
}

}  // namespace

struct Store::Parts {
  Parts(asio::io_context& loop, Address where, const Options& options)
      : address(std::move(where)),
        reader(loop, address, options.patience),
        writer(loop, address,
               {.id = random_id(),
                .patience = options.patience,
                .fatal = options.fatal,
                .connected = [this](std::vector<std::string> weaker) { connected(std::move(weaker)); }}),
        blobs(loop, address,
              {.id = random_id(),
               .max_queued_bytes = kMaxQueuedBlobBytes,
               .patience = options.patience,
               .fatal = options.fatal,
               .connected = [](const std::vector<std::string>&) {}}) {}

  void connected(std::vector<std::string> weaker) {
    weaker_promises = std::move(weaker);
    if (std::exchange(was_connected, true)) reader.connect_anew();
  }

  Address address;
  std::vector<std::string> weaker_promises;
  bool was_connected = false;
  Reader reader;
  Writer writer;
  Writer blobs;
};

Result<std::unique_ptr<Store>> Store::open(asio::io_context& loop, Options options) {
  if (const auto& library = load_pq(); !library) return std::unexpected(library.error());
  Result<Address> address = parse_address(options.url);
  if (!address) return std::unexpected(address.error());
  Result<std::vector<std::string>> weaker = prepare_schema(*address);
  if (!weaker) return std::unexpected(weaker.error());
  auto parts = std::make_unique<Parts>(loop, std::move(*address), options);
  parts->weaker_promises = std::move(*weaker);
  return std::unique_ptr<Store>(new Store(std::move(parts)));
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Store::~Store() = default;

Statistics Store::statistics() const {
  return {.groups = parts_->writer.statistics().groups + parts_->blobs.statistics().groups,
          .writes = parts_->writer.statistics().writes + parts_->blobs.statistics().writes};
}

// --- runs
// ------------------------------------------------------------------------------------------------------

void Store::commit(Commit commit, Completion<CommitOutcome> done) {
  assert_well_formed(commit);
  const auto parse = [shape = shape_of(commit)](Results results) { return outcome_of(shape, results); };
  parts_->writer.push(answered<CommitOutcome>(write_of(commit), parse, std::move(done)));
}

void Store::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                         Completion<Result<std::vector<JournalEntry>>> done) {
  const auto parse = [run, after, limit](const PGresult& result) {
    return journal_of(run, after, limit, result);
  };
  parts_->reader.push(read_once<std::vector<JournalEntry>>(postgres::read_journal(run, after, limit), parse,
                                                           std::move(done)));
}

void Store::find_run(RunId run, Completion<Result<RunRecord>> done) {
  parts_->reader.push(read_once<RunRecord>(
      {&kFindRun, std::move(Params().add(run))},
      [run](const PGresult& result) { return run_of(run, result); }, std::move(done)));
}

void Store::list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) {
  parts_->reader.push(read_in_slices<std::vector<RunRecord>>(RunScan(std::move(query)), std::move(done)));
}

void Store::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                           Completion<Result<std::vector<OpenRun>>> done) {
  parts_->reader.push(
      read_once<std::vector<OpenRun>>(postgres::read_open_runs(after, limit), open_runs_of, std::move(done)));
}

void Store::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  parts_->writer.push(answered<Result<void>>(
      one_call(kPutDefinition, std::move(Params().add_text(digest).add_bytes(std::move(source)))), nothing,
      std::move(done)));
}

void Store::get_definition(std::string digest, Completion<Result<std::string>> done) {
  Params params = std::move(Params().add_text(digest));
  parts_->reader.push(read_once<std::string>(
      {&kGetDefinition, std::move(params)},
      [what = "definition " + digest](const PGresult& result) { return value_of(what, result); },
      std::move(done)));
}

void Store::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  parts_->writer.push(answered<Result<void>>(
      one_call(kPutSetting, std::move(Params().add_text(name).add_bytes(std::move(value)))), nothing,
      std::move(done)));
}

void Store::get_setting(std::string name, Completion<Result<std::string>> done) {
  Params params = std::move(Params().add_text(name));
  parts_->reader.push(read_once<std::string>(
      {&kGetSetting, std::move(params)},
      [what = "setting " + name](const PGresult& result) { return value_of(what, result); },
      std::move(done)));
}

// --- records
// ------------------------------------------------------------------------------------------------------

void Store::list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) {
  parts_->reader.push(read_in_slices<std::vector<Record>>(RecordScan(std::move(query)), std::move(done)));
}

void Store::find_record(RecordKey key, Completion<Result<Record>> done) {
  Params params = std::move(Params().add(number_of(key.kind)).add_text(key.id));
  parts_->reader.push(read_once<Record>(
      {&kFindRecord, std::move(params)},
      [key = std::move(key)](const PGresult& result) { return record_of(key, result); }, std::move(done)));
}

void Store::put_record(Record record, Completion<Result<void>> done) {
  parts_->writer.push(answered<Result<void>>(write_of(record), nothing, std::move(done)));
}

void Store::remove_records(RecordKind kind, std::optional<std::string> id,
                           Completion<Result<std::uint64_t>> done) {
  parts_->writer.push(answered<Result<std::uint64_t>>(removal_of(kind, id), count, std::move(done)));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

void Store::append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) {
  using Answer = Result<std::vector<Appended>>;
  const auto parse = [](Results results) -> Answer { return appended_of(*results[0]); };
  parts_->writer.push(answered<Answer>(write_of(events), parse, std::move(done)));
}

void Store::read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) {
  parts_->reader.push(read_in_slices<std::vector<TopicEvent>>(EventScan(std::move(query)), std::move(done)));
}

void Store::last_event(Completion<Result<std::uint64_t>> done) {
  const auto parse = [](const PGresult& result) -> Result<std::uint64_t> { return Row(result, 0).number(0); };
  parts_->reader.push(read_once<std::uint64_t>({&kLastEvent, Params()}, parse, std::move(done)));
}

// --- the state of sessions
// ------------------------------------------------------------------------------------------------------

void Store::read_state(std::string session, std::optional<std::uint64_t> version,
                       Completion<Result<StateSnapshot>> done) {
  const auto parse = [version](const PGresult& result) { return snapshot_of(version, result); };
  parts_->reader.push(read_once<StateSnapshot>(
      {&kReadState, std::move(Params().add_text(session).add(version))}, parse, std::move(done)));
}

void Store::write_state(std::string session, StateWrite write, StatePrecondition precondition,
                        Completion<StateOutcome> done) {
  const auto parse = [](Results results) { return state_outcome_of(*results[0]); };
  parts_->writer.push(answered<StateOutcome>(write_of(session, write, precondition), parse, std::move(done)));
}

void Store::expire_state(Timestamp now, std::uint32_t limit,
                         Completion<Result<std::vector<ExpiredState>>> done) {
  using Answer = Result<std::vector<ExpiredState>>;
  const auto parse = [](Results results) -> Answer { return expired_of(*results[0]); };
  parts_->writer.push(answered<Answer>(expiry_of(now, limit), parse, std::move(done)));
}

// --- cached outputs, blobs
// ------------------------------------------------------------------------------------------------------

void Store::find_cached(std::string key, Completion<Result<CachedOutput>> done) {
  Params params = std::move(Params().add_text(key));
  parts_->reader.push(read_once<CachedOutput>(
      {&kFindCached, std::move(params)},
      [key = std::move(key)](const PGresult& result) { return cached_of(key, result); }, std::move(done)));
}

void Store::put_blob(std::string digest, std::string content, Timestamp now, Completion<Result<void>> done) {
  GANGLION_ASSERT(is_sha256_hex(digest) && content.size() <= kMaxBlob);
  Params params;
  params.add_bytes(digest_bytes(digest)).add(now).add_bytes(std::move(content));
  Write write = one_call(kPutBlob, std::move(params));
  write.alone = true;
  parts_->blobs.push(answered<Result<void>>(std::move(write), nothing, std::move(done)));
}

void Store::get_blob(std::string digest, Completion<Result<std::string>> done) {
  Params params = std::move(Params().add_bytes(digest_bytes(digest)));
  parts_->reader.push(read_once<std::string>(
      {&kGetBlob, std::move(params)},
      [digest = std::move(digest)](const PGresult& result) { return blob_of(digest, result); },
      std::move(done)));
}

void Store::has_blob(std::string digest, Completion<Result<bool>> done) {
  const auto parse = [](const PGresult& result) -> Result<bool> { return rows_of(result) > 0; };
  parts_->reader.push(read_once<bool>({&kHasBlob, std::move(Params().add_bytes(digest_bytes(digest)))}, parse,
                                      std::move(done)));
}

void Store::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                            Completion<Result<std::uint64_t>> done) {
  Write write = one_call(kCollectGarbage, std::move(Params().add(now).add(unused_since).add(limit)));
  write.alone = true;
  parts_->writer.push(answered<Result<std::uint64_t>>(std::move(write), count, std::move(done)));
}

// --- the outbox
// ------------------------------------------------------------------------------------------------------

void Store::turn_outbox_on(Completion<Result<void>> done) {
  Write write = one_call(kTurnOutboxOn, Params());
  write.alone = true;
  parts_->writer.push(answered<Result<void>>(std::move(write), nothing, std::move(done)));
}

void Store::put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) {
  GANGLION_ASSERT(runs.size() <= kMaxOutboxRuns);
  parts_->writer.push(answered<Result<void>>(filling_of(runs), nothing, std::move(done)));
}

void Store::take_from_outbox(std::uint32_t limit, Duration lease,
                             Completion<Result<std::vector<RunId>>> done) {
  using Answer = Result<std::vector<RunId>>;
  GANGLION_ASSERT(limit <= kMaxOutboxRuns && lease <= kMaxOutboxLease);
  const auto parse = [](Results results) -> Answer { return taken_of(*results[0]); };
  parts_->writer.push(answered<Answer>(taking_of(limit, lease), parse, std::move(done)));
}

void Store::settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) {
  GANGLION_ASSERT(copied.size() <= kMaxOutboxRuns);
  parts_->writer.push(answered<Result<void>>(settling_of(copied), nothing, std::move(done)));
}

void Store::count_outbox(Completion<Result<std::uint64_t>> done) {
  const auto parse = [](const PGresult& result) -> Result<std::uint64_t> { return Row(result, 0).number(0); };
  parts_->reader.push(read_once<std::uint64_t>({&kCountOutbox, std::move(Params().add(kMaxOutboxCount))},
                                               parse, std::move(done)));
}

void Store::read_growth(std::vector<JournalPosition> from,
                        Completion<Result<std::vector<JournalGrowth>>> done) {
  GANGLION_ASSERT(from.size() <= kMaxOutboxRuns);
  Call call = postgres::read_growth(from);
  const auto parse = [from = std::move(from)](const PGresult& result) { return growth_of(from, result); };
  parts_->reader.push(read_once<std::vector<JournalGrowth>>(std::move(call), parse, std::move(done)));
}

void Store::last_time(Completion<Result<Timestamp>> done) {
  const auto parse = [](const PGresult& result) -> Result<Timestamp> { return Row(result, 0).time(0); };
  parts_->reader.push(read_once<Timestamp>({&kLastTime, Params()}, parse, std::move(done)));
}

std::vector<std::string> Store::weaker_promises() const {
  return parts_->weaker_promises;
}

}  // namespace ganglion::postgres
