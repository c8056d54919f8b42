#pragma once

// What queues are made of: a work-queue stream with one consumer, and a stream of dead letters. The latter
// also keeps what NATS says of messages that have been delivered as often as they may (exhausted.h).
//
// The consumer's name is a fresh one whenever the queue is made. NATS forgets about an acknowledgement
// nothing but the names and the number that stand in it: one that is late must not mean a message of a queue
// that was removed and made again. What NATS has no place for stands in the consumer's description.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/nats/json.h"
#include "adapters/nats/names.h"
#include "adapters/nats/requests.h"
#include "ports/bus.h"

namespace ganglion::nats {

// For so long NATS waits for a sign that somebody who has a message lives.
inline constexpr std::chrono::milliseconds kLease{2'000};

struct QueueState {
  std::string consumer;
  Duration claim_after{};
  std::uint64_t waiting = 0;  // messages that nobody has had yet
};

class Queues {
 public:
  template <typename T>
  using Done = Bus::Completion<Result<T>>;

  // All must outlive it.
  Queues(Link& link, Requests& requests, const Names& names, std::chrono::milliseconds patience)
      : link_(link), requests_(requests), names_(names), patience_(patience) {}

  void declare(std::string queue, QueueOptions options, Done<void> done);
  void look(std::string queue, Done<QueueState> done);
  void dead_letters(std::string queue, std::uint32_t limit, Done<std::vector<BusMessage>> done);
  void remove(std::string queue, Done<void> done);

  enum class Copied { copied, gone, failed };
  // A message of the queue, by its number there, which stays in the queue.
  void copy_to_dead_letters(std::string queue, std::uint64_t sequence, std::string reason,
                            std::move_only_function<void(Copied)> done);

 private:
  using Until = Requests::Steady::time_point;
  struct Stream {
    std::string queue;
    std::string name;
    std::string config;
  };
  struct Letters;

  Until until() const { return Requests::Steady::now() + patience_; }
  // What JetStream says; no answer at all is an error of its kind, too.
  using Said = std::move_only_function<void(std::expected<std::string, ApiError>)>;
  void ask(const std::string& what, std::string body, Until until, Said said);
  void put_stream(Stream stream, Until until, Done<void> done);
  void put_consumer(std::string queue, QueueOptions options, Until until, Done<void> done);
  void next_letter(std::shared_ptr<Letters> letters);

  Link& link_;
  Requests& requests_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
};

}  // namespace ganglion::nats
