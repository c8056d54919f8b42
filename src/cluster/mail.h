#pragma once

// Questions and answers between members, straight to the one who is meant and not persistent. Each member has
// a topic of its own. What gets lost is asked again until there is an answer; whoever is asked deals with a
// question once, and repeats its answer.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "ports/bus.h"
#include "ports/clock.h"

namespace ganglion::cluster {

class Mail {
 public:
  using Answered = std::move_only_function<void(Result<std::string>)>;
  // Gives the answer, once.
  using Reply = std::move_only_function<void(std::string body)>;
  // `from` is the member that asks or tells.
  using Handler = std::function<void(const std::string& from, const std::string& body, Reply reply)>;

  // `self` is this member's id. `bus` and `clock` outlive it.
  Mail(Bus& bus, Clock& clock, std::string self, Duration patience = Duration(2'000))
      : bus_(bus), clock_(clock), self_(std::move(self)), patience_(patience) {}
  ~Mail();
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  // Before `start`: who deals with messages of this type. Others are ignored.
  void on(std::string type, Handler handler) { handlers_.emplace(std::move(type), std::move(handler)); }
  void start(std::move_only_function<void(Result<void>)> done);

  // Error `unavailable` where there is no answer in time, or the member has gone.
  void ask(const std::string& member, std::string type, std::string body, Answered done);
  void tell(const std::string& member, std::string type, std::string body);
  // Nobody waits for its answers any more.
  void gone(const std::string& member);

 private:
  struct Question {
    std::string member;
    BusMessage message;
    Timestamp until;
    TimerId timer;
    Answered done;
  };

  void hear(const BusMessage& message);
  void send(std::uint64_t number);
  void answered(std::uint64_t number, Result<std::string> answer);
  // By member and number: a question that was asked of this one, and the answer where there is one.
  using Asked = std::map<std::pair<std::string, std::string>, std::optional<std::string>>;
  bool is_repeated(const BusMessage& question);
  void reply(const std::string& member, const std::string& number, std::string body);

  Bus& bus_;
  Clock& clock_;
  const std::string self_;
  const Duration patience_;
  std::map<std::string, Handler> handlers_;
  std::map<std::uint64_t, Question> questions_;
  std::uint64_t last_question_ = 0;
  Asked asked_;  // lately
  std::deque<Asked::key_type> asked_in_order_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster
