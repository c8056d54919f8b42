#pragma once

// Questions and answers between members, straight to the one who is meant and not persistent. Each member has
// a topic of its own. What gets lost is asked again until there is an answer; whoever is asked deals with a
// question once, and repeats its answer.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

  // On the wire `number.waits_from`: what the asker has an answer to is before the second.
  struct QuestionId {
    std::uint64_t number = 0;
    std::uint64_t waits_from = 0;

    std::string text() const;
    static QuestionId parse(std::string_view text);
  };
  // What one member asks, by number, with the answer where there is one.
  struct Asked {
    std::uint64_t waits_from = 0;
    std::map<std::uint64_t, std::optional<std::string>> questions;
  };

  void hear(const BusMessage& message);
  void send(std::uint64_t number);
  void answered(std::uint64_t number, Result<std::string> answer);
  bool is_repeated(const std::string& member, const QuestionId& id);
  void reply(const std::string& member, const QuestionId& id, std::string body);
  void send_answer(const std::string& member, const QuestionId& id, std::string body);

  Bus& bus_;
  Clock& clock_;
  const std::string self_;
  const Duration patience_;
  std::map<std::string, Handler> handlers_;
  std::map<std::uint64_t, Question> questions_;
  std::uint64_t last_question_ = 0;
  std::map<std::string, Asked> asked_;  // by member
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster
