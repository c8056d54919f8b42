#include "cluster/heartbeats.h"

#include <utility>

#include "agents/pool.h"
#include "cluster/messages.h"

namespace ganglion::cluster {
namespace {

constexpr std::size_t kMaxHolders = 10'000;  // remembered; of others all members are asked again

}  // namespace

// What is asked of one member or of several: the first that lets the worker go on answers it, else the last.
struct Heartbeats::Question {
  AttemptToken token;
  std::string message;
  Completion done;
  std::size_t open = 0;
  bool is_for_all = false;
  bool is_settled = false;
  Result<agents::HeartbeatReply> best = agents::HeartbeatReply{};
};

Heartbeats::Heartbeats(Mail& mail, agents::Pool& pool, std::function<std::vector<std::string>()> others)
    : mail_(mail), pool_(pool), others_(std::move(others)) {
  mail_.on(kHeartbeatType, [this](const std::string&, const std::string& body, Mail::Reply reply) {
    if (auto heartbeat = read_heartbeat(body))
      reply(heartbeat_reply_message(pool_.heartbeat(*std::move(heartbeat))));
  });
}

void Heartbeats::pass_on(agents::Heartbeat heartbeat, Completion done) {
  auto question = std::make_shared<Question>(
      Question{.token = heartbeat.token, .message = heartbeat_message(heartbeat), .done = std::move(done)});
  const auto holder = holders_.find(question->token);
  if (holder == holders_.end()) return ask_all(question);
  question->open = 1;
  ask(std::string(holder->second), question);
}

void Heartbeats::ask_all(const std::shared_ptr<Question>& question) {
  const std::vector<std::string> members = others_();
  question->is_for_all = true;
  question->open = members.size();
  if (members.empty()) return question->done(agents::HeartbeatReply{});
  for (const std::string& member : members) ask(member, question);
}

void Heartbeats::ask(const std::string& member, const std::shared_ptr<Question>& question) {
  mail_.ask(member, kHeartbeatType, question->message,
            [this, alive = std::weak_ptr(alive_), member, question](const Result<std::string>& answer) {
              if (alive.expired() || question->is_settled) return;
              answered(*question, member, answer);
              if (question->is_settled || question->open > 0) return;
              // The one that had it may have handed it on.
              if (!question->is_for_all && !(question->best && question->best->known)) {
                holders_.erase(question->token);
                question->best = agents::HeartbeatReply{};
                return ask_all(question);
              }
              question->is_settled = true;
              question->done(std::move(question->best));
            });
}

void Heartbeats::answered(Question& question, const std::string& member, const Result<std::string>& answer) {
  --question.open;
  auto reply = answer ? read_heartbeat_reply(*answer) : std::unexpected(answer.error());
  if (reply && reply->known) {
    remember(question.token, member);
    question.best = *reply;
    if (reply->cancelled) return;
    question.is_settled = true;
    return question.done(*std::move(reply));
  }
  const bool knows_more = question.best && question.best->known;
  if (!reply && !knows_more) question.best = std::unexpected(reply.error());
}

void Heartbeats::remember(const AttemptToken& token, const std::string& member) {
  if (!holders_.insert_or_assign(token, member).second) return;
  in_order_.push_back(token);
  if (in_order_.size() <= kMaxHolders) return;
  holders_.erase(in_order_.front());
  in_order_.pop_front();
}

}  // namespace ganglion::cluster
