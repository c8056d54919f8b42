#pragma once

// What a conditional write of a session's state demands and how large a session may get, the same for every
// store.

#include <cstdint>
#include <optional>

#include "base/overloaded.h"
#include "core/state_size.h"
#include "ports/store.h"

namespace ganglion {

// `written_at` is the version at which the key was last written; nothing if it isn't there.
inline bool holds(const StatePrecondition& precondition, std::optional<std::uint64_t> written_at) {
  return std::visit(Overloaded{[](AnyVersion) { return true; }, [&](KeyAbsent) { return !written_at; },
                               [&](KeyVersion wanted) { return written_at == wanted.version; }},
                    precondition);
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
