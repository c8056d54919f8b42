#include "adapters/sqlite/store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/sqlite/checked_vfs.h"
#include "adapters/sqlite/commit_writer.h"
#include "adapters/sqlite/page_rewrite.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/worker.h"
#include "ports/commit_check.h"

namespace ganglion::sqlite {
namespace {

Error unavailable(const std::string& what, const std::filesystem::path& path, int code) {
  return {"store_unavailable", what + " " + path.string() + ": " + std::strerror(code)};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) return std::unexpected(unavailable("can't sync", folder, code));
  return {};
}

// Creates the folder, its parents included, and makes the new names durable.
Result<void> ensure_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return sync_folder(folder.parent_path());
  if (errno == EEXIST) return {};
  const int code = errno;
  if (code != ENOENT || !folder.has_relative_path())
    return std::unexpected(unavailable("can't create", folder, code));
  if (const Result<void> parent = ensure_folder(folder.parent_path()); !parent) return parent;
  if (::mkdir(folder.c_str(), 0700) != 0) return std::unexpected(unavailable("can't create", folder, errno));
  return sync_folder(folder.parent_path());
}

// SQLite would create the file with what the umask leaves of 0644.
Result<void> ensure_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(unavailable("can't open", path, errno));
  ::close(descriptor);
  return sync_folder(path.parent_path());
}

// Exclusive before WAL, so that the log's index lies in this process and no second connection can join. The
// page cache is small: journals are appended, and the tail of a few tables is all that commits touch.
constexpr const char* kSettings =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA cache_size=-2048;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA trusted_schema=OFF;"
    // Takes the exclusive lock now rather than at the first commit.
    "BEGIN IMMEDIATE; COMMIT";

Result<Database> open_migrated(const std::filesystem::path& path, const std::string& vfs) {
  DatabaseResult<Database> database = open_checked(path.string(), vfs);
  if (!database) return std::unexpected(open_error(path.string(), database.error()));
  if (const auto set = database->execute(kSettings); !set)
    return std::unexpected(open_error(path.string(), set.error()));
  if (const Result<void> migrated = migrate(*database, migrations()); !migrated) {
    return std::unexpected(migrated.error());
  }
  return std::move(*database);
}

Result<Database> open_database(const std::filesystem::path& path, const std::string& vfs) {
  Result<Database> database = open_migrated(path, vfs);
  if (!database || has_page_checks(*database)) return database;
  if (const Result<void> rewritten = rewrite_with_checks(std::move(*database), path); !rewritten)
    return std::unexpected(rewritten.error());
  return open_migrated(path, vfs);
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Options options) {
  options.path = std::filesystem::absolute(options.path).lexically_normal();
  const std::filesystem::path path = options.path;
  if (const Result<void> folder = ensure_folder(path.parent_path()); !folder)
    return std::unexpected(folder.error());
  Result<ProcessLock> lock = ProcessLock::acquire(path.string());
  if (!lock) return std::unexpected(lock.error());
  if (const Result<void> file = ensure_file(path); !file) return std::unexpected(file.error());
  Result<Database> database = open_database(path, options.vfs);
  if (!database) return std::unexpected(database.error());

  auto worker = std::make_unique<Worker>(std::move(options), std::move(*lock), std::move(*database));
  if (const DatabaseResult<void> started = worker->start(); !started) {
    return std::unexpected(open_error(path.string(), started.error()));
  }
  return std::unique_ptr<Store>(new Store(std::move(worker)));
}

Store::Store(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}

Statistics Store::statistics() const {
  return worker_->statistics();
}

Store::~Store() = default;

Result<void> Store::publish_endpoint(const std::string& url) {
  return worker_->lock().publish_endpoint(url);
}

