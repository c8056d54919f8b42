#pragma once

// What an error of Redis means for the call that it answers. The first word is the code.

#include <string>

#include "adapters/redis/reply.h"

namespace ganglion::redis {

struct Refusal {
  enum class Kind {
    again,    // not done, and another server or a later moment may do it: connect anew and send it again
    refused,  // not done, and won't be for now: whoever asked should know
    unknown,  // an error in the middle of the work, or one that nobody has thought of
  };
  Kind kind;
  std::string reason;
};

// `error` is one.
Refusal refusal_of(const Reply& error);

// The library isn't there (yet, or after FUNCTION FLUSH).
bool is_missing_function(const Reply& reply);

inline constexpr const char* kRegressed =
    "Redis has lost writes that it had acknowledged (a failover to a replica that was behind, a crash "
    "without "
    "appendfsync always, or a flush): what this process knows is no longer what is stored";

}  // namespace ganglion::redis
