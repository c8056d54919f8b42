#pragma once

// Journal entries as the HTTP API sends them, and in words for people.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "core/journal.h"

namespace ganglion::cli {

// `{seq, at, type, step?, item?, attempt?, data}`. Error code `invalid_entry`.
Result<JournalEntry> read_entry(std::string_view json);

// `code: message` of the entry's `data.error`; empty where it has none.
std::string error_of(const JournalEntry& entry);
// The member of the entry's data, if it is a string.
std::optional<std::string> text_of(const JournalEntry& entry, std::string_view member);
// Whether the entry's data says so.
bool is_set(const JournalEntry& entry, std::string_view member);
// 1 unless the entry says otherwise; of a step with `until`.
std::uint32_t iteration_of(const JournalEntry& entry);

// What a `task_waiting` waits for.
struct WaitText {
  enum class Kind { time, person, event } kind;
  bool names_people = false;
  std::string what;  // `until …`, `for alice or bob`, `for event deploy.*`; printable
};
std::optional<WaitText> wait_of(const JournalEntry& entry);

// How many items a `step_started` lists.
std::size_t item_count(const JournalEntry& entry);

// `fetch` or `fetch[3]`, printable; empty for an entry about the run itself.
std::string place_of(const JournalEntry& entry);
// What happened, without saying where: `attempt 2 handed out to agent scan`. Printable, one line.
std::string describe(const JournalEntry& entry);

// Tells a run as plain lines: `+1.204s  fetch[3]  completed  (228ms)`.
class Narrator {
 public:
  // One line without its end.
  std::string line(const JournalEntry& entry);

 private:
  using Place = std::pair<std::string, std::optional<std::uint32_t>>;

  // How long what this entry ends has taken, if it ends something that has begun here.
  std::optional<Duration> taken(const JournalEntry& entry);

  std::optional<Timestamp> began_;
  std::map<Place, Timestamp> attempts_;
  std::map<std::string, Timestamp> steps_;
};

}  // namespace ganglion::cli
