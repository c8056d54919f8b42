#pragma once

// Group commit: whatever waits when the server gets free becomes one transaction.
//
//   BEGIN; begin_group; the calls of each write  ──► answers: what became of each write, if this commits
//   COMMIT                                       ──► answer: all of that is durable; then everybody is told
//
// The answers are all here before COMMIT is sent, so the one thing that a lost connection leaves open is
// whether that COMMIT took place. It is never guessed: every group writes its number into the writer's row,
// and the next connection waits for the old one to end, makes it impossible that it begins another group, and
// reads the number. A group that isn't there is sent again.
//
// While the server can't be reached, writes wait for a while and are then refused; a group in doubt is
// answered when the server is back, maybe after refusals of later writes. A number lower than one that was
// acknowledged means that the server has lost what it confirmed (a failover to a standby that was behind):
// that is `fatal`.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/link.h"
#include "adapters/postgres/write_queue.h"
#include "core/ids.h"

namespace ganglion::postgres {

// Of a group that deadlocks, is serialized out or loses its connection again and again.
inline constexpr int kMaxAttempts = 10;
// The row of a writer that writes nothing is written all the same, so that nobody takes it for one that has
// ended (kEnter).
inline constexpr std::chrono::hours kRenewal{24};

struct Statistics {
  std::uint64_t groups = 0;  // transactions that were committed
  std::uint64_t writes = 0;
};

class Writer {
 public:
  struct Options {
    RunId::Bytes id;  // of the writer's row
    std::size_t max_queued_bytes = kMaxQueuedBytes;
    std::chrono::milliseconds patience;
    std::chrono::milliseconds renewal = kRenewal;
    std::function<void(const std::string&)> fatal;
    // Of each new connection, with what its server promises less. After one was lost, others may lead to a
    // server that isn't the primary any more.
    std::move_only_function<void(std::vector<std::string> weaker_promises)> connected;
  };

  Writer(asio::io_context& loop, const Address& address, Options options);

  void push(Write write);
  const Statistics& statistics() const { return statistics_; }

 private:
  // What goes on at the connection.
  enum class Phase { away, entering, idle, writing, committing, rolling_back, failed };

  void ready();
  void entered(const PGresult& result);
  void lost(const std::string& why);
  void refuse_old(const std::string& why);
  void fail_for_good(const std::string& why);

  void renew_later();
  void start_next();
  void send_group();
  Params group_params();
  void answered(const PGresult& result);
  void all_answered();
  void commit_answered(const PGresult& result);
  void finish();
  void group_failed();
  void single_out(const std::string& why);
  void refuse_group(const std::string& why);
  void tell(std::vector<Write> writes);

  asio::io_context& loop_;
  Options options_;
  WriteQueue queue_;
  Phase phase_ = Phase::away;
  std::int64_t epoch_ = 0;
  std::uint64_t last_number_ = 0;   // of a group
  std::uint64_t acknowledged_ = 0;  // of the last group that was
  Backend backend_;                 // of the last connection
  std::chrono::steady_clock::time_point away_since_;

  std::vector<Write> group_;  // under way, or to be sent again
  bool in_doubt_ = false;     // its COMMIT was sent, and the connection was lost
  int attempts_ = 0;
  std::size_t answers_left_ = 0;
  // What went wrong first, since the group was sent.
  struct Failure {
    std::string sqlstate;
    std::string message;
  };
  std::optional<Failure> failure_;
  std::deque<Write> one_by_one_;  // of a group in which one is at fault

  Statistics statistics_;
  LoopTimer renewal_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  Link link_;  // last: its handlers use the rest
};

}  // namespace ganglion::postgres
