#pragma once

// What is said on a new connection before it carries anything: who we are, whether this is a server that
// takes writes, what it keeps of what it acknowledges, whether it still has what it acknowledged to us, and
// what became of the calls that earlier connections left unanswered. Loads the functions where they are
// missing.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapters/redis/connection.h"
#include "adapters/redis/url.h"

namespace ganglion::redis {

// Layout of the keys; a store with another one is refused.
inline constexpr std::string_view kFormat = "1";

// What a server says about how it keeps data; empty texts where it doesn't let itself be asked.
struct ServerSettings {
  bool known = false;
  std::string appendonly;
  std::string appendfsync;
  std::string no_appendfsync_on_rewrite;
  std::string maxmemory_policy;
  std::string save;
  bool replicated = false;
};

struct Greeted {
  ServerSettings settings;
  // Goes with every write call: those of earlier connections, which may still lie somewhere on the way, are
  // refused.
  std::int64_t epoch = 0;
  // Of calls that were done and not acknowledged; what is not among them was not done and never will be by
  // itself.
  std::map<std::int64_t, std::string> answers;
};

struct GreetingFailure {
  enum class Kind {
    again,         // may be different next time
    hopeless,      // the URL or the server's configuration must change
    incompatible,  // another version's data
    regressed,     // the server has lost what it acknowledged
  };
  Kind kind;
  std::string reason;
};

class Greeting {
 public:
  using Done = std::move_only_function<void(std::expected<Greeted, GreetingFailure>)>;

  // `acknowledged`: the last write call of this writer that was answered, 0 before the first. Calls `done`
  // once, unless the connection or this ends before. All must outlive it.
  Greeting(Connection& connection, const Url& url, const std::string& writer, std::int64_t acknowledged,
           Done done);

 private:
  void greet();
  void load();
  void understand_role(const Reply& reply);
  void understand_settings(const Reply& reply);
  void understand_greeting(const Reply& reply);
  void fail(GreetingFailure::Kind kind, std::string reason);
  void finish(std::expected<Greeted, GreetingFailure> result);

  Connection& connection_;
  const Url& url_;
  const std::string& writer_;
  std::int64_t acknowledged_;
  Done done_;
  Greeted greeted_;
  bool loaded_ = false;
};

}  // namespace ganglion::redis
