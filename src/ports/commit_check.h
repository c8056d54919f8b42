#pragma once

// What every store asserts about a commit before it looks at its own state: breaking one of these is a bug of
// the caller.

#include "base/assert.h"
#include "ports/store.h"

namespace ganglion {

inline constexpr std::size_t kMaxIdempotencyKey = 255;  // bytes

inline void assert_well_formed(const Commit& commit) {
  GANGLION_ASSERT(!commit.events.empty());
  GANGLION_ASSERT(commit.create.has_value() == (commit.expected_version == 0));
  GANGLION_ASSERT(!commit.create || commit.create->id == commit.run);
  GANGLION_ASSERT(!commit.claim || commit.create);
  GANGLION_ASSERT(!commit.claim || commit.claim->key.size() <= kMaxIdempotencyKey);
  std::uint64_t seq = commit.expected_version;
  for (const JournalEntry& event : commit.events) GANGLION_ASSERT(event.seq == ++seq);
}

}  // namespace ganglion
