#include "adapters/sqlite/store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

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
    "PRAGMA cache_size=-4096;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA trusted_schema=OFF;"
    // Takes the exclusive lock now rather than at the first commit.
    "BEGIN IMMEDIATE; COMMIT";

Result<Database> open_database(const std::filesystem::path& path, const std::string& vfs) {
  DatabaseResult<Database> database = Database::open(path.string(), vfs);
  if (!database) return std::unexpected(open_error(path.string(), database.error()));
  if (const auto set = database->execute(kSettings); !set)
    return std::unexpected(open_error(path.string(), set.error()));
  if (const Result<void> migrated = migrate(*database, migrations()); !migrated) {
    return std::unexpected(migrated.error());
  }
  return std::move(*database);
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

}  // namespace

void Store::commit(Commit commit, Completion<CommitOutcome> done) {
  assert_well_formed(commit);
  worker_->push(Write{CommitWrite{std::move(commit), std::move(done)}});
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
  worker_->push(
      [scan = std::move(scan), done = std::move(done)](Tables& tables) mutable -> std::optional<Delivery> {
        const Result<bool> finished = tables.reader.advance(scan);
        if (finished && !*finished) return std::nullopt;
        Result<std::vector<RunRecord>> answer = std::move(scan.found);
        if (!finished) answer = std::unexpected(finished.error());
        return [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); };
      });
}

void Store::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                           Completion<Result<std::vector<OpenRun>>> done) {
  const auto query = [after = std::move(after), limit](Tables& t) {
    return t.reader.read_open_runs(after, limit);
  };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  worker_->push(Write{DefinitionWrite{std::move(digest), std::move(source), std::move(done)}});
}

void Store::get_definition(std::string digest, Completion<Result<std::string>> done) {
  const auto query = [digest = std::move(digest)](Tables& t) { return t.reader.get_definition(digest); };
  worker_->push(read_once(query, std::move(done)));
}

void Store::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  worker_->push(Write{SettingWrite{std::move(name), std::move(value), std::move(done)}});
}

void Store::get_setting(std::string name, Completion<Result<std::string>> done) {
  const auto query = [name = std::move(name)](Tables& t) { return t.reader.get_setting(name); };
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
