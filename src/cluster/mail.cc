#include "cluster/mail.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace ganglion::cluster {
namespace {

constexpr const char* kAnswer = "ganglion.answer.v1";
constexpr Duration kAskAgain{400};
constexpr std::size_t kMostAsked = 4'096;  // of one member that it has no answers to, as far as is known

std::string topic_of(const std::string& member) {
  return "member." + member;
}

}  // namespace

std::string Mail::QuestionId::text() const {
  return std::to_string(number) + "." + std::to_string(waits_from);
}

Mail::QuestionId Mail::QuestionId::parse(std::string_view text) {
  QuestionId id;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, id.number);
  if (number.ptr != end) std::from_chars(number.ptr + 1, end, id.waits_from);
  return id;
}

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
  const QuestionId id{.number = number,
                      .waits_from = questions_.empty() ? number : questions_.begin()->first};
  BusMessage message{.id = id.text(), .type = std::move(type), .reply_to = self_, .body = std::move(body)};
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
  asked_.erase(member);
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, question] : questions_) {
    if (question.member == member) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) {
    answered(number, fail("unavailable", "the member " + member + " has gone"));
  }
}

void Mail::hear(const BusMessage& message) {
  const QuestionId id = QuestionId::parse(message.id);
  if (message.type == kAnswer) return answered(id.number, message.body);
  const auto handler = handlers_.find(message.type);
  if (handler == handlers_.end()) return;
  const bool is_question = id.number > 0;
  if (is_question && is_repeated(message.reply_to, id)) return;
  auto answer = [this, alive = std::weak_ptr(alive_), to = message.reply_to, id,
                 is_question](std::string body) {
    if (!alive.expired() && is_question) reply(to, id, std::move(body));
  };
  handler->second(message.reply_to, message.body, std::move(answer));
}

// One that is repeated gets its answer again, if there is one.
bool Mail::is_repeated(const std::string& member, const QuestionId& id) {
  Asked& asked = asked_[member];
  auto& questions = asked.questions;
  asked.waits_from = std::max(asked.waits_from, id.waits_from);
  questions.erase(questions.begin(), questions.lower_bound(asked.waits_from));
  if (id.number < asked.waits_from) return true;
  const auto [at, is_new] = questions.try_emplace(id.number);
  if (!is_new && at->second) send_answer(member, id, *at->second);
  if (questions.size() > kMostAsked) questions.erase(questions.begin());
  return !is_new;
}

void Mail::reply(const std::string& member, const QuestionId& id, std::string body) {
  send_answer(member, id, body);
  const auto asked = asked_.find(member);
  if (asked == asked_.end()) return;
  const auto question = asked->second.questions.find(id.number);
  if (question != asked->second.questions.end()) question->second = std::move(body);
}

void Mail::send_answer(const std::string& member, const QuestionId& id, std::string body) {
  bus_.broadcast(topic_of(member),
                 {.id = id.text(), .type = kAnswer, .reply_to = {}, .body = std::move(body)});
}

void Mail::answered(std::uint64_t number, Result<std::string> answer) {
  auto question = questions_.extract(number);
  if (question.empty()) return;  // too late
  clock_.cancel(question.mapped().timer);
  question.mapped().done(std::move(answer));
}

}  // namespace ganglion::cluster
