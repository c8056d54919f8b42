#pragma once

// The store in PostgreSQL: several processes on several machines share one. Each has three connections, all
// on its event loop's thread: one for groups of writes (writer.h), one for blobs, which are groups of their
// own, and one for reads (reader.h). Nothing is remembered here that another process could change: what a
// commit is held against is read in its own transaction, under locks.
// docs/internals/postgres.md has the schema, the transaction and the table of failures.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/store.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::postgres {

struct Statistics;

struct Options {
  // `postgres://user:password@host:port/database?schema=ganglion`; see url.h.
  std::string url;
  // Called on the loop when the server has lost what it had confirmed, with the reason for a log. It must end
  // the process; should it return, the store writes nothing any more.
  std::function<void(const std::string&)> fatal;
  // How long writes and reads wait for a server that can't be reached; then they are refused.
  std::chrono::milliseconds patience{10'000};
};

class Store final : public ganglion::Store {
 public:
  // Blocks: connects, and creates the schema or brings it to this version. Errors: `invalid_store` (the URL),
  // `store_incompatible` (a newer schema, a server that won't do), `store_unavailable`.
  // `loop` outlives the store.
  static Result<std::unique_ptr<Store>> open(boost::asio::io_context& loop, Options options);

  // No completion runs any more; what was under way is written or not.
  ~Store() override;

  Statistics statistics() const;

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
  // May be that of a commit that was refused, which doesn't matter for what it is for.
  void last_time(Completion<Result<Timestamp>> done) override;
  std::vector<std::string> weaker_promises() const override;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion::postgres
