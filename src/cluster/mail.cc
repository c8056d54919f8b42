#include "cluster/mail.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace ganglion::cluster {
namespace {

constexpr const char* kAnswer = "ganglion.answer.v1";
constexpr Duration kAskAgain{400};
constexpr std::size_t kRemembered = 4'096;  // questions, for those that are asked again

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
  BusMessage message{
      .id = std::to_string(number), .type = std::move(type), .reply_to = self_, .body = std::move(body)};
  questions_.emplace(number, Question{.member = member,
                                      .message = std::move(message),
                                      .until = clock_.now() + patience_,
                                      .timer = {},
                                      .done = std::move(done)});
  send(number);
}

void Mail::send(std::uint64_t number) {
  Question& question = questions_.at(number);
  if (clock_.now() >= question.until) {
    return answered(number, fail("unavailable", "the member " + question.member + " doesn't answer"));
  }
  bus_.broadcast(topic_of(question.member), question.message);
  question.timer =
      clock_.at(std::min(question.until, clock_.now() + kAskAgain), [this, number] { send(number); });
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
  if (!message.id.empty() && is_repeated(message)) return;
  auto answer = [this, alive = std::weak_ptr(alive_), to = message.reply_to,
                 number = message.id](std::string body) {
    if (!alive.expired() && !number.empty()) reply(to, number, std::move(body));
  };
  handler->second(message.reply_to, message.body, std::move(answer));
}

bool Mail::is_repeated(const BusMessage& question) {
  const Asked::key_type key(question.reply_to, question.id);
  const auto [at, is_new] = asked_.try_emplace(key);
  if (!is_new) {
    if (at->second) reply(question.reply_to, question.id, *at->second);
    return true;
  }
  asked_in_order_.push_back(key);
  if (asked_in_order_.size() > kRemembered) {
    asked_.erase(asked_in_order_.front());
    asked_in_order_.pop_front();
  }
  return false;
}

void Mail::reply(const std::string& member, const std::string& number, std::string body) {
  bus_.broadcast(topic_of(member), {.id = number, .type = kAnswer, .reply_to = {}, .body = body});
  const auto asked = asked_.find({member, number});
  if (asked != asked_.end()) asked->second = std::move(body);
}

void Mail::answered(std::uint64_t number, Result<std::string> answer) {
  auto question = questions_.extract(number);
  if (question.empty()) return;  // too late
  clock_.cancel(question.mapped().timer);
  question.mapped().done(std::move(answer));
}

}  // namespace ganglion::cluster
