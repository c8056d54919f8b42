#pragma once

// Questions to the broker, each on a channel of its own, because the broker answers one that it doesn't like
// by closing the channel. An errand changes nothing when it is done twice: one whose connection breaks is
// done again; one that has waited for `patience` is answered as unavailable.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/rabbitmq/link.h"
#include "base/result.h"

namespace ganglion::rabbitmq {

inline constexpr std::size_t kMaxErrands = 1000;  // beyond that they are refused at once

struct Answer {
  amqp_method_number_t method;
  std::uint32_t messages = 0;  // of a queue that was declared
  BusMessage message = {};     // that was got
};

// The broker's refusal, or that it can't be asked.
struct ErrandFailure {
  int code = 0;  // AMQP's reply code; 0 where there was no answer
  std::string reason;
};

class Errands {
 public:
  using Done = std::move_only_function<void(std::expected<std::vector<Answer>, ErrandFailure>)>;
  // Appends the methods, all of which are answered.
  using Ask = std::function<void(std::string& bytes, Channel channel)>;

  // Both must outlive it.
  Errands(boost::asio::io_context& context, Link& link, std::chrono::milliseconds patience);
  // Completes nothing any more.
  ~Errands();

  // `answers`: how many methods `ask` appends, one at least. What was got goes back to its queue. `done` runs
  // later.
  void run(std::size_t answers, Ask ask, Done done);

  void ready();
  void lost();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Errand {
    std::size_t due;
    Ask ask;
    Done done;
    Steady::time_point made;
    Channel channel = 0;
    std::vector<Answer> answers = {};
  };

  void send(std::uint64_t number, Errand& errand);
  void heard(std::uint64_t number, const Incoming& incoming);
  void finish(std::uint64_t number, std::expected<std::vector<Answer>, ErrandFailure> result);

  boost::asio::io_context& context_;
  Link& link_;
  const std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Errand> errands_;  // in the order of the calls
  std::uint64_t last_number_ = 0;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::rabbitmq
