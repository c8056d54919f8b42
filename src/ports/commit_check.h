#pragma once

// What every store asserts about a commit before it looks at its own state: breaking one of these is a bug of
// the caller.

#include "base/assert.h"
#include "base/sha256.h"
#include "ports/store.h"

namespace ganglion {

inline constexpr std::size_t kMaxIdempotencyKey = 255;  // bytes

inline void assert_well_formed(const Commit& commit) {
  GANGLION_ASSERT(!commit.events.empty());
  const std::uint64_t shared = commit.fork ? commit.fork->seq : 0;
  GANGLION_ASSERT(!commit.fork || (commit.create && shared > 0));
  GANGLION_ASSERT(commit.create || commit.expected_version > 0);
  GANGLION_ASSERT(!commit.create || commit.expected_version == shared);
  GANGLION_ASSERT(!commit.state || !commit.state->writes.empty());
  GANGLION_ASSERT(!commit.create || commit.create->id == commit.run);
  GANGLION_ASSERT(!commit.claim || commit.create);
  GANGLION_ASSERT(!commit.claim || commit.claim->key.size() <= kMaxIdempotencyKey);
  for (const std::string& digest : commit.blobs) GANGLION_ASSERT(is_sha256_hex(digest));
  std::uint64_t seq = commit.expected_version;
  for (const JournalEntry& event : commit.events) GANGLION_ASSERT(event.seq == ++seq);
}

}  // namespace ganglion
