#pragma once

// The store in Redis 7: one server, a master that sentinels name, or one slot of a cluster. Everything runs
// on the event loop: writes are gathered into calls of a function that runs inside Redis (library/), one
// round trip and one fsync for all that wait; reads go on the same connection. Nothing is cached, so that
// several coordinators may share a store: the version check inside Redis decides.
//
// While Redis is away, reads and writes wait and are sent again. Those that were not done within `patience`
// are answered as unavailable; a write of which it is unknown whether it was done waits until Redis says so
// (write_stream.h). If Redis comes back without something that it had acknowledged, `fatal` is called.
// docs/internals/redis.md has the keys and the table of failures.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "ports/store.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::redis {

struct Options {
  std::string url;  // see url.h
  // Called when Redis has lost something that it had acknowledged, or it is unknown what was written, with
  // the reason for a log. It must end the process at once; should it return, the store answers nothing any
  // more.
  std::function<void(const std::string&)> fatal;
  // How long a call may wait for a server that is away before it is answered as unavailable.
  std::chrono::milliseconds patience{10'000};
  // How long a server may leave commands unanswered before it is taken for dead.
  std::chrono::milliseconds silence{10'000};
};

class Store final : public ganglion::Store {
 public:
  // Connects, for as long as `patience`, by running `context` on the caller's thread; nobody else may run it
  // then. `context` must outlive the store. Errors: `unknown_store` (the URL), `store_incompatible` (another
  // version's data), `store_unavailable` (anything that may be different next time).
  static Result<std::unique_ptr<Store>> open(boost::asio::io_context& context, Options options);

  // Doesn't wait for what is on its way; no completion runs any more.
  ~Store() override;

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
  void last_time(Completion<Result<Timestamp>> done) override;
  // As the server's settings were when it was last connected to.
  std::vector<std::string> weaker_promises() const override;

 private:
  class Engine;
  struct JournalScan;
  struct ListScan;
  struct EventScan;

  explicit Store(std::unique_ptr<Engine> engine);

  void advance(std::unique_ptr<JournalScan> scan);
  void advance(std::unique_ptr<ListScan> scan);
  void advance(std::unique_ptr<EventScan> scan);

  std::unique_ptr<Engine> engine_;
};

}  // namespace ganglion::redis
