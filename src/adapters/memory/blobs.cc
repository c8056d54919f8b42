#include "adapters/memory/blobs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/blob_references.h"

namespace ganglion::memory {
namespace {

std::vector<std::string> references_in(std::string_view json) {
  std::vector<std::string> digests;
  find_blob_references(json, digests);
  return digests;
}

}  // namespace

void Blobs::refer(std::span<const std::string> digests) {
  for (const std::string& digest : digests) ++references_[digest];
}

void Blobs::refer_from(std::string_view json) {
  refer(references_in(json));
}

void Blobs::release_from(std::string_view json) {
  for (const std::string& digest : references_in(json)) {
    const auto found = references_.find(digest);
    if (found != references_.end() && --found->second == 0) references_.erase(found);
  }
}

void Blobs::put(const std::string& digest, std::string content, Timestamp now) {
  Blob& blob = blobs_.try_emplace(digest, Blob{std::move(content), now}).first->second;
  // Not back in time: someone may rely on the later one.
  blob.written_at = std::max(blob.written_at, now);
}

Result<std::string> Blobs::get(const std::string& digest) const {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return fail("not_found", "there is no blob sha256:" + digest);
  return found->second.content;
}

std::uint64_t Blobs::collect(Timestamp unused_since, std::uint32_t limit) {
  std::uint64_t collected = 0;
  for (auto at = blobs_.begin(); at != blobs_.end() && collected < limit;) {
    if (at->second.written_at < unused_since && !references_.contains(at->first)) {
      at = blobs_.erase(at);
      ++collected;
    } else {
      ++at;
    }
  }
  return collected;
}

}  // namespace ganglion::memory
