#pragma once

// User blobs, and how often each is referred to.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace ganglion::memory {

class Blobs {
 public:
  // One more reference to each; to one that isn't there, too.
  void refer(std::span<const std::string> digests);
  void refer_from(std::string_view json);
  // Takes the references of a text away that were added for the same text.
  void release_from(std::string_view json);

  void put(const std::string& digest, std::string content, Timestamp now);
  Result<std::string> get(const std::string& digest) const;
  std::uint64_t collect(Timestamp unused_since, std::uint32_t limit);

 private:
  struct Blob {
    std::string content;
    Timestamp written_at;
  };

  std::map<std::string, Blob> blobs_;
  std::map<std::string, std::uint64_t> references_;
};

}  // namespace ganglion::memory
