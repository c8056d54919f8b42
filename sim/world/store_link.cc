#include "sim/world/store_link.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "sim/world/process_clock.h"

namespace ganglion::sim {
namespace {

constexpr SimTime kReconnect{100'000};  // between two tries to connect again

}  // namespace

// One call on its way. What has been executed keeps its answer, so that it is not executed again.
class StoreLink::CallBase {
 public:
  explicit CallBase(Access access) : access_(access) {}
  virtual ~CallBase() = default;

  Access access() const { return access_; }
  bool answered = false;  // the answer has arrived
  bool refused = false;   // it never left
  std::optional<std::uint64_t> serial;

  // At the server, now. Gives when the answer leaves.
  virtual SimTime execute(StoreServer& server) = 0;
  // What it costs the server, of what has been executed.
  virtual StoreWork work() const { return {}; }
  // The call never leaves, or the server's disk is full.
  virtual void refuse() = 0;
  // Tells whoever made the call.
  virtual void finish() = 0;

 private:
  const Access access_;
};

template <typename T>
class StoreLink::Call : public CallBase {
 public:
  using Make = std::function<void(Store&, Completion<T>)>;

  Call(Access access, Completion<T> done, T refusal, Make make)
      : CallBase(access), done_(std::move(done)), refusal_(std::move(refusal)), make_(std::move(make)) {}

  SimTime execute(StoreServer& server) override {
    const auto now = [this](Store& store) { make_(store, [this](T value) { result_ = std::move(value); }); };
    if (access() == Access::read) return server.read(now);
    const auto executed = server.write(kind(), now, [make = make_](Store& store) { make(store, [](T) {}); });
    serial = executed.serial;
    if (kind() == StoreServer::Kind::commit) told(server, *result_);
    return executed.answered_at;
  }
  void refuse() override { result_ = refusal_; }
  void finish() override { done_(*std::move(result_)); }
  StoreWork work() const override { return work_of(*result_); }

 protected:
  virtual StoreServer::Kind kind() const { return StoreServer::Kind::other; }
  virtual void told(StoreServer&, const T&) {}

 private:
  static StoreWork work_of(const std::type_identity_t<T>& result) {
    StoreWork work;
    if constexpr (std::is_same_v<T, Result<std::vector<OpenRun>>>) {
      if (result) work.open_runs = result->size();
    } else if constexpr (std::is_same_v<T, Result<std::vector<JournalEntry>>>) {
      if (result) work.entries = result->size();
    }
    return work;
  }

  Completion<T> done_;
  T refusal_;
  Make make_;
  std::optional<T> result_;
};

class StoreLink::CommitCall final : public Call<CommitOutcome> {
 public:
  CommitCall(std::shared_ptr<const Commit> commit, Completion<CommitOutcome> done)
      : Call(Access::write, std::move(done), StoreUnavailable{"the store can't be reached"},
             [commit](Store& store, Completion<CommitOutcome> answer) {
               store.commit(*commit, std::move(answer));
             }),
        commit_(std::move(commit)) {}

  StoreWork work() const override {
    StoreWork work{.entries = commit_->events.size()};
    for (const JournalEntry& entry : commit_->events) work.bytes += entry.type.size() + entry.data.size();
    return work;
  }

 private:
  StoreServer::Kind kind() const override { return StoreServer::Kind::commit; }
  void told(StoreServer& server, const CommitOutcome& outcome) override { server.tell(*commit_, outcome); }

