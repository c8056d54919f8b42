#include "sim/scenario/recorded.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/json_text.h"
#include "sim/scenario/recorded_line.h"

namespace ganglion::scenario {
namespace {

// Ends of attempts that the engine reports. Nobody answered:
constexpr std::array<std::string_view, 4> kUnanswered = {"timeout", "idle_timeout", "worker_lost", "crashed"};
// The agent wasn't asked, or its answer isn't there any more:
constexpr std::array<std::string_view, 8> kOfEngine = {
    "invalid_output", "output_too_large", "agent_unavailable", "circuit_open",
    "cache_miss",     "rejected",         "budget_exceeded",   "not_permitted"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string key_of_input(const Payload& input) {
  return "input " + normal_json(input.bytes());
}

std::string key_of_step(const Place& place) {
  return "step " + place.workflow + "/" + place.step;
}

std::string key_of_place(const Place& place) {
  const std::string item = place.item ? std::to_string(*place.item) : "-";
  return "place " + place.workflow + "/" + place.step + "/" + item + "/" + std::to_string(place.iteration);
}

using LineReader = std::function<Result<void>(const RecordedObject&)>;

// The first line that can't be read ends it.
std::optional<RecordingError> each_line(std::string_view lines, const LineReader& read) {
  std::size_t number = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    if (++number > kMaxRecordedLines) {
      return RecordingError{number,
                            "a recording has at most " + std::to_string(kMaxRecordedLines) + " lines"};
    }
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto object = RecordedObject::parse(line);
    if (!object) return RecordingError{number, "expected one JSON object on each line"};
    const auto done = read(*object);
    if (!done) return RecordingError{number, done.error().message};
  }
  return std::nullopt;
}

// Follows journals, one after the other, from question to answer.
class AnswerReader {
 public:
  Result<void> read(const RecordedObject& line) {
    const auto type = line.text("type");
    const auto at = line.time("at");
    if (!type || !at) return fail("no_entry", "no entry of a journal: it has no \"type\" and \"at\"");
    const RecordedObject data = line.object("data");
    if (*type == "run_created") return begin(data);
    if (!started_) return fail("no_beginning", "a journal begins with run_created, not " + *type);
    if (*type == "task_scheduled") schedule(line, data, *at);
    if (*type == "task_succeeded") succeed(line, data, *at);
    if (*type == "task_failed") end_in_failure(line, data, *at);
    if (*type == "task_routed") route(line, data, *at);
    return {};
  }

  std::map<std::string, Recording> take() { return std::move(recordings_); }

 private:
  struct Asked {
    std::string agent;
    bool works = false;  // for an agent: not a sub-run or the cache
    std::uint32_t iteration = 1;
    Payload input;
    Timestamp at;
  };
  using Task = std::pair<std::string, std::optional<std::uint32_t>>;

  Result<void> begin(const RecordedObject& data) {
    auto workflow = data.text("workflow");
    if (!workflow) return fail("no_entry", "this run_created names no workflow");
    workflow_ = *std::move(workflow);
    asked_.clear();
    started_ = true;
    return {};
  }

  static std::uint32_t small(std::optional<std::int64_t> number, std::uint32_t otherwise) {
    return number && *number >= 0 && *number <= INT32_MAX ? static_cast<std::uint32_t>(*number) : otherwise;
  }

  static Task task_of(const RecordedObject& line) {
    const auto item = line.integer("item");
    return {line.text("step").value_or(""), item ? std::optional(small(item, 0)) : std::nullopt};
  }

  void schedule(const RecordedObject& line, const RecordedObject& data, Timestamp at) {
    Asked& asked = asked_[task_of(line)];
    const auto role = data.text("role").value_or("work");
    asked.works = role == "work" || role == "classify";
    asked.agent = data.text("agent").value_or("");
    asked.iteration = small(data.integer("iteration"), 1);
    if (data.has("input")) asked.input = data.payload("input");
    asked.at = at;
  }

  const Asked* question(const RecordedObject& line) const {
    const auto asked = asked_.find(task_of(line));
    const bool answers = asked != asked_.end() && asked->second.works && !asked->second.agent.empty();
    return answers ? &asked->second : nullptr;
  }

  void record(const RecordedObject& line, const Asked& asked, Duration took, Outcome outcome) {
    const Task task = task_of(line);
    const Place place{workflow_, task.first, task.second, asked.iteration};
    recordings_[asked.agent].add(place, asked.input, {std::max(took, Duration(0)), std::move(outcome)});
  }

