#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace ganglion {

// One row of a journal, in the form in which it is stored, listed and replayed.
struct JournalEntry {
  std::uint64_t seq = 0;  // from 1, without a gap
  Timestamp at;
  std::string type;                   // "task_scheduled", see core/event.h
  std::optional<std::string> step;    // the step's name
  std::optional<std::uint32_t> item;  // of a mapped step
  std::optional<std::uint32_t> attempt;
  std::string data;  // a JSON object

  bool operator==(const JournalEntry&) const = default;
};

}  // namespace ganglion