  std::shared_ptr<const Commit> commit_;
};

StoreLink::StoreLink(World world, ProcessClock& clock, const std::string& name, const StoreLinkFaults& faults,
                     Die die)
    : world_(world),
      clock_(clock),
      faults_(faults),
      die_(std::move(die)),
      before_(world.fate.site(name + ".dies_before_write")),
      after_(world.fate.site(name + ".dies_after_write")),
      lost_(world.fate.site(name + ".lost_store_answer")),
      refused_(world.fate.site(name + ".store_refuses")),
      delay_(world.fate.site(name + ".store_latency")),
      losses_(world.server.losses()),
      down_(world.server.on_down([this] { lose_connection(); })) {
  if (world.server.state() == StoreServer::State::down) lose_connection();
}

StoreLink::~StoreLink() {
  stop();
  world_.server.forget(down_);
}

void StoreLink::stop() {
  stopped_ = true;
  world_.timeline.call_off(reconnecting_);
  ++connection_;
}

SimTime StoreLink::latency() {
  return world_.fate.draw(delay_).between(faults_.latency_least, faults_.latency_most);
}

// --- the connection
// -------------------------------------------------------------------------------------------------

void StoreLink::cut() {
  cut_ = true;
  lose_connection();
}

void StoreLink::mend() {
  cut_ = false;
}

void StoreLink::lose_connection() {
  if (stopped_) return;
  connected_ = false;
  ++connection_;
  world_.timeline.call_off(reconnecting_);
  reconnecting_ = world_.timeline.after(kReconnect, [this] { reconnect(); });
}

void StoreLink::reconnect() {
  const bool is_down = world_.server.state() == StoreServer::State::down;
  if (cut_ || is_down || clock_.paused()) return lose_connection();
  // Another server answers, and it has not seen everything that was acknowledged: what this process knows may
  // be wrong. A process that doesn't know what is durable ends.
  if (world_.server.losses() != losses_) {
    stop();
    return die_(Death::lost_writes);
  }
  connected_ = true;
  last_arrival_ = last_answer_ = world_.timeline.now();
  for (const auto& call : calls_) {
    if (!call->answered && !call->refused) transmit(call);
  }
}

// --- a call
// ---------------------------------------------------------------------------------------------------------
// Messages on their way know their call weakly: what the caller gave goes with the link.

void StoreLink::begin(std::shared_ptr<CallBase> call) {
  if (stopped_) return;
  const bool writes = call->access() == Access::write;
  if (writes && world_.fate.occasion(before_, faults_.dies_before_write)) return die_(Death::at_write);
  calls_.push_back(call);
  if (connected_ && !world_.fate.occasion(refused_, faults_.refused)) return transmit(call);
  call->refused = true;
  call->refuse();
  answer(call, world_.timeline.now());
}

void StoreLink::transmit(const std::shared_ptr<CallBase>& call) {
  last_arrival_ = std::max(last_arrival_, clock_.free_at() + latency());
  world_.timeline.at(last_arrival_, [this, on_its_way = std::weak_ptr(call), connection = connection_] {
    const auto call = on_its_way.lock();
    if (call && connection == connection_) arrive(call);
  });
}

void StoreLink::arrive(const std::shared_ptr<CallBase>& call) {
  const bool writes = call->access() == Access::write;
  SimTime leaves = world_.timeline.now();
  const bool is_done = call->serial && !world_.server.has_lost(*call->serial);
  if (!is_done && writes && world_.server.state() == StoreServer::State::full) {
    call->refuse();
  } else if (!is_done) {
    leaves = call->execute(world_.server);
    if (writes && world_.fate.occasion(after_, faults_.dies_after_write)) return die_(Death::at_write);
    if (writes && world_.fate.occasion(lost_, faults_.lost_answer)) return lose_connection();
    if (world_.server.queues()) return wait_for_turn(call);
  }
  last_answer_ = std::max(last_answer_, leaves + latency());
  answer(call, last_answer_);
}

void StoreLink::wait_for_turn(const std::shared_ptr<CallBase>& call) {
  using Way = StoreServer::Access;
  auto done = [this, alive = std::weak_ptr(alive_), on_its_way = std::weak_ptr(call),
               connection = connection_] {
    const auto call = on_its_way.lock();
    if (alive.expired() || !call || connection != connection_) return;
    last_answer_ = std::max(last_answer_, world_.timeline.now() + latency());
    answer(call, last_answer_);
  };
  world_.server.queue(call->access() == Access::write ? Way::write : Way::read, call->work(),
                      std::move(done));
}

void StoreLink::answer(const std::shared_ptr<CallBase>& call, SimTime at) {
  world_.timeline.at(at, [this, on_its_way = std::weak_ptr(call), connection = connection_] {
    const auto call = on_its_way.lock();
    if (!call || stopped_ || (!call->refused && connection != connection_)) return;
    call->answered = true;
    deliver();
  });
}

void StoreLink::deliver() {
  while (!calls_.empty() && calls_.front()->answered) {
    clock_.post([this, alive = std::weak_ptr(alive_), call = std::move(calls_.front())] {
      if (alive.expired() || stopped_) return;
      const ServiceTimes& times = clock_.times();
      clock_.charge(call->access() == Access::write ? times.committed : times.read);
      clock_.charge(times.open_run * static_cast<std::int64_t>(call->work().open_runs));
      call->finish();
    });
    calls_.pop_front();
  }
}

// --- the port
// -------------------------------------------------------------------------------------------------------

template <typename T>
void StoreLink::call(Access access, Completion<Result<T>> done,
                     std::function<void(Store&, Completion<Result<T>>)> make) {
  begin(std::make_shared<Call<Result<T>>>(
      access, std::move(done), fail("unavailable", "the store can't be reached"), std::move(make)));
}

void StoreLink::commit(Commit commit, Completion<CommitOutcome> done) {
  clock_.charge(clock_.times().commit);
  clock_.charge(clock_.times().entry * static_cast<std::int64_t>(commit.events.size()));
  begin(std::make_shared<CommitCall>(std::make_shared<const Commit>(std::move(commit)), std::move(done)));
}

void StoreLink::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                             Completion<Result<std::vector<JournalEntry>>> done) {
  call<std::vector<JournalEntry>>(Access::read, std::move(done), [=](Store& store, auto answer) {
    store.read_journal(run, after, limit, std::move(answer));
  });
}

void StoreLink::find_run(RunId run, Completion<Result<RunRecord>> done) {
  call<RunRecord>(Access::read, std::move(done),
                  [=](Store& store, auto answer) { store.find_run(run, std::move(answer)); });
}

void StoreLink::list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) {
  call<std::vector<RunRecord>>(Access::read, std::move(done),
                               [=](Store& store, auto answer) { store.list_runs(query, std::move(answer)); });
}

