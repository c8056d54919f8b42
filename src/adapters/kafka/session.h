#pragma once

// This process in the ledger: it hears every entry, says its own words, a turn of the loop's in one entry,
// and says at least twice a second that it lives. Where it hears itself but not another one for two seconds,
// it inherits from that one. One that others have inherited from begins anew, under another id.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/ledger.h"
#include "adapters/kafka/names.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/reader.h"

namespace ganglion::kafka {

class Session {
 public:
  struct Hooks {
    std::function<void(const Change& change)> changed;
    // What this process had is with others, or may be; it has no places any more.
    std::function<void()> lost;
    // It begins to count, or counts again.
    std::function<void()> began;
    // Nobody needs the entries before this one any more.
    std::function<void(Offset first)> shorten;
  };

  // All must outlive it.
  Session(boost::asio::io_context& context, Producer& producer, Reader& reader, const Names& names,
          Hooks hooks);
  // Ends it in good order, as far as that takes a moment.
  ~Session();

  void start();
  void tick();

  void say(Word word);
  void done(const std::string& queue, Offset made, Offset place);
  // `heard` runs when everything is known that others had said when it was called.
  void sync(std::function<void()> heard);

  const Ledger& ledger() const { return ledger_; }
  const SessionId& id() const { return id_; }
  // Whether what it says counts.
  bool is_live() const { return ledger_.is_live(id_); }
  // Whether it is the one that does what one has to do: tidy up.
  bool is_keeper() const { return ledger_.oldest() == id_; }

 private:
  using Steady = std::chrono::steady_clock;

  void begin();
  void speak_soon();
  void speak();
  void publish(std::string entry);
  void resume();
  void heard(const Record& record);
  void catch_up(const Record& record);
  void take_up(Offset offset, Ledger ledger);
  void apply(Offset offset, const Entry& entry);
  void own_heard(std::uint64_t number);
  void watch_others();

  boost::asio::io_context& context_;
  Producer& producer_;
  Reader& reader_;
  const std::string topic_;
  const Hooks hooks_;

  Ledger ledger_;
  bool knows_all_ = false;                       // that `ledger_` is what the entries say
  Offset next_ = -1;                             // entry
  std::vector<std::pair<Offset, Entry>> early_;  // entries heard before the ledger was known
  std::uint64_t since_checkpoint_ = 0;           // entries
  Steady::time_point checkpoint_sent_;

  SessionId id_;
  std::uint64_t number_ = 0;  // of the latest entry
  std::vector<Word> words_;
  std::map<std::pair<std::string, Offset>, std::vector<Offset>> done_;
  std::vector<std::function<void()>> syncs_;  // that the next entry answers
  std::deque<std::pair<std::uint64_t, std::vector<std::function<void()>>>> unheard_;
  bool speaks_soon_ = false;
  bool waits_ = false;   // a little, before it speaks again
  std::string refused_;  // the entry that is said first then; may be empty

  Steady::time_point spoke_;
  Steady::time_point own_heard_;
  Steady::time_point in_touch_since_;
  std::map<SessionId, Steady::time_point> last_heard_;
  std::map<SessionId, Steady::time_point> inheriting_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka
