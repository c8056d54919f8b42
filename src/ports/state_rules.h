#pragma once

// What a conditional write of a session's state demands and how large a session may get, the same for every
// store.

#include <cstdint>
#include <optional>

#include "base/overloaded.h"
#include "core/workflow.h"
#include "ports/store.h"

namespace ganglion {

// `written_at` is the version at which the key was last written; nothing if it isn't there.
inline bool holds(const StatePrecondition& precondition, std::optional<std::uint64_t> written_at) {
  return std::visit(Overloaded{[](AnyVersion) { return true; }, [&](KeyAbsent) { return !written_at; },
                               [&](KeyVersion wanted) { return written_at == wanted.version; }},
                    precondition);
}

struct StateSize {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;  // of the values

  void add(std::uint64_t value_bytes) {
    ++keys;
    bytes += value_bytes;
  }
  void remove(std::uint64_t value_bytes) {
    --keys;
    bytes -= value_bytes;
  }
};

// A session beyond its bounds may still shrink.
inline bool may_become(const StateSize& before, const StateSize& after) {
  return (after.keys <= kMaxStateKeys || after.keys <= before.keys) &&
         (after.bytes <= kMaxStateBytes || after.bytes <= before.bytes);
}

inline Error state_too_large(const std::string& session) {
  return {"too_large", "the state of session \"" + session + "\" would hold more than " +
                           std::to_string(kMaxStateKeys) + " keys or " +
                           std::to_string(kMaxStateBytes >> 20) + " MiB; remove keys first"};
}

// Whether `version` of a session whose latest is `latest` can be read.
inline Result<void> check_state_version(std::uint64_t version, std::uint64_t latest) {
  if (version > latest) {
    return fail("not_found", "there is no version " + std::to_string(version) + " yet, the latest is " +
                                 std::to_string(latest));
  }
  if (version + kStateHistory <= latest) {
    return fail("gone", "version " + std::to_string(version) + " is no longer kept, only the last " +
                            std::to_string(kStateHistory));
  }
  return {};
}

}  // namespace ganglion
