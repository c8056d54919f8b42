#pragma once

// Queues as such: their topics, and that they are in the ledger, which is what makes them exist.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/kafka/errands.h"
#include "adapters/kafka/names.h"
#include "adapters/kafka/patience.h"
#include "adapters/kafka/session.h"
#include "ports/bus.h"

namespace ganglion::kafka {

// Of a topic that plain clients take from, so many at most at the same time.
inline constexpr int kHandoutPartitions = 8;

class Queues {
 public:
  template <typename T>
  using Done = Bus::Completion<Result<T>>;

  // All must outlive it.
  Queues(Session& session, Errands& errands, Patience& patience, const Names& names)
      : session_(session), errands_(errands), patience_(patience), names_(names) {}

  void declare(const std::string& queue, QueueOptions options, Done<void> done);
  void remove(const std::string& queue, Done<void> done);
  void depth(const std::string& queue, Done<std::uint64_t> done);
  void dead_letters(const std::string& queue, std::uint32_t limit, Done<std::vector<BusMessage>> done);
  // Throws away what is done in all of them, now and then.
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  // For a call that goes on over several answers.
  template <typename T>
  using Answer = std::shared_ptr<Done<T>>;

  template <typename T>
  Answer<T> answer(Done<T> done) {
    return std::make_shared<Done<T>>(patience_.limit<T>(std::move(done)));
  }
  void go_on_declaring(const std::string& queue, const QueueOptions& options, const Answer<void>& done);
  void make(const std::string& queue, const QueueOptions& options, const Answer<void>& done);
  void go_on_removing(const std::string& queue, const Answer<void>& done);
  // Its topics, and that it is gone with them.
  void clear_away(const std::string& queue, const Answer<void>& done, std::function<void()> then);

  Session& session_;
  Errands& errands_;
  Patience& patience_;
  const Names& names_;
  struct Shortened {
    Offset made = 0;
    Offset first = 0;
  };
  std::map<std::string, Shortened> shortened_;
  Steady::time_point shortened_at_ = Steady::now();
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka
