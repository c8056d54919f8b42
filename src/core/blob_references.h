#pragma once

// Large values by reference: wherever a value says {"$ref": "sha256:…"}, a blob with that digest is meant.

#include <string>
#include <string_view>
#include <vector>

namespace ganglion {

// Adds the digests (64 hexadecimal digits) that the JSON refers to. `digests` is sorted afterwards, and has
// each once, if any were added.
void find_blob_references(std::string_view json, std::vector<std::string>& digests);

}  // namespace ganglion
