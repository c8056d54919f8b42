#include "adapters/sqlite/testing/store_dump.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "base/json_text.h"

namespace ganglion::sqlite::testing {
namespace {

std::string show(const std::string& text) {
  return text;
}
std::string show(std::uint64_t number) {
  return std::to_string(number);
}
std::string show(bool value) {
  return value ? "true" : "false";
}
std::string show(Timestamp time) {
  return std::to_string(time.milliseconds_since_epoch());
}
std::string show(const RunId& run) {
  return run.text();
}
template <typename T>
std::string show(const std::optional<T>& value) {
  if (!value) return "-";
  if constexpr (std::is_arithmetic_v<T>)
    return std::to_string(*value);
  else
    return show(*value);
}

std::string show(const JournalEntry& entry) {
  return show(entry.seq) + " " + show(entry.at) + " " + entry.type + " " + show(entry.step) + " " +
         show(entry.item) + " " + show(entry.attempt) + " " + entry.data;
}
std::string show(const RunRecord& run) {
  std::string labels;
  for (const auto& [name, value] : run.labels) labels += name + "=" + value + ",";
  return show(run.id) + " " + run.workflow + " " + run.definition + " " + run.status + " " +
         show(run.session_id) + " " + labels + " " + show(run.parent) + " " + show(run.created_at) + " " +
         show(run.ended_at) + " " + run.usage;
}
std::string show(const Record& record) {
  return record.id + " " + show(record.run) + " " + show(record.at) + " " + record.data;
}
std::string show(const TopicEvent& event) {
  return show(event.seq) + " " + event.topic + " " + event.source + " " + event.id + " " +
         std::to_string(event.version) + " " + show(event.time) + " " + show(event.subject) + " " +
         show(event.run) + " " + show(event.step) + " " + show(event.cause) + " " +
         std::to_string(event.hops) + " " + std::string(event.data.bytes());
}
std::string show(const StateSnapshot& state) {
  std::string text = "version " + show(state.version);
  for (const auto& [key, entry] : state.entries) {
    text += "\n  " + key + " " + show(entry.version) + " " + show(entry.expires_at) + " " +
            std::string(entry.value.bytes());
  }
  return text;
}
std::string show(const CachedOutput& output) {
  return show(output.at) + " " + show(output.expires_at) + " " + std::string(output.output.bytes());
}
std::string show(const OpenRun& open);
std::string show(const JournalGrowth& growth);
template <typename T>
std::string show(const std::vector<T>& values) {
  std::string text = std::to_string(values.size());
  for (const T& value : values) text += "\n  " + show(value);
  return text;
}
std::string show(const JournalGrowth& growth) {
  return show(growth.record) + show(growth.entries);
}
std::string show(const OpenRun& open) {
  return show(open.record) + show(open.journal);
}

// Reads that are under way; the lines stand in the order of the questions.
class Reading {
 public:
  Reading(ganglion::testing::TestLoop& loop, const std::function<bool()>& stopped)
      : loop_(loop), stopped_(stopped) {}

  template <typename T>
  auto line(std::string what) {
    lines_.push_back({.what = std::move(what), .answer = "no answer", .failed = true});
    ++open_;
    return [this, line = &lines_.back()](Result<T> answer) {
      const bool said_no = !answer && (answer.error().code == "not_found" || answer.error().code == "gone");
      line->failed = !answer && !said_no;
      line->answer = answer ? show(*answer) : "error " + answer.error().code;
      if (line->failed) line->answer += ": " + answer.error().message;
      --open_;
    };
  }
  // The answer is also for the caller.
  template <typename T>
  std::optional<T> ask(std::string what, auto call) {
    std::optional<T> kept;
    call([note = line<T>(std::move(what)), &kept](Result<T> answer) mutable {
      if (answer) kept = *answer;
      note(std::move(answer));
    });
    wait();
    return kept;
  }
  void wait() {
    loop_.run_until([this] { return open_ == 0 || stopped_(); });
  }
  // Of a commit: whose the key is, or that it is nobody's.
  auto claim(const std::string& key) {
    lines_.push_back({.what = "key " + key, .answer = "no answer", .failed = true});
    ++open_;
    return [this, line = &lines_.back()](CommitOutcome outcome) {
      const auto* taken = std::get_if<KeyTaken>(&outcome);
      line->failed = taken == nullptr && !std::holds_alternative<VersionConflict>(outcome);
      line->answer = taken != nullptr ? taken->run.text() + " " + taken->body_digest : "nobody's";
      --open_;
    };
  }
  StoreDump take() { return {lines_.begin(), lines_.end()}; }

