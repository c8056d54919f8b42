#pragma once

// The store port of one process: a connection to the world's store server. Calls go out and are answered in
// order. When the connection breaks, calls under way are ambiguous: they are sent again on the next
// connection, and the server answers what it has executed before without executing it twice, as an adapter
// that resolves an ambiguous commit by reading does (also on a full disk). A process that is paused connects
// when it goes on. Calls made while there is no connection are refused (`StoreUnavailable`): they never left.
//
// The process may die at a write: right before it leaves, or right after it was executed. It ends as well
// when it finds that the server has lost acknowledged writes in a failover.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "ports/store.h"
#include "sim/kernel/fate.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

class ProcessClock;

struct StoreLinkFaults {
  double dies_before_write = 0;
  double dies_after_write = 0;
  double lost_answer = 0;  // the connection breaks when the call has been executed
  double refused = 0;      // the call never leaves
  SimTime latency_least{30};
  SimTime latency_most{120};
};

class StoreLink final : public Store {
 public:
  struct World {
    Timeline& timeline;
    Fate& fate;
    StoreServer& server;
  };
  enum class Death { at_write, lost_writes };
  using Die = std::function<void(Death)>;

  // `name` is the process's host in the names of events; `die` ends the process: it may stop the link, and
  // destroys it later. `faults` may change while the link lives.
  StoreLink(World world, ProcessClock& clock, const std::string& name, const StoreLinkFaults& faults,
            Die die);
  ~StoreLink() override;

  // Nothing leaves and nothing comes any more.
  void stop();
  // The network between the process and the server.
  void cut();
  void mend();

  void commit(Commit commit, Completion<CommitOutcome> done) override;
  void read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                    Completion<Result<std::vector<JournalEntry>>> done) override;
  void find_run(RunId run, Completion<Result<RunRecord>> done) override;
  void list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) override;
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
  std::vector<std::string> weaker_promises() const override { return {}; }

 private:
  enum class Access { read, write };
  class CallBase;
  template <typename T>
  class Call;
  class CommitCall;

  template <typename T>
  void call(Access access, Completion<Result<T>> done,
            std::function<void(Store&, Completion<Result<T>>)> make);
  void begin(std::shared_ptr<CallBase> call);
  void transmit(const std::shared_ptr<CallBase>& call);
  void arrive(const std::shared_ptr<CallBase>& call);
  // Until the server's thread has done it.
  void wait_for_turn(const std::shared_ptr<CallBase>& call);
  void answer(const std::shared_ptr<CallBase>& call, SimTime at);
  void deliver();
  void lose_connection();
  void reconnect();
  SimTime latency();

  World world_;
  ProcessClock& clock_;
  const StoreLinkFaults& faults_;
  Die die_;
  SiteId before_, after_, lost_, refused_, delay_;
  std::size_t losses_;
  StoreServer::WatcherId down_;
  std::deque<std::shared_ptr<CallBase>> calls_;  // not answered yet, in order
  std::uint64_t connection_ = 1;                 // that messages belong to
  bool connected_ = true;
  bool cut_ = false;
  bool stopped_ = false;
  SimTime last_arrival_{};  // in the connection's order
  SimTime last_answer_{};
  MomentId reconnecting_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::sim
