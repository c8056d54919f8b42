#pragma once

// What real runs did, as answers and arrivals of a simulation. A recording is text of JSON lines: the items
// of GET /v1/runs/{id}/journal, of one run after the other (a `run_created` begins the next); for arrivals
// also whole runs as GET /v1/runs/{id} gives them.
//
// Answers are found by what was asked: first those that were given to an equal input, in the order in which
// they were recorded; else those of the same place (workflow, step, item, iteration), then of the same step
// whatever its item. An attempt that nothing was recorded for is a mistake of the recording, and says so.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "sim/scenario/outcome.h"

namespace ganglion::scenario {

inline constexpr std::size_t kMaxRecordedLines = 1'000'000;  // of one recording

// Where in a project something was asked.
struct Place {
  std::string workflow;
  std::string step;
  std::optional<std::uint32_t> item;  // of a mapped step
  std::uint32_t iteration = 1;

  auto operator<=>(const Place&) const = default;
};

struct RecordedAnswer {
  Duration took{0};
  Outcome outcome;
};

// Of one agent.
class Recording {
 public:
  void add(const Place& place, const Payload& input, RecordedAnswer answer);

  // What fits the call; the caller counts by `key` how many of these it has used.
  struct Match {
    std::string key;
    const std::vector<std::size_t>* answers;  // of the recording, never empty
  };
  std::optional<Match> find(const Place& place, const Payload& input) const;
  // After the last answer it begins again.
  const RecordedAnswer& answer(const Match& match, std::uint64_t used) const;

  bool empty() const { return answers_.empty(); }
  std::size_t size() const { return answers_.size(); }

 private:
  std::vector<RecordedAnswer> answers_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_key_;
};

struct RecordedRun {
  Duration offset{0};  // from the first run of the recording
  std::string workflow;
  Payload input;
  std::optional<std::string> session_id;
  std::map<std::string, std::string> labels;
};

// What is wrong with a recording.
struct RecordingError {
  std::size_t line = 0;  // from 1
  std::string message;
};

// By agent. An attempt that ran out of time or lost its worker was never answered, and never is again; what
// the engine itself refused (an open breaker, a budget, a wrong output) was no answer of the agent, and is
// left out.
std::expected<std::map<std::string, Recording>, RecordingError> read_recorded_answers(std::string_view lines);

// In the order of their times; sub-runs and reactions to events are left out: their causes start them again.
std::expected<std::vector<RecordedRun>, RecordingError> read_recorded_runs(std::string_view lines);

}  // namespace ganglion::scenario
