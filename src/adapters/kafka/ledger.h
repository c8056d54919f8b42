#pragma once

// Who has which message: what all processes of an installation agree on, since all of them read the same
// entries in the same order from one partition of Kafka, and no clock and no chance comes into it.
//
// A queue is a row of places, one for each offset of its partition. Who wants so many messages is given so
// many of the next places, whether somebody has published there yet or not; a place is its owner's until that
// one says that it is done. A process that says nothing any more loses all of its places to the first one
// that inherits from it, and whatever it says later counts for nothing.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/kafka/words.h"

namespace ganglion::kafka {

// Places of one session next to each other.
struct Span {
  Range range;
  std::uint32_t passed = 0;  // how many sessions have had them and ended

  bool operator==(const Span&) const = default;
};

struct LedgerSession {
  Offset since = 0;  // the entry that it began with
  bool left = false;

  bool operator==(const LedgerSession&) const = default;
};

struct LedgerQueue {
  Offset made = 0;  // the offset of the entry that made it
  QueueOptions options;
  Offset next = 0;     // the first place that nobody has
  bool going = false;  // nobody uses it any more; it is gone once its topics are
  std::map<SessionId, std::vector<Span>> places = {};

  // Everything before it is done.
  Offset first_undone() const;
  bool operator==(const LedgerQueue&) const = default;
};

// What an entry has changed.
struct Granted {
  SessionId session;
  std::string queue;
  Span span;
};
struct Ended {
  SessionId session;
};
struct Declared {
  std::string queue;
};
struct Removed {
  std::string queue;
};
using Change = std::variant<Granted, Ended, Declared, Removed>;

class Ledger {
 public:
  // What one entry, at this offset, says. An entry of a session that has ended says nothing.
  std::vector<Change> apply(Offset offset, const Entry& entry);

  // Null where there is none, or it is going.
  const LedgerQueue* queue(const std::string& name) const;
  const LedgerQueue* going(const std::string& name) const;
  const std::map<std::string, LedgerQueue>& queues() const { return queues_; }
  // Those that have begun and not been inherited from.
  const std::map<SessionId, LedgerSession>& sessions() const { return sessions_; }
  // The one that has been there longest does what one has to do; empty where there is none.
  SessionId oldest() const;
  bool is_live(const SessionId& session) const;

  // All of it, as of the entry at `offset`, for those who come later; and back. False where the text is none.
  std::string text(Offset offset) const;
  static std::optional<std::pair<Offset, Ledger>> read(std::string_view text);

  bool operator==(const Ledger&) const = default;

 private:
  using Changes = std::vector<Change>;

  void apply(const SessionId& session, Offset offset, const word::Hello& hello, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Leave& leave, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Inherit& inherit, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Declare& declare, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Remove& remove, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Want& want, Changes& changes);
  void apply(const SessionId& session, Offset offset, const word::Done& done, Changes& changes);
  LedgerQueue* same_queue(const std::string& name, Offset made);

  std::map<std::string, LedgerQueue> queues_;
  std::map<SessionId, LedgerSession> sessions_;
};

}  // namespace ganglion::kafka
