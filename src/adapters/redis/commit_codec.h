#pragma once

// A commit as library/ takes it, and what became of it.

#include <optional>
#include <string>

#include "adapters/redis/msgpack.h"
#include "ports/store.h"

namespace ganglion::redis {

std::string pack_commit(const Commit& commit);
// Nothing where the answer was damaged.
std::optional<CommitOutcome> unpack_outcome(Unpacker answer);

}  // namespace ganglion::redis
