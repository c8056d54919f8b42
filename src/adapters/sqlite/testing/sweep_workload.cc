#include "adapters/sqlite/testing/sweep_workload.h"

#include <utility>

#include "adapters/memory/store.h"
#include "base/assert.h"
#include "base/sha256.h"

namespace ganglion::sqlite::testing {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::end_of;
using ganglion::testing::fork_of;
using ganglion::testing::laden;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::state_write;
using ganglion::testing::topic_event;
using ganglion::testing::unlike_text;

StepAnswer answer_of(const CommitOutcome& outcome) {
  if (std::holds_alternative<Committed>(outcome)) return StepAnswer::done;
  return std::holds_alternative<StoreUnavailable>(outcome) ? StepAnswer::refused : StepAnswer::wrong;
}
template <typename T>
StepAnswer answer_of(const Result<T>& result) {
  if (result) return StepAnswer::done;
  return result.error().code == "unavailable" ? StepAnswer::refused : StepAnswer::wrong;
}
StepAnswer answer_of(const StateOutcome& outcome) {
  if (outcome) return StepAnswer::done;
  const auto* error = std::get_if<Error>(&outcome.error());
  return error != nullptr && error->code == "unavailable" ? StepAnswer::refused : StepAnswer::wrong;
}

// A step from a call of the port that takes a completion.
template <typename Call>
Step step(std::string name, Call call) {
  return {std::move(name), [call](ganglion::Store& store, std::function<void(StepAnswer)> done) {
            call(store, [done = std::move(done)](auto answer) { done(answer_of(answer)); });
          }};
}
Step commit(std::string name, Commit commit) {
  return step(std::move(name), [commit = std::move(commit)](auto& store, auto done) {
    store.commit(commit, std::move(done));
  });
}
Step put_blob(const std::string& content, std::int64_t at) {
  return step("blob", [content, at](auto& store, auto done) {
    store.put_blob(sha256_hex(content), content, Timestamp(at), std::move(done));
  });
}
Step put_setting(std::string name, std::string value) {
  return step("setting", [name = std::move(name), value = std::move(value)](auto& store, auto done) {
    store.put_setting(name, value, std::move(done));
  });
}
Step put_record(Record record) {
  return step("record", [record = std::move(record)](auto& store, auto done) {
    store.put_record(record, std::move(done));
  });
}
Step write_state(std::string key, std::optional<std::string> value, std::int64_t expires_at = 0) {
  StateWrite change = state_write(std::move(key), std::move(value));
  if (expires_at != 0) change.expires_at = Timestamp(expires_at);
  return step("state", [change = std::move(change)](auto& store, auto done) {
    store.write_state("t", change, AnyVersion(), std::move(done));
  });
}
Step expire_state(std::int64_t now) {
  return step("expiry",
              [now](auto& store, auto done) { store.expire_state(Timestamp(now), 100, std::move(done)); });
}
Step collect_garbage(std::int64_t now) {
  return step("garbage", [now](auto& store, auto done) {
    store.collect_garbage(Timestamp(now), Timestamp(now), 100, std::move(done));
  });
}
Step append_events(std::vector<TopicEvent> events) {
  return step("events", [events = std::move(events)](auto& store, auto done) {
    store.append_events(events, std::move(done));
  });
}

Step turn_outbox_on() {
  return step("outbox", [](auto& store, auto done) { store.turn_outbox_on(std::move(done)); });
}
Step put_into_outbox(std::uint64_t run) {
  return step("into the outbox",
              [run](auto& store, auto done) { store.put_into_outbox({run_number(run)}, std::move(done)); });
}
Step take_from_outbox() {
  return step("out of the outbox",
              [](auto& store, auto done) { store.take_from_outbox(10, kMaxOutboxLease, std::move(done)); });
}
Step settle_outbox(std::uint64_t run, std::uint64_t seq) {
  return step("settled", [run, seq](auto& store, auto done) {
    store.settle_outbox({{run_number(run), seq}}, std::move(done));
  });
}

const std::string kUsedBlob = "blob 1";
std::string large_blob() {
  return unlike_text(5'000, 77);
}

Commit first_run() {
  Commit start = start_of(run_number(1), 2);
  start.create->labels = {{"team", "blue"}, {"stage", "one"}};
  start.create->session_id = "s";
  start.claim = IdempotencyClaim{"key 1", "body 1"};
  start.events[0].data = "{\"text\":\"" + unlike_text(300, 1) + "\"}";
  return start;
}
Commit sub_run() {
  Commit start = start_of(run_number(3));
  start.create->parent = run_number(1);
  start.create->workflow = "other";
  return laden(std::move(start), 3);
}
Commit with_claim(std::uint64_t run, const std::string& key) {
  Commit start = start_of(run_number(run));
  start.claim = IdempotencyClaim{key, "body of " + key};
  return start;
}
// A conversation: most of it is what the event before it held.
std::string conversation(std::size_t bytes) {
  return "\"" + unlike_text(bytes, 5) + "\"";
}
Record approval(std::string id, std::string data) {
  return {.kind = RecordKind::approval,
          .id = std::move(id),
          .run = run_number(2),
          .at = Timestamp(5),
          .data = std::move(data)};
}
Commit removing(Commit commit, std::string id) {
  commit.removed_records = {{RecordKind::approval, std::move(id)}};
  return commit;
}
// An event that is older than those before it, so that the latest time must be written down.
Commit out_of_order(Commit commit) {
  commit.events.back().at = Timestamp(1'600'000'000'000);
  return commit;
}

Session first_session() {
  Session groups;
  groups.push_back({step("definition", [](auto& store, auto done) {
    store.put_definition("d1", "source " + unlike_text(600, 3), std::move(done));
  })});
  groups.push_back({put_setting("project", "d1"),
                    {commit("first run", first_run()), commit("second run", with_claim(2, "key 2"))}});
  groups.push_back({commit("laden", laden(append_to(run_number(1), 2, conversation(4'200)), 1))});
  groups.push_back({put_record(approval("a", R"({"of":1})")),
                    {commit("sub-run", sub_run()), commit("append", append_to(run_number(2), 1)),
                     commit("third key", with_claim(4, "key 3"))}});
  groups.push_back({put_blob(kUsedBlob, 10)});
  groups.push_back({put_blob(large_blob(), 10)});
  groups.push_back({commit("more", append_to(run_number(1), 3, conversation(5'000)))});
  groups.push_back({write_state("kept", "{\"a\":1}")});
  groups.push_back({write_state("short", "1", 100),
                    {write_state("kept", "{\"a\":2}"), write_state("gone", "2"),
                     commit("out of order", out_of_order(append_to(run_number(2), 2)))}});
  groups.push_back({commit("fork", fork_of(run_number(1), 3, run_number(5)))});
  return groups;
}

Session second_session() {
  Session groups;
  groups.push_back({turn_outbox_on(), {put_into_outbox(1)}});
  groups.push_back(
      {append_events({topic_event("orders.new", "1"), topic_event("orders.new", "e2", "{\"x\":2}"),
                      topic_event("mail.in", "e3")})});
  groups.push_back({expire_state(200)});
  groups.push_back({put_setting("project", "d2"),
                    {commit("laden", laden(append_to(run_number(5), 4), 5)),
                     commit("removed", removing(append_to(run_number(2), 3), "a")),
                     commit("end", end_of(run_number(3), 1))}});
  groups.push_back({collect_garbage(1'000), {take_from_outbox(), settle_outbox(5, 5), settle_outbox(3, 1)}});
  groups.push_back(
      {put_record(approval("b", "{\"blob\":{\"$ref\":\"sha256:" + sha256_hex(kUsedBlob) + "\"}}"))});
  groups.push_back({step("removed records", [](auto& store, auto done) {
    store.remove_records(RecordKind::dead_letter, std::string("3"), std::move(done));
  })});
  groups.push_back({write_state("gone", std::nullopt)});
  groups.push_back({commit("fork of a fork", fork_of(run_number(5), 5, run_number(6)))});
  groups.push_back({commit("failed", end_of(run_number(4), 1, "failed"))});
  return groups;
}

}  // namespace

const std::vector<Session>& sweep_workload() {
  static const std::vector<Session> sessions = {first_session(), second_session()};
  return sessions;
}

std::size_t step_count(const Session& session) {
  std::size_t count = 0;
  for (const StepGroup& group : session) count += 1 + group.together.size();
  return count;
}

const KnownKeys& sweep_keys() {
  static const KnownKeys keys{.sessions = {"s", "t"},
                              .cached = {sha256_hex("1"), sha256_hex("3"), sha256_hex("5")},
                              .blobs = {sha256_hex(kUsedBlob), sha256_hex(large_blob())},
                              .definitions = {"d1", "d2"},
                              .settings = {"project"},
                              .idempotency_keys = {"key 1", "key 2", "key 3"}};
  return keys;
}

std::vector<StoreDump> expected_dumps() {
  ganglion::testing::TestLoop loop;
  memory::Store store(loop.clock());
  std::vector<StoreDump> dumps = {dump(loop, store, sweep_keys())};
  const auto perform = [&](const Step& step) {
    std::optional<StepAnswer> answer;
    step.submit(store, [&](StepAnswer given) { answer = given; });
    loop.run_until([&] { return answer.has_value(); });
    GANGLION_ASSERT(*answer == StepAnswer::done);
    dumps.push_back(dump(loop, store, sweep_keys()));
  };
  for (const Session& session : sweep_workload()) {
    for (const StepGroup& group : session) {
      perform(group.first);
      for (const Step& step : group.together) perform(step);
    }
  }
  return dumps;
}

}  // namespace ganglion::sqlite::testing
