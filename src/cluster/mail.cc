#include "cluster/mail.h"

#include <charconv>
#include <utility>
#include <vector>

namespace ganglion::cluster {
namespace {

constexpr const char* kAnswer = "ganglion.answer.v1";

std::string topic_of(const std::string& member) {
  return "member." + member;
}

}  // namespace

Mail::~Mail() {
  for (auto& [number, question] : questions_) clock_.cancel(question.timer);
}

void Mail::start(std::move_only_function<void(Result<void>)> done) {
  const auto heard = [this, alive = std::weak_ptr(alive_)](const BusMessage& message) {
    if (!alive.expired()) hear(message);
  };
  bus_.listen(topic_of(self_), heard, [] {}, std::move(done));
}

void Mail::ask(const std::string& member, std::string type, std::string body, Answered done) {
  const std::uint64_t number = ++last_question_;
  const TimerId timer = clock_.at(clock_.now() + patience_, [this, number, member] {
    answered(number, fail("unavailable", "the member " + member + " doesn't answer"));
  });
  questions_.emplace(number, Question{member, timer, std::move(done)});
  bus_.broadcast(
      topic_of(member),
      {.id = std::to_string(number), .type = std::move(type), .reply_to = self_, .body = std::move(body)});
}

void Mail::tell(const std::string& member, std::string type, std::string body) {
  bus_.broadcast(topic_of(member),
                 {.id = {}, .type = std::move(type), .reply_to = self_, .body = std::move(body)});
}

void Mail::gone(const std::string& member) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, question] : questions_) {
    if (question.member == member) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) {
    answered(number, fail("unavailable", "the member " + member + " has gone"));
  }
}

void Mail::hear(const BusMessage& message) {
  if (message.type == kAnswer) {
    std::uint64_t number = 0;
    std::from_chars(message.id.data(), message.id.data() + message.id.size(), number);
    return answered(number, message.body);
  }
  const auto handler = handlers_.find(message.type);
  if (handler == handlers_.end()) return;
  auto reply = [this, alive = std::weak_ptr(alive_), to = message.reply_to,
                number = message.id](std::string body) {
    if (alive.expired() || number.empty()) return;
    bus_.broadcast(topic_of(to), {.id = number, .type = kAnswer, .reply_to = {}, .body = std::move(body)});
  };
  handler->second(message.reply_to, message.body, std::move(reply));
}

void Mail::answered(std::uint64_t number, Result<std::string> answer) {
  auto question = questions_.extract(number);
  if (question.empty()) return;  // too late
  clock_.cancel(question.mapped().timer);
  question.mapped().done(std::move(answer));
}

}  // namespace ganglion::cluster
