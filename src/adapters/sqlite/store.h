#pragma once

// The embedded store: one SQLite file, one connection, one thread that alone touches it. The event loop puts
// requests into a queue; whenever the thread gets free it takes every write that waits into one transaction
// (one fsync), hands all the completions back to the loop in one piece, and answers some reads before the
// next group. docs/internals/store.md has the schema, the figures and the table of failures.
//
// Why one connection: Debian's SQLite 3.40.1 can lose a commit when two connections write or checkpoint the
// write-ahead log. The file is locked exclusively; a second process is refused with `store_locked`.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class Worker;

struct Options {
  // Created with mode 0600 if missing, its folder with 0700. Beside it lie `-wal`, `-seal`,
  // `.lock` and `.endpoint`.
  std::filesystem::path path;
  // Runs a callback on the event loop; called on the store's thread.
  std::function<void(std::move_only_function<void()>)> post_from_thread;
  // Called on the store's thread when it is unknown what is durable, with the reason for a log. It must end
  // the process at once; should it return, the store answers nothing any more.
  std::function<void(const std::string&)> fatal;
  // The SQLite VFS by name; empty for the platform's own. Tests put faults there.
  std::string vfs;
  // Pages of 4 KiB in the write-ahead log at which it is moved into the file. Bounds the log, the time to
  // open after a crash, and the pause of commits while it is moved (docs/internals/store.md).
  int log_pages = 1024;
};

// Since the process began.
struct Statistics {
  std::uint64_t groups = 0;  // transactions, each of which carries every write that waited
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;  // fsyncs of the database and its log
};

class Store final : public ganglion::Store {
 public:
  // Errors: `store_locked` (in use, the message says by whom), `store_corrupt`, `store_incompatible` (another
  // program's file or a newer schema), `store_unavailable` (anything that may be different next time). Time
  // and memory don't depend on how long the history is.
  static Result<std::unique_ptr<Store>> open(Options options);

  // On the event loop. Waits until every commit that was made is written; no completion runs any more.
  ~Store() override;

  // From any thread.
  Statistics statistics() const;

  // Lets a second process say where the server is that holds this store.
  Result<void> publish_endpoint(const std::string& url);

  void commit(Commit commit, Completion<CommitOutcome> done) override;
  void read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                    Completion<Result<std::vector<JournalEntry>>> done) override;
  void find_run(RunId run, Completion<Result<RunRecord>> done) override;
  void list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) override;
  // An answer may hold fewer than `limit` runs where journals are large, but one at least until the end.
  void read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                      Completion<Result<std::vector<OpenRun>>> done) override;
  void put_definition(std::string digest, std::string source, Completion<Result<void>> done) override;
  void get_definition(std::string digest, Completion<Result<std::string>> done) override;
  void put_setting(std::string name, std::string value, Completion<Result<void>> done) override;
  void get_setting(std::string name, Completion<Result<std::string>> done) override;
  void list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) override;
  void find_record(RecordKey key, Completion<Result<Record>> done) override;
  void put_record(Record record, Completion<Result<void>> done) override;
  void remove_records(RecordKind kind, std::optional<std::string> id,
                      Completion<Result<std::uint64_t>> done) override;
  void append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) override;
  void read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) override;
  void last_event(Completion<Result<std::uint64_t>> done) override;
  void read_state(std::string session, std::optional<std::uint64_t> version,
                  Completion<Result<StateSnapshot>> done) override;
  void write_state(std::string session, StateWrite write, StatePrecondition precondition,
                   Completion<StateOutcome> done) override;
  void expire_state(Timestamp now, std::uint32_t limit,
                    Completion<Result<std::vector<ExpiredState>>> done) override;
  void find_cached(std::string key, Completion<Result<CachedOutput>> done) override;
  // One transaction of its own, of whatever size: commits wait while it is written, but not for a second one.
  void put_blob(std::string digest, std::string content, Timestamp now,
                Completion<Result<void>> done) override;
  void get_blob(std::string digest, Completion<Result<std::string>> done) override;
  void has_blob(std::string digest, Completion<Result<bool>> done) override;
  void collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                       Completion<Result<std::uint64_t>> done) override;
  void turn_outbox_on(Completion<Result<void>> done) override;
  void put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) override;
  void take_from_outbox(std::uint32_t limit, Duration lease,
                        Completion<Result<std::vector<RunId>>> done) override;
  void settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) override;
  void count_outbox(Completion<Result<std::uint64_t>> done) override;
  void read_growth(std::vector<JournalPosition> from,
                   Completion<Result<std::vector<JournalGrowth>>> done) override;
  void last_time(Completion<Result<Timestamp>> done) override;
  // On a file system in memory or on the network there is one.
  std::vector<std::string> weaker_promises() const override;

 private:
  explicit Store(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
};

// The URL that the process which holds the store at `path` now has published.
std::optional<std::string> endpoint_of(const std::filesystem::path& path);

}  // namespace ganglion::sqlite
