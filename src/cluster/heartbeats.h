#pragma once

// Signs of life of workers, to the member whose pool has the attempt. Nothing in a token says which one that
// is, so all are asked the first time, and that one from then on.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agents/heartbeat_relay.h"
#include "cluster/mail.h"
#include "cluster/token_hash.h"

namespace ganglion::agents {
class Pool;
}

namespace ganglion::cluster {

class Heartbeats final : public agents::HeartbeatRelay {
 public:
  // `others`: the members but this one that hand tasks out. Before the mail starts; all outlive it.
  Heartbeats(Mail& mail, agents::Pool& pool, std::function<std::vector<std::string>()> others);

  void pass_on(agents::Heartbeat heartbeat, Completion done) override;

 private:
  struct Question;

  void ask_all(const std::shared_ptr<Question>& question);
  void ask(const std::string& member, const std::shared_ptr<Question>& question);
  void answered(Question& question, const std::string& member, const Result<std::string>& answer);
  void remember(const AttemptToken& token, const std::string& member);

  Mail& mail_;
  agents::Pool& pool_;
  std::function<std::vector<std::string>()> others_;
  std::unordered_map<AttemptToken, std::string, TokenHash> holders_;
  std::deque<AttemptToken> in_order_;  // as they were remembered
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster
