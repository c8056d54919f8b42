#include "contract/store_driver.h"

#include <random>
#include <utility>

#include "base/asio/asio.h"
#include "base/sha256.h"

namespace ganglion::testing {

struct TestLoop::Context {
  asio::io_context io{1};
  asio::executor_work_guard<LoopExecutor> guard{io.get_executor()};
  AsioLoop loop{io};
};

TestLoop::TestLoop() : context_(std::make_unique<Context>()) {}
TestLoop::~TestLoop() = default;

Clock& TestLoop::clock() {
  return context_->loop;
}

asio::io_context& TestLoop::context() {
  return context_->io;
}

std::function<void(std::move_only_function<void()>)> TestLoop::poster() {
  return [this](std::move_only_function<void()> callback) {
    context_->loop.post_from_thread(std::move(callback));
  };
}

void TestLoop::run_until(const std::function<bool()>& done) {
  while (!done()) context_->io.run_one();
}

template <typename T, typename Call>
T StoreDriver::wait_for(Call call) {
  std::optional<T> answer;
  call([&answer](T value) { answer = std::move(value); });
  loop_.run_until([&answer] { return answer.has_value(); });
  return std::move(*answer);
}

CommitOutcome StoreDriver::commit(Commit commit) {
  return wait_for<CommitOutcome>([&](auto done) { store_.commit(std::move(commit), std::move(done)); });
}

Result<std::vector<JournalEntry>> StoreDriver::read_journal(const RunId& run, std::uint64_t after,
                                                            std::uint32_t limit) {
  return wait_for<Result<std::vector<JournalEntry>>>(
      [&](auto done) { store_.read_journal(run, after, limit, std::move(done)); });
}

Result<RunRecord> StoreDriver::find_run(const RunId& run) {
  return wait_for<Result<RunRecord>>([&](auto done) { store_.find_run(run, std::move(done)); });
}

std::vector<RunId> StoreDriver::list_runs(RunQuery query) {
  const auto records = wait_for<Result<std::vector<RunRecord>>>(
      [&](auto done) { store_.list_runs(std::move(query), std::move(done)); });
  std::vector<RunId> ids;
  for (const RunRecord& record : records.value()) ids.push_back(record.id);
  return ids;
}

std::vector<OpenRun> StoreDriver::read_open_runs(std::optional<RunId> after, std::uint32_t limit) {
  return wait_for<Result<std::vector<OpenRun>>>(
             [&](auto done) { store_.read_open_runs(std::move(after), limit, std::move(done)); })
      .value();
}

Result<void> StoreDriver::put_definition(const std::string& digest, const std::string& source) {
  return wait_for<Result<void>>([&](auto done) { store_.put_definition(digest, source, std::move(done)); });
}

Result<std::string> StoreDriver::get_definition(const std::string& digest) {
  return wait_for<Result<std::string>>([&](auto done) { store_.get_definition(digest, std::move(done)); });
}

Result<void> StoreDriver::put_setting(const std::string& name, const std::string& value) {
  return wait_for<Result<void>>([&](auto done) { store_.put_setting(name, value, std::move(done)); });
}

Result<std::string> StoreDriver::get_setting(const std::string& name) {
  return wait_for<Result<std::string>>([&](auto done) { store_.get_setting(name, std::move(done)); });
}

Timestamp StoreDriver::last_time() {
  return wait_for<Result<Timestamp>>([&](auto done) { store_.last_time(std::move(done)); }).value();
}

// --- records
// ------------------------------------------------------------------------------------------------------

Result<std::vector<Record>> StoreDriver::list_records(RecordQuery query) {
  return wait_for<Result<std::vector<Record>>>(
      [&](auto done) { store_.list_records(std::move(query), std::move(done)); });
}

Result<Record> StoreDriver::find_record(RecordKind kind, const std::string& id) {
  return wait_for<Result<Record>>([&](auto done) { store_.find_record({kind, id}, std::move(done)); });
}

Result<void> StoreDriver::put_record(Record record) {
  return wait_for<Result<void>>([&](auto done) { store_.put_record(std::move(record), std::move(done)); });
}

std::uint64_t StoreDriver::remove_records(RecordKind kind, std::optional<std::string> id) {
  return wait_for<Result<std::uint64_t>>(
             [&](auto done) { store_.remove_records(kind, std::move(id), std::move(done)); })
      .value();
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

std::vector<Appended> StoreDriver::append_events(std::vector<TopicEvent> events) {
  return wait_for<Result<std::vector<Appended>>>(
             [&](auto done) { store_.append_events(std::move(events), std::move(done)); })
      .value();
}

std::vector<TopicEvent> StoreDriver::read_events(EventQuery query) {
  return wait_for<Result<std::vector<TopicEvent>>>(
             [&](auto done) { store_.read_events(std::move(query), std::move(done)); })
      .value();
}

std::uint64_t StoreDriver::last_event() {
  return wait_for<Result<std::uint64_t>>([&](auto done) { store_.last_event(std::move(done)); }).value();
}

// --- the state of sessions
// ------------------------------------------------------------------------------------------------------

Result<StateSnapshot> StoreDriver::read_state(const std::string& session,
                                              std::optional<std::uint64_t> version) {
  return wait_for<Result<StateSnapshot>>(
      [&](auto done) { store_.read_state(session, version, std::move(done)); });
}

StateOutcome StoreDriver::write_state(const std::string& session, StateWrite write,
                                      StatePrecondition precondition) {
  return wait_for<StateOutcome>(
      [&](auto done) { store_.write_state(session, std::move(write), precondition, std::move(done)); });
}

std::vector<ExpiredState> StoreDriver::expire_state(Timestamp now, std::uint32_t limit) {
  return wait_for<Result<std::vector<ExpiredState>>>(
             [&](auto done) { store_.expire_state(now, limit, std::move(done)); })
      .value();
}

// --- cached outputs, blobs
// ------------------------------------------------------------------------------------------------------

Result<CachedOutput> StoreDriver::find_cached(const std::string& key) {
  return wait_for<Result<CachedOutput>>([&](auto done) { store_.find_cached(key, std::move(done)); });
}

Result<void> StoreDriver::put_blob(const std::string& digest, std::string content, Timestamp now) {
  return wait_for<Result<void>>(
      [&](auto done) { store_.put_blob(digest, std::move(content), now, std::move(done)); });
}

Result<bool> StoreDriver::has_blob(const std::string& digest) {
  return wait_for<Result<bool>>([&](auto done) { store_.has_blob(digest, std::move(done)); });
}

Result<std::string> StoreDriver::get_blob(const std::string& digest) {
  return wait_for<Result<std::string>>([&](auto done) { store_.get_blob(digest, std::move(done)); });
}

std::uint64_t StoreDriver::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit) {
  return wait_for<Result<std::uint64_t>>(
             [&](auto done) { store_.collect_garbage(now, unused_since, limit, std::move(done)); })
      .value();
}

// --- the outbox
// ------------------------------------------------------------------------------------------------------

Result<void> StoreDriver::turn_outbox_on() {
  return wait_for<Result<void>>([&](auto done) { store_.turn_outbox_on(std::move(done)); });
}

Result<void> StoreDriver::put_into_outbox(std::vector<RunId> runs) {
  return wait_for<Result<void>>([&](auto done) { store_.put_into_outbox(std::move(runs), std::move(done)); });
}

std::vector<RunId> StoreDriver::take_from_outbox(std::uint32_t limit, Duration lease) {
  return wait_for<Result<std::vector<RunId>>>(
             [&](auto done) { store_.take_from_outbox(limit, lease, std::move(done)); })
      .value();
}

Result<void> StoreDriver::settle_outbox(std::vector<JournalPosition> copied) {
  return wait_for<Result<void>>([&](auto done) { store_.settle_outbox(std::move(copied), std::move(done)); });
}

std::uint64_t StoreDriver::count_outbox() {
  return wait_for<Result<std::uint64_t>>([&](auto done) { store_.count_outbox(std::move(done)); }).value();
}

std::vector<JournalGrowth> StoreDriver::read_growth(std::vector<JournalPosition> from) {
  return wait_for<Result<std::vector<JournalGrowth>>>(
             [&](auto done) { store_.read_growth(std::move(from), std::move(done)); })
      .value();
}

// --- what to write
// ------------------------------------------------------------------------------------------------------

RunId run_number(std::uint64_t n) {
  return RunId::make(Timestamp(static_cast<std::int64_t>(1'700'000'000'000 + n)), 0, n);
}

JournalEntry event(std::uint64_t seq, std::string data) {
  return {.seq = seq,
          .at = Timestamp(static_cast<std::int64_t>(1'700'000'000'000 + seq)),
          .type = "task_completed",
          .step = "review",
          .item = 3,
          .attempt = 1,
          .data = std::move(data)};
}

RunRecord record_of(const RunId& run) {
  return {.id = run,
          .workflow = "code-review",
          .definition = "d1",
          .status = "running",
          .session_id = std::nullopt,
          .labels = {},
          .created_at = Timestamp(1'700'000'000'000),
          .ended_at = std::nullopt};
}

Commit start_of(const RunId& run, std::uint64_t events) {
  Commit commit{
      .run = run, .expected_version = 0, .events = {}, .create = record_of(run), .status = {}, .claim = {}};
  for (std::uint64_t seq = 1; seq <= events; ++seq) commit.events.push_back(event(seq));
  return commit;
}

Commit append_to(const RunId& run, std::uint64_t version, std::string data) {
  return {.run = run,
          .expected_version = version,
          .events = {event(version + 1, std::move(data))},
          .create = {},
          .status = {},
          .claim = {}};
}

Commit end_of(const RunId& run, std::uint64_t version, std::string status) {
  Commit commit = append_to(run, version);
  commit.status = StatusChange{std::move(status), Timestamp(1'700'000'100'000)};
  return commit;
}

Commit laden(Commit commit, std::uint64_t number) {
  const std::string name = std::to_string(number);
  commit.records = {{.kind = RecordKind::dead_letter,
                     .id = name,
                     .run = commit.run,
                     .at = Timestamp(static_cast<std::int64_t>(number)),
                     .data = "{}"}};
  commit.removed_records = {{RecordKind::approval, name}};
  commit.published = {topic_event("orders.new", name)};
  commit.state = StateCommit{"s", {state_write("last", name), state_write("n" + name, "1")}};
  commit.cached = {{.key = sha256_hex(name),
                    .output = Payload(name),
                    .at = Timestamp(1),
                    .expires_at = Timestamp(2'000'000'000'000)}};
  commit.blobs = {sha256_hex("blob " + name)};
  return commit;
}

std::string unlike_text(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

Commit fork_of(const RunId& source, std::uint64_t seq, const RunId& run) {
  Commit commit = append_to(run, seq, "\"own\"");
  commit.create = record_of(run);
  commit.fork = ForkPoint{source, seq};
  return commit;
}

TopicEvent topic_event(std::string topic, std::string id, std::string data) {
  const std::string source = "source of " + topic;
  return {.seq = 0,
          .id = std::move(id),
          .source = source,
          .topic = std::move(topic),
          .version = 0,
          .time = Timestamp(1'700'000'000'000),
          .data = Payload(std::move(data))};
}

StateWrite state_write(std::string key, std::optional<std::string> value) {
  StateWrite write{.key = std::move(key), .value = {}, .expires_at = {}};
  if (value) write.value = Payload(std::move(*value));
  return write;
}

bool is_committed(const CommitOutcome& outcome) {
  return std::holds_alternative<Committed>(outcome);
}

}  // namespace ganglion::testing
