#pragma once

// What processes say in the ledger (ledger.h), as text: a line that names who speaks, and a line for each
// word.
//   ganglion 1 4f1c09d2a8e37b60 17
//   want agent:coder 12 5
//   done agent:coder 12 40-44 47
// A word with a queue names the record that made it, so that it never means one of the same name.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ports/bus.h"

namespace ganglion::kafka {

using Offset = std::int64_t;
using SessionId = std::string;

// From `first` to `last`, both included.
struct Range {
  Offset first = 0;
  Offset last = 0;

  bool operator==(const Range&) const = default;
};

inline constexpr std::uint32_t kMaxWant = 1 << 20;  // places at once
inline constexpr Offset kMaxOffset = Offset{1} << 60;

namespace word {

// A session begins; only what it says from here on counts.
struct Hello {
  bool operator==(const Hello&) const = default;
};
// It ends, in good order.
struct Leave {
  bool operator==(const Leave&) const = default;
};
// What another one has is mine: it has ended, or says nothing any more.
struct Inherit {
  SessionId from;
  bool operator==(const Inherit&) const = default;
};
// Makes a queue whose messages begin at `begin`, or gives it other options.
struct Declare {
  std::string queue;
  Offset begin = 0;
  QueueOptions options = {};
  bool operator==(const Declare&) const = default;
};
// Nobody uses it any more; said once more, when its topics are gone, it is.
struct Remove {
  std::string queue;
  Offset made = 0;
  bool operator==(const Remove&) const = default;
};
// So many of the next messages.
struct Want {
  std::string queue;
  Offset made = 0;
  std::uint32_t count = 0;
  bool operator==(const Want&) const = default;
};
struct Done {
  std::string queue;
  Offset made = 0;
  std::vector<Range> ranges = {};
  bool operator==(const Done&) const = default;
};

}  // namespace word

using Word = std::variant<word::Hello, word::Leave, word::Inherit, word::Declare, word::Remove, word::Want,
                          word::Done>;

struct Entry {
  SessionId session;
  std::uint64_t number = 0;  // of the session's entries
  std::vector<Word> words = {};

  bool operator==(const Entry&) const = default;
};

std::string text_of(const Entry& entry);
// Nothing where it isn't one, such as what somebody else has put there.
std::optional<Entry> read_entry(std::string_view text);

// Pieces of such lines.
std::optional<Offset> read_offset(std::string_view text);
std::string text_of(const QueueOptions& options);
std::optional<QueueOptions> read_options(std::string_view& line);
std::optional<Range> read_range(std::string_view text);
std::string text_of(const Range& range);

}  // namespace ganglion::kafka