  // As the worker measured it, else from hand-out to the end.
  static Duration time_of(const RecordedObject& data, const Asked& asked, Timestamp at) {
    if (const auto work = data.integer("work_ms")) return Duration(*work);
    return at - data.time("started_at").value_or(asked.at);
  }

  void succeed(const RecordedObject& line, const RecordedObject& data, Timestamp at) {
    const Asked* asked = question(line);
    if (asked == nullptr) return;
    TaskSuccess success{.output = data.payload("output")};
    if (data.has("usage")) success.usage = data.payload("usage");
    record(line, *asked, time_of(data, *asked, at), std::move(success));
  }

  void end_in_failure(const RecordedObject& line, const RecordedObject& data, Timestamp at) {
    const Asked* asked = question(line);
    if (asked == nullptr) return;
    const RecordedObject error = data.object("error");
    const std::string code = error.text("code").value_or("");
    const Duration took = time_of(data, *asked, at);
    if (is_one_of(kUnanswered, code)) return record(line, *asked, took, Hung{});
    if (is_one_of(kOfEngine, code)) return;
    TaskFailure failure{.code = code, .message = error.text("message").value_or("")};
    // After the last attempt nothing says whether another would have been allowed; what was retried before
    // would have been.
    failure.retryable = data.has("retry_at") || small(line.integer("attempt"), 1) > 1;
    if (data.has("usage")) failure.usage = data.payload("usage");
    record(line, *asked, took, std::move(failure));
  }

  // What a router's classifier said.
  void route(const RecordedObject& line, const RecordedObject& data, Timestamp at) {
    const Asked* asked = line.has("attempt") ? question(line) : nullptr;
    if (asked == nullptr || data.text("by") != "classifier") return;
    TaskSuccess success{.output = Payload(JsonObject().add("agent", data.text("to").value_or("")).finish())};
    if (data.has("usage")) success.usage = data.payload("usage");
    record(line, *asked, at - asked->at, std::move(success));
  }

  bool started_ = false;
  std::string workflow_;
  std::map<Task, Asked> asked_;
  std::map<std::string, Recording> recordings_;
};

struct DatedRun {
  Timestamp at;
  RecordedRun run;
};

// A run_created of a journal, or a run.
Result<std::optional<DatedRun>> read_run(const RecordedObject& line) {
  const auto type = line.text("type");
  if (type && *type != "run_created") return std::nullopt;
  const RecordedObject run = type ? line.object("data") : line;
  const auto at = type ? line.time("at") : line.time("created_at");
  auto workflow = run.text("workflow");
  if (!workflow || !at) {
    return fail("no_run", "neither an entry of a journal nor a run with \"workflow\" and \"created_at\"");
  }
  if (run.has("parent") || run.has("cause")) return std::nullopt;
  RecordedRun recorded{.offset = {},
                       .workflow = *std::move(workflow),
                       .input = run.payload("input"),
                       .session_id = run.text("session_id"),
                       .labels = run.object("labels").texts()};
  return DatedRun{*at, std::move(recorded)};
}

}  // namespace

void Recording::add(const Place& place, const Payload& input, RecordedAnswer answer) {
  const std::size_t index = answers_.size();
  answers_.push_back(std::move(answer));
  for (std::string key : {key_of_input(input), key_of_place(place), key_of_step(place)}) {
    by_key_[std::move(key)].push_back(index);
  }
}

std::optional<Recording::Match> Recording::find(const Place& place, const Payload& input) const {
  for (std::string key : {key_of_input(input), key_of_place(place), key_of_step(place)}) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) return Match{std::move(key), &found->second};
  }
  return std::nullopt;
}

const RecordedAnswer& Recording::answer(const Match& match, std::uint64_t used) const {
  return answers_[(*match.answers)[used % match.answers->size()]];
}

std::expected<std::map<std::string, Recording>, RecordingError> read_recorded_answers(
    std::string_view lines) {
  AnswerReader reader;
  auto error = each_line(lines, [&](const RecordedObject& line) { return reader.read(line); });
  if (error) return std::unexpected(*std::move(error));
  return reader.take();
}

std::expected<std::vector<RecordedRun>, RecordingError> read_recorded_runs(std::string_view lines) {
  std::multimap<Timestamp, RecordedRun> dated;
  auto error = each_line(lines, [&](const RecordedObject& line) -> Result<void> {
    auto run = read_run(line);
    if (!run) return std::unexpected(run.error());
    if (*run) dated.emplace((*run)->at, std::move((*run)->run));
    return {};
  });
  if (error) return std::unexpected(*std::move(error));
  std::vector<RecordedRun> runs;
  for (auto& [at, run] : dated) {
    run.offset = at - dated.begin()->first;
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace ganglion::scenario
