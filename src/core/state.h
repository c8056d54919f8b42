#pragma once

// The shared state of a session at one version: what the expressions of a decision and the input of a task
// see. A snapshot is immutable; every write of a session makes the next version.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/payload.h"
#include "base/time.h"

namespace ganglion {

struct StateEntry {
  Payload value;
  std::uint64_t version = 0;  // of the session, at which the key was written
  std::optional<Timestamp> expires_at;

  bool operator==(const StateEntry&) const = default;
};

struct StateSnapshot {
  std::uint64_t version = 0;  // 0: nothing was ever written
  std::map<std::string, StateEntry, std::less<>> entries;

  bool operator==(const StateSnapshot&) const = default;
};

// One write of a key; without a value the key is removed.
struct StateWrite {
  std::string key;
  std::optional<Payload> value;
  std::optional<Timestamp> expires_at;

  bool operator==(const StateWrite&) const = default;
};

}  // namespace ganglion
