#include "core/blob_references.h"

#include <algorithm>

#include "base/sha256.h"

namespace ganglion {
namespace {

constexpr std::string_view kName = "\"$ref\"";
constexpr std::string_view kPrefix = "\"sha256:";
constexpr std::size_t kDigestLength = 64;

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

}  // namespace

void find_blob_references(std::string_view json, std::vector<std::string>& digests) {
  const std::size_t known = digests.size();
  for (std::size_t at = json.find(kName); at != std::string_view::npos; at = json.find(kName, at + 1)) {
    std::string_view rest = json.substr(at + kName.size());
    skip_space(rest);
    if (!rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    skip_space(rest);
    if (!rest.starts_with(kPrefix)) continue;
    const std::string_view digest = rest.substr(kPrefix.size(), kDigestLength);
    if (!is_sha256_hex(digest) || !rest.substr(kPrefix.size() + kDigestLength).starts_with('"')) continue;
    digests.emplace_back(digest);
  }
  if (digests.size() == known) return;
  std::ranges::sort(digests);
  const auto repeated = std::ranges::unique(digests);
  digests.erase(repeated.begin(), repeated.end());
}

}  // namespace ganglion
