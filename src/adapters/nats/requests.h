#pragma once

// Questions to NATS and its answers. A question changes nothing when it is asked twice: one whose connection
// breaks is asked again; one that has no answer when its time is up is answered as unavailable.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapters/nats/link.h"
#include "base/result.h"

namespace ganglion::nats {

inline constexpr std::size_t kMaxRequests = 1000;  // beyond that they are refused at once

struct Question {
  std::string subject;
  std::string headers = {};
  std::string body = {};
};

struct Answer {
  std::string headers;
  std::string body;
};

class Requests {
 public:
  using Steady = std::chrono::steady_clock;
  using Done = std::move_only_function<void(Result<Answer>)>;

  // Both must outlive it.
  Requests(boost::asio::io_context& context, Link& link) : context_(context), link_(link) {}

  // `done` runs later; its only error is `unavailable`.
  void ask(Question question, Steady::time_point until, Done done);

  void ready();
  void tick();

 private:
  struct Request {
    Question question;
    Steady::time_point until;
    Done done;
  };

  void send(std::uint64_t number, const Question& question);
  void heard(const Incoming& incoming);

  boost::asio::io_context& context_;
  Link& link_;
  std::map<std::uint64_t, Request> requests_;  // in the order of the calls
  std::uint64_t last_number_ = 0;
  std::string inbox_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

// The number at the end of a subject in an inbox.
std::uint64_t inbox_number(std::string_view subject);

}  // namespace ganglion::nats
