#pragma once

// A store as a test wants it: every call waits for its answer while the event loop turns.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/system/asio_loop.h"
#include "ports/store.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::testing {

// An event loop that a test turns by hand.
class TestLoop {
 public:
  TestLoop();
  ~TestLoop();

  Clock& clock();
  boost::asio::io_context& context();
  // What an adapter with a thread of its own calls to get back to the loop.
  std::function<void(std::move_only_function<void()>)> poster();
  // Turns the loop until `done` says yes; the test's own time limit bounds it.
  void run_until(const std::function<bool()>& done);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class StoreDriver {
 public:
  StoreDriver(TestLoop& loop, Store& store) : loop_(loop), store_(store) {}

  CommitOutcome commit(Commit commit);
  Result<std::vector<JournalEntry>> read_journal(const RunId& run, std::uint64_t after = 0,
                                                 std::uint32_t limit = 1000);
  Result<RunRecord> find_run(const RunId& run);
  std::vector<RunId> list_runs(RunQuery query);
  std::vector<OpenRun> read_open_runs(std::optional<RunId> after = {}, std::uint32_t limit = 100);
  Result<void> put_definition(const std::string& digest, const std::string& source);
  Result<std::string> get_definition(const std::string& digest);
  Result<void> put_setting(const std::string& name, const std::string& value);
  Result<std::string> get_setting(const std::string& name);
  Timestamp last_time();

  Result<std::vector<Record>> list_records(RecordQuery query);
  Result<Record> find_record(RecordKind kind, const std::string& id);
  Result<void> put_record(Record record);
  std::uint64_t remove_records(RecordKind kind, std::optional<std::string> id);

  std::vector<Appended> append_events(std::vector<TopicEvent> events);
  std::vector<TopicEvent> read_events(EventQuery query);
  std::uint64_t last_event();

  Result<StateSnapshot> read_state(const std::string& session, std::optional<std::uint64_t> version = {});
  StateOutcome write_state(const std::string& session, StateWrite write,
                           StatePrecondition precondition = AnyVersion());
  std::vector<ExpiredState> expire_state(Timestamp now, std::uint32_t limit = 1000);

  Result<CachedOutput> find_cached(const std::string& key);
  Result<void> put_blob(const std::string& digest, std::string content, Timestamp now);
  Result<std::string> get_blob(const std::string& digest);
  Result<bool> has_blob(const std::string& digest);
  std::uint64_t collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit = 1000);

  Result<void> turn_outbox_on();
  Result<void> put_into_outbox(std::vector<RunId> runs);
  std::vector<RunId> take_from_outbox(std::uint32_t limit = kMaxOutboxRuns, Duration lease = kMaxOutboxLease);
  Result<void> settle_outbox(std::vector<JournalPosition> copied);
  std::uint64_t count_outbox();
  std::vector<JournalGrowth> read_growth(std::vector<JournalPosition> from);

  TestLoop& loop() { return loop_; }
  Store& store() { return store_; }

 private:
  template <typename T, typename Call>
  T wait_for(Call call);

  TestLoop& loop_;
  Store& store_;
};

// Run number `n`: numbers sort like times.
RunId run_number(std::uint64_t n);
JournalEntry event(std::uint64_t seq, std::string data = "{}");
RunRecord record_of(const RunId& run);
// Starts a run with `events` events.
Commit start_of(const RunId& run, std::uint64_t events = 1);
// Appends one event at `version`.
Commit append_to(const RunId& run, std::uint64_t version, std::string data = "{}");
Commit end_of(const RunId& run, std::uint64_t version, std::string status = "completed");

// A commit that carries one of everything that a commit can carry besides its events; `number` tells two
// apart. Its session is "s".
Commit laden(Commit commit, std::uint64_t number);
// Text in which nothing repeats, nor with another seed.
std::string unlike_text(std::size_t bytes, std::uint64_t seed);
// Run `run`, which shares the first `seq` entries of `source` and adds one.
Commit fork_of(const RunId& source, std::uint64_t seq, const RunId& run);

// An event on `topic` with this id, from a source of that name.
TopicEvent topic_event(std::string topic, std::string id, std::string data = "{}");
// Of a key; without a value its removal.
StateWrite state_write(std::string key, std::optional<std::string> value);

bool is_committed(const CommitOutcome& outcome);

}  // namespace ganglion::testing