namespace {

// A read that is done at once: `query` answers from the tables.
template <typename T, typename Query>
Read read_once(Query query, ganglion::Store::Completion<Result<T>> done) {
  return
      [query = std::move(query), done = std::move(done)](Tables& tables) mutable -> std::optional<Delivery> {
        return [done = std::move(done), answer = query(tables)]() mutable { done(std::move(answer)); };
      };
}

// A read that goes on after other work until `advance` says that it is finished; `scan.found` is the answer.
template <typename T, typename Scan, typename Advance>
Read read_in_slices(Scan scan, Advance advance, ganglion::Store::Completion<Result<T>> done) {
  return [scan = std::move(scan), advance = std::move(advance),
          done = std::move(done)](Tables& tables) mutable -> std::optional<Delivery> {
    const Result<bool> finished = advance(tables, scan);
    if (finished && !*finished) return std::nullopt;
    Result<T> answer = std::move(scan.found);
    if (!finished) answer = std::unexpected(finished.error());
    return [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); };
  };
}

// A write whose answer is the change's value.
template <typename T, typename Change>
std::unique_ptr<Write> write(std::size_t bytes, Change change, ganglion::Store::Completion<T> done) {
  return std::make_unique<WriteOf<T, Change>>(bytes, std::move(change), std::move(done));
}

// A change that can only fail as a whole.
template <typename T, typename Change>
auto as_result(Change change) {
  return [change = std::move(change)](Tables& tables) mutable -> DatabaseResult<Result<T>> {
    DatabaseResult<T> changed = change(tables);
    if (!changed) return std::unexpected(std::move(changed.error()));
    if constexpr (std::is_void_v<T>)
      return Result<T>();
    else
      return Result<T>(std::move(*changed));
  };
}

std::size_t size_of(const TopicEvent& event) {
  return sizeof(event) + event.id.size() + event.source.size() + event.data.size();
}

std::size_t size_of(const StateWrite& write) {
  return sizeof(write) + write.key.size() + (write.value ? write.value->size() : 0);
}

std::size_t size_of(const Commit& commit) {
  std::size_t size = sizeof(commit);
  for (const JournalEntry& event : commit.events)
    size += sizeof(event) + event.type.size() + event.data.size();
  for (const Record& record : commit.records) size += sizeof(record) + record.data.size();
  for (const TopicEvent& event : commit.published) size += size_of(event);
  if (commit.state)
    for (const StateWrite& write : commit.state->writes) size += size_of(write);
  for (const CachedOutput& output : commit.cached) size += sizeof(output) + output.output.size();
  return size;
}

}  // namespace

void Store::commit(Commit commit, Completion<CommitOutcome> done) {
  assert_well_formed(commit);
  const std::size_t bytes = size_of(commit);
  auto change = [commit = std::move(commit)](Tables& t) { return apply_commit(t, commit); };
  worker_->push(write<CommitOutcome>(bytes, std::move(change), std::move(done)));
}

void Store::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                         Completion<Result<std::vector<JournalEntry>>> done) {
  const auto query = [run = std::move(run), after, limit](Tables& t) {
    return t.reader.read_journal(run, after, limit);
  };
  worker_->push(read_once(query, std::move(done)));
}

void Store::find_run(RunId run, Completion<Result<RunRecord>> done) {
  worker_->push(
      read_once([run = std::move(run)](Tables& t) { return t.reader.find_run(run); }, std::move(done)));
}

void Store::list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) {
  ListScan scan{.query = std::move(query), .position = std::nullopt, .found = {}};
  worker_->push(read_in_slices<std::vector<RunRecord>>(
      std::move(scan), [](Tables& t, ListScan& s) { return t.reader.advance(s); }, std::move(done)));
}