 private:
  ganglion::testing::TestLoop& loop_;
  const std::function<bool()>& stopped_;
  std::deque<DumpLine> lines_;
  int open_ = 0;
};

constexpr std::uint32_t kAll = 100'000;

RunQuery every_run() {
  RunQuery query;
  query.limit = kAll;
  return query;
}

void read_runs(Reading& reading, ganglion::Store& store, const std::vector<RunRecord>& runs) {
  using Runs = std::vector<RunRecord>;
  for (const RunRecord& run : runs) {
    store.read_journal(run.id, 0, kAll, reading.line<std::vector<JournalEntry>>("journal " + run.id.text()));
    store.find_run(run.id, reading.line<RunRecord>("run " + run.id.text()));
    RunQuery children = every_run();
    children.parent = run.id;
    store.list_runs(children, reading.line<Runs>("children of " + run.id.text()));
    store.list_records({.kind = RecordKind::dead_letter, .run = run.id, .before = {}, .limit = kAll},
                       reading.line<std::vector<Record>>("dead letters of " + run.id.text()));
  }
  for (const char* status : {"running", "completed", "failed"}) {
    RunQuery query = every_run();
    query.status = status;
    store.list_runs(query, reading.line<Runs>(std::string("runs ") + status));
  }
  RunQuery by_workflow = every_run();
  by_workflow.workflow = "code-review";
  store.list_runs(by_workflow, reading.line<Runs>("runs of the workflow"));
  RunQuery by_session = every_run();
  by_session.session_id = "s";
  store.list_runs(by_session, reading.line<Runs>("runs of the session"));
  RunQuery by_label = every_run();
  by_label.labels = {{"team", "blue"}};
  store.list_runs(by_label, reading.line<Runs>("runs with the label"));
  std::vector<JournalPosition> behind_the_first;
  for (const RunRecord& run : runs) behind_the_first.push_back({run.id, 1});
  store.read_growth(behind_the_first, reading.line<std::vector<JournalGrowth>>("growth"));
  store.count_outbox(reading.line<std::uint64_t>("runs in the outbox"));
  store.read_open_runs({}, kAll, reading.line<std::vector<OpenRun>>("open runs"));
}

void read_rest(Reading& reading, ganglion::Store& store, const KnownKeys& keys) {
  for (const RecordKind kind : {RecordKind::approval, RecordKind::dead_letter}) {
    store.list_records(
        {.kind = kind, .run = {}, .before = {}, .limit = kAll},
        reading.line<std::vector<Record>>("records " + std::to_string(static_cast<int>(kind))));
  }
  using Events = std::vector<TopicEvent>;
  store.read_events({.pattern = "**", .before = {}, .after = 0, .limit = kAll},
                    reading.line<Events>("events"));
  store.read_events({.pattern = "orders.new", .before = {}, .after = {}, .limit = kAll},
                    reading.line<Events>("events on a topic"));
  store.last_event(reading.line<std::uint64_t>("last event"));
  for (const std::string& key : keys.cached)
    store.find_cached(key, reading.line<CachedOutput>("cached " + key));
  for (const std::string& digest : keys.blobs) {
    store.get_blob(digest, reading.line<std::string>("blob " + digest));
    store.has_blob(digest, reading.line<bool>("has blob " + digest));
  }
  for (const std::string& digest : keys.definitions)
    store.get_definition(digest, reading.line<std::string>("definition " + digest));
  for (const std::string& name : keys.settings)
    store.get_setting(name, reading.line<std::string>("setting " + name));
  store.last_time(reading.line<Timestamp>("last time"));
}

void read_states(Reading& reading, ganglion::Store& store, const KnownKeys& keys) {
  for (const std::string& session : keys.sessions) {
    const auto latest = reading.ask<StateSnapshot>(
        "state of " + session, [&](auto done) { store.read_state(session, {}, std::move(done)); });
    const std::uint64_t versions = latest ? latest->version : 0;
    for (std::uint64_t version = 0; version < versions; ++version) {
      store.read_state(session, version,
                       reading.line<StateSnapshot>("state of " + session + " at " + show(version)));
    }
  }
}

// Who has a key is the answer to a commit that wants it, and that is refused in any case, since its run
// exists.
void ask_for_claims(Reading& reading, ganglion::Store& store, const RunId& existing, const KnownKeys& keys) {
  for (const std::string& key : keys.idempotency_keys) {
    Commit wanted = ganglion::testing::start_of(existing);
    wanted.claim = IdempotencyClaim{key, "of the question"};
    store.commit(std::move(wanted), reading.claim(key));
  }
}

}  // namespace

StoreDump dump(ganglion::testing::TestLoop& loop, ganglion::Store& store, const KnownKeys& keys,
               const std::function<bool()>& stopped) {
  Reading reading(loop, stopped);
  const auto runs = reading.ask<std::vector<RunRecord>>(
      "runs", [&](auto done) { store.list_runs(every_run(), std::move(done)); });
  if (runs) read_runs(reading, store, *runs);
  read_rest(reading, store, keys);
  reading.wait();
  read_states(reading, store, keys);
  reading.wait();
  if (runs && !runs->empty()) ask_for_claims(reading, store, runs->front().id, keys);
  reading.wait();
  return reading.take();
}

std::string difference(const StoreDump& expected, const StoreDump& found) {
  for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    const DumpLine* want = i < expected.size() ? &expected[i] : nullptr;
    const DumpLine* have = i < found.size() ? &found[i] : nullptr;
    if (want != nullptr && have != nullptr && *want == *have) continue;
    const auto text = [](const DumpLine* line) {
      return line == nullptr ? std::string("nothing") : line->what + ": " + line->answer.substr(0, 600);
    };
    return "expected " + text(want) + "\nfound " + text(have);
  }
  return {};
}

}  // namespace ganglion::sqlite::testing