void StoreLink::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                               Completion<Result<std::vector<OpenRun>>> done) {
  call<std::vector<OpenRun>>(Access::read, std::move(done), [=](Store& store, auto answer) {
    store.read_open_runs(after, limit, std::move(answer));
  });
}

void StoreLink::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.put_definition(digest, source, std::move(answer)); });
}

void StoreLink::get_definition(std::string digest, Completion<Result<std::string>> done) {
  call<std::string>(Access::read, std::move(done),
                    [=](Store& store, auto answer) { store.get_definition(digest, std::move(answer)); });
}

void StoreLink::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.put_setting(name, value, std::move(answer)); });
}

void StoreLink::get_setting(std::string name, Completion<Result<std::string>> done) {
  call<std::string>(Access::read, std::move(done),
                    [=](Store& store, auto answer) { store.get_setting(name, std::move(answer)); });
}

void StoreLink::list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) {
  call<std::vector<Record>>(Access::read, std::move(done),
                            [=](Store& store, auto answer) { store.list_records(query, std::move(answer)); });
}

void StoreLink::find_record(RecordKey key, Completion<Result<Record>> done) {
  call<Record>(Access::read, std::move(done),
               [=](Store& store, auto answer) { store.find_record(key, std::move(answer)); });
}

void StoreLink::put_record(Record record, Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.put_record(record, std::move(answer)); });
}

void StoreLink::remove_records(RecordKind kind, std::optional<std::string> id,
                               Completion<Result<std::uint64_t>> done) {
  call<std::uint64_t>(Access::write, std::move(done),
                      [=](Store& store, auto answer) { store.remove_records(kind, id, std::move(answer)); });
}

void StoreLink::append_events(std::vector<TopicEvent> events,
                              Completion<Result<std::vector<Appended>>> done) {
  call<std::vector<Appended>>(Access::write, std::move(done), [=](Store& store, auto answer) {
    store.append_events(events, std::move(answer));
  });
}

