#pragma once

// Every write of this process, in one order. Writes that wait are gathered into groups; a group is one call
// of the function that applies them one after another, and the next ones are sent while the first is on its
// way.
//
// A call has a number, and the server keeps its answer until it knows that we have it. A connection that
// comes back says which calls of the earlier ones were done, with their answers, and from then on refuses
// what is left of those connections; so the others were not done, and are sent again. In between it is
// unknown whether a call was done that was sent and not answered: its writes wait, without a deadline, for
// the server to come back. A write that was never sent, or not done, is answered as unavailable once it has
// waited for `patience`. The function refuses a call whose predecessor is missing, so the order holds
// whatever breaks.

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "adapters/redis/link.h"
#include "adapters/redis/msgpack.h"

namespace ganglion::redis {

// Writes that wait to be sent; beyond that they are refused at once.
inline constexpr std::size_t kMaxWaitingBytes = 64 << 20;
// Of one call: Redis does nothing else meanwhile.
inline constexpr std::size_t kMaxGroupWrites = 256;
inline constexpr std::size_t kMaxGroupBytes = 1 << 20;
// Calls on their way. Redis answers those that it reads together after one fsync.
inline constexpr std::size_t kMaxGroupsInFlight = 4;

class WriteStream {
 public:
  // The packed answer of the operation, or why it was not done.
  using Done = std::move_only_function<void(std::expected<Unpacker, std::string>)>;

  struct Options {
    std::chrono::milliseconds patience;
    // Called when it is unknown what was written, or known that something is lost. Nothing is answered any
    // more.
    std::function<void(const std::string&)> fatal;
  };

  // All must outlive it.
  WriteStream(boost::asio::io_context& context, Link& link, const Url& url, Options options);
  // Completes nothing any more.
  ~WriteStream();

  // `operation` is packed as library/ takes it. `done` runs later, in the order of the pushes but for
  // refusals.
  void push(std::string operation, Done done);

  void ready(const Greeted& greeted);  // what was on its way is answered, or sent again
  void lost();                         // what was on its way may have been done
  void tick();
  void stop() { stopped_ = true; }

 private:
  using Steady = std::chrono::steady_clock;
  struct Write {
    std::string operation;
    Done done;
    Steady::time_point made;
  };
  struct Group {
    std::int64_t number = 0;
    std::string words;  // the operations as the protocol has them
    std::vector<Done> done;
    Steady::time_point made;
    bool sent = false;  // on this connection, without an answer yet
    bool lost = false;  // on an earlier one that broke before the answer: it may have been done
  };

  void pump_soon();
  void pump();
  Group gather();
  void send(std::size_t position);
  void answered(const Reply& reply);
  void understand(const std::string& answer);
  void done(Unpacker answers);
  void refused(std::deque<Group>::iterator group, const std::string& reason);
  void die(const std::string& reason);

  boost::asio::io_context& context_;
  Link& link_;
  const std::string base_;
  Options options_;
  std::deque<Write> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::deque<Group> in_flight_;
  std::int64_t last_number_ = 0;
  std::int64_t epoch_ = 0;  // of the connection
  bool pump_is_due_ = false;
  bool stopped_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::redis