void Store::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                           Completion<Result<std::vector<OpenRun>>> done) {
  const auto query = [after = std::move(after), limit](Tables& t) {
    return t.reader.read_open_runs(after, limit);
  };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  const std::size_t bytes = source.size();
  auto change = as_result<void>([digest = std::move(digest), source = std::move(source)](Tables& t) {
    return t.writer.put_definition(digest, source);
  });
  worker_->push(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::get_definition(std::string digest, Completion<Result<std::string>> done) {
  const auto query = [digest = std::move(digest)](Tables& t) { return t.reader.get_definition(digest); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  const std::size_t bytes = value.size();
  auto change = as_result<void>([name = std::move(name), value = std::move(value)](Tables& t) {
    return t.writer.put_setting(name, value);
  });
  worker_->push(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::get_setting(std::string name, Completion<Result<std::string>> done) {
  const auto query = [name = std::move(name)](Tables& t) { return t.reader.get_setting(name); };
  worker_->push(read_once(query, std::move(done)));
}

// --- records
// ------------------------------------------------------------------------------------------------------

void Store::list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) {
  const auto list = [query = std::move(query)](Tables& t) { return t.records.list(query); };
  worker_->push(read_once(list, std::move(done)));
}

void Store::find_record(RecordKey key, Completion<Result<Record>> done) {
  const auto query = [key = std::move(key)](Tables& t) { return t.records.find(key); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_record(Record record, Completion<Result<void>> done) {
  const std::size_t bytes = record.data.size();
  auto change = as_result<void>([record = std::move(record)](Tables& t) { return t.records.put(record); });
  worker_->push(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::remove_records(RecordKind kind, std::optional<std::string> id,
                           Completion<Result<std::uint64_t>> done) {
  auto change =
      as_result<std::uint64_t>([kind, id = std::move(id)](Tables& t) { return t.records.remove(kind, id); });
  worker_->push(write<Result<std::uint64_t>>(0, std::move(change), std::move(done)));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

void Store::append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) {
  using Answer = std::vector<Appended>;
  std::size_t bytes = 0;
  for (const TopicEvent& event : events) bytes += size_of(event);
  auto change = as_result<Answer>([events = std::move(events)](Tables& t) -> DatabaseResult<Answer> {
    Answer answer;
    for (const TopicEvent& event : events) {
      const DatabaseResult<Appended> appended = t.events.append(event);
      if (!appended) return std::unexpected(appended.error());
      answer.push_back(*appended);
    }
    return answer;
  });
  worker_->push(write<Result<Answer>>(bytes, std::move(change), std::move(done)));
}

void Store::read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) {
  EventScan scan{.query = std::move(query), .found = {}, .bytes = 0};
  worker_->push(read_in_slices<std::vector<TopicEvent>>(
      std::move(scan), [](Tables& t, EventScan& s) { return t.events.advance(s); }, std::move(done)));
}

void Store::last_event(Completion<Result<std::uint64_t>> done) {
  worker_->push(read_once([](Tables& t) { return t.events.last(); }, std::move(done)));
}

// --- the state of sessions
// ------------------------------------------------------------------------------------------------------

void Store::read_state(std::string session, std::optional<std::uint64_t> version,
                       Completion<Result<StateSnapshot>> done) {
  const auto query = [session = std::move(session), version](Tables& t) {
    return t.state.read(session, version);
  };
  worker_->push(read_once(query, std::move(done)));
}

void Store::write_state(std::string session, StateWrite change, StatePrecondition precondition,
                        Completion<StateOutcome> done) {
  const std::size_t bytes = size_of(change);
  auto apply = [session = std::move(session), change = std::move(change), precondition](Tables& t) {
    return t.state.write(session, change, precondition);
  };
  worker_->push(write<StateOutcome>(bytes, std::move(apply), std::move(done)));
}

void Store::expire_state(Timestamp now, std::uint32_t limit,
                         Completion<Result<std::vector<ExpiredState>>> done) {
  using Answer = std::vector<ExpiredState>;
  auto change = as_result<Answer>([now, limit](Tables& t) { return t.state.expire(now, limit); });
  worker_->push(write<Result<Answer>>(0, std::move(change), std::move(done)));
}

// --- cached outputs, blobs
// ------------------------------------------------------------------------------------------------------

void Store::find_cached(std::string key, Completion<Result<CachedOutput>> done) {
  const auto query = [key = std::move(key)](Tables& t) { return t.cache.find(key); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_blob(std::string digest, std::string content, Timestamp now, Completion<Result<void>> done) {
  GANGLION_ASSERT(is_sha256_hex(digest) && content.size() <= kMaxBlob);
  const std::size_t bytes = content.size();
  auto change = as_result<void>([digest = std::move(digest), content = std::move(content), now](Tables& t) {
    return t.blobs.put(digest, content, now);
  });
  worker_->push_blob(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::get_blob(std::string digest, Completion<Result<std::string>> done) {
  const auto query = [digest = std::move(digest)](Tables& t) { return t.blobs.get(digest); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::has_blob(std::string digest, Completion<Result<bool>> done) {
  const auto query = [digest = std::move(digest)](Tables& t) { return t.blobs.has(digest); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                            Completion<Result<std::uint64_t>> done) {
  using Answer = std::uint64_t;
  auto change = as_result<Answer>([now, unused_since, limit](Tables& t) -> DatabaseResult<Answer> {
    const DatabaseResult<Answer> outputs = t.cache.collect(now, limit);
    if (!outputs) return outputs;
    const DatabaseResult<Answer> blobs = t.blobs.collect(unused_since, limit);
    if (!blobs) return blobs;
    return *outputs + *blobs;
  });
  worker_->push(write<Result<Answer>>(0, std::move(change), std::move(done)));
}

// --- the outbox
// ------------------------------------------------------------------------------------------------------

void Store::turn_outbox_on(Completion<Result<void>> done) {
  auto change = as_result<void>([](Tables& t) { return t.outbox.turn_on(); });
  worker_->push(write<Result<void>>(0, std::move(change), std::move(done)));
}

void Store::put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) {
  GANGLION_ASSERT(runs.size() <= kMaxOutboxRuns);
  const std::size_t bytes = runs.size() * sizeof(RunId);
  auto change = as_result<void>([runs = std::move(runs)](Tables& t) { return t.outbox.put(runs); });
  worker_->push(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::take_from_outbox(std::uint32_t limit, Duration lease,
                             Completion<Result<std::vector<RunId>>> done) {
  using Answer = std::vector<RunId>;
  GANGLION_ASSERT(limit <= kMaxOutboxRuns && lease <= kMaxOutboxLease);
  auto change = as_result<Answer>([limit, lease](Tables& t) { return t.outbox.take(limit, lease); });
  worker_->push(write<Result<Answer>>(0, std::move(change), std::move(done)));
}

void Store::settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) {
  GANGLION_ASSERT(copied.size() <= kMaxOutboxRuns);
  const std::size_t bytes = copied.size() * sizeof(JournalPosition);
  auto change = as_result<void>([copied = std::move(copied)](Tables& t) { return t.outbox.settle(copied); });
  worker_->push(write<Result<void>>(bytes, std::move(change), std::move(done)));
}

void Store::count_outbox(Completion<Result<std::uint64_t>> done) {
  worker_->push(read_once([](Tables& t) { return t.outbox.count(); }, std::move(done)));
}

void Store::read_growth(std::vector<JournalPosition> from,
                        Completion<Result<std::vector<JournalGrowth>>> done) {
  GANGLION_ASSERT(from.size() <= kMaxOutboxRuns);
  const auto query = [from = std::move(from)](Tables& t) { return t.reader.read_growth(from); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::last_time(Completion<Result<Timestamp>> done) {
  const auto query = [](Tables& t) -> Result<Timestamp> { return t.writer.last_time(); };
  worker_->push(read_once(query, std::move(done)));
}

std::vector<std::string> Store::weaker_promises() const {
  struct statfs system{};
  if (::statfs(worker_->options().path.c_str(), &system) != 0) return {};
  const std::string path = worker_->options().path.string();
  if (system.f_type == TMPFS_MAGIC)
    return {path + " lies on a file system in memory: nothing survives a reboot"};
  if (system.f_type == NFS_SUPER_MAGIC) {
    return {path + " lies on NFS: whether commits survive a crash and locks hold depends on the file server"};
  }
  return {};
}

std::optional<std::string> endpoint_of(const std::filesystem::path& path) {
  return find_endpoint(std::filesystem::absolute(path).lexically_normal().string());
}

}  // namespace ganglion::sqlite
