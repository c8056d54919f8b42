#pragma once

// Which blobs a JSON text refers to: `{"$ref": "sha256:<64 hex digits>"}` anywhere in it. Stores use this for
// what comes without a list of references (records, events, state). The scan looks at the text alone; within
// a string the quotes would be escaped, so text that merely quotes a reference is none.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"

namespace ganglion {

// The digests, each once, in their order. `json` is a JSON value.
inline std::vector<std::string> blob_refs(std::string_view json) {
  constexpr std::string_view kName = R"("$ref")";
  constexpr std::string_view kScheme = R"("sha256:)";
  constexpr std::size_t kDigits = 64;
  std::vector<std::string> digests;
  const auto skip_space = [&json] {
    const std::size_t next = json.find_first_not_of(" \t\r\n");
    json.remove_prefix(next == std::string_view::npos ? json.size() : next);
  };
  for (std::size_t at = json.find(kName); at != std::string_view::npos; at = json.find(kName)) {
    json.remove_prefix(at + kName.size());
    skip_space();
    if (!json.starts_with(':')) continue;
    json.remove_prefix(1);
    skip_space();
    if (!json.starts_with(kScheme)) continue;
    json.remove_prefix(kScheme.size());
    const std::string_view digest = json.substr(0, kDigits);
    if (is_sha256_hex(digest) && json.substr(digest.size()).starts_with('"')) digests.emplace_back(digest);
  }
  std::ranges::sort(digests);
  digests.erase(std::ranges::unique(digests).begin(), digests.end());
  return digests;
}

}  // namespace ganglion