void StoreLink::read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) {
  call<std::vector<TopicEvent>>(Access::read, std::move(done), [=](Store& store, auto answer) {
    store.read_events(query, std::move(answer));
  });
}

void StoreLink::last_event(Completion<Result<std::uint64_t>> done) {
  call<std::uint64_t>(Access::read, std::move(done),
                      [=](Store& store, auto answer) { store.last_event(std::move(answer)); });
}

void StoreLink::read_state(std::string session, std::optional<std::uint64_t> version,
                           Completion<Result<StateSnapshot>> done) {
  call<StateSnapshot>(Access::read, std::move(done), [=](Store& store, auto answer) {
    store.read_state(session, version, std::move(answer));
  });
}

void StoreLink::write_state(std::string session, StateWrite write, StatePrecondition precondition,
                            Completion<StateOutcome> done) {
  using Refusal = std::variant<StateConflict, Error>;
  begin(std::make_shared<Call<StateOutcome>>(
      Access::write, std::move(done),
      std::unexpected(Refusal(Error{"unavailable", "the store can't be reached"})),
      [=](Store& store, auto answer) {
        store.write_state(session, write, precondition, std::move(answer));
      }));
}

void StoreLink::expire_state(Timestamp now, std::uint32_t limit,
                             Completion<Result<std::vector<ExpiredState>>> done) {
  call<std::vector<ExpiredState>>(Access::write, std::move(done), [=](Store& store, auto answer) {
    store.expire_state(now, limit, std::move(answer));
  });
}

void StoreLink::find_cached(std::string key, Completion<Result<CachedOutput>> done) {
  call<CachedOutput>(Access::read, std::move(done),
                     [=](Store& store, auto answer) { store.find_cached(key, std::move(answer)); });
}

void StoreLink::put_blob(std::string digest, std::string content, Timestamp now,
                         Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.put_blob(digest, content, now, std::move(answer)); });
}

void StoreLink::get_blob(std::string digest, Completion<Result<std::string>> done) {
  call<std::string>(Access::read, std::move(done),
                    [=](Store& store, auto answer) { store.get_blob(digest, std::move(answer)); });
}

void StoreLink::has_blob(std::string digest, Completion<Result<bool>> done) {
  call<bool>(Access::read, std::move(done),
             [=](Store& store, auto answer) { store.has_blob(digest, std::move(answer)); });
}

void StoreLink::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                                Completion<Result<std::uint64_t>> done) {
  call<std::uint64_t>(Access::write, std::move(done), [=](Store& store, auto answer) {
    store.collect_garbage(now, unused_since, limit, std::move(answer));
  });
}

void StoreLink::turn_outbox_on(Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [](Store& store, auto answer) { store.turn_outbox_on(std::move(answer)); });
}

void StoreLink::put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.put_into_outbox(runs, std::move(answer)); });
}

void StoreLink::take_from_outbox(std::uint32_t limit, Duration lease,
                                 Completion<Result<std::vector<RunId>>> done) {
  call<std::vector<RunId>>(Access::write, std::move(done), [=](Store& store, auto answer) {
    store.take_from_outbox(limit, lease, std::move(answer));
  });
}

void StoreLink::settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) {
  call<void>(Access::write, std::move(done),
             [=](Store& store, auto answer) { store.settle_outbox(copied, std::move(answer)); });
}

void StoreLink::count_outbox(Completion<Result<std::uint64_t>> done) {
  call<std::uint64_t>(Access::read, std::move(done),
                      [](Store& store, auto answer) { store.count_outbox(std::move(answer)); });
}

void StoreLink::read_growth(std::vector<JournalPosition> from,
                            Completion<Result<std::vector<JournalGrowth>>> done) {
  call<std::vector<JournalGrowth>>(Access::read, std::move(done), [=](Store& store, auto answer) {
    store.read_growth(from, std::move(answer));
  });
}

void StoreLink::last_time(Completion<Result<Timestamp>> done) {
  call<Timestamp>(Access::read, std::move(done),
                  [=](Store& store, auto answer) { store.last_time(std::move(answer)); });
}

}  // namespace ganglion::sim
