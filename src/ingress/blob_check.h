#pragma once

// Whether what a payload refers to is there (core/blob_references.h).

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/store.h"

namespace ganglion::ingress {

// Error codes: `unknown_blob`, naming the first that isn't there, and those of the store. Called at once
// where there is nothing to look for.
void check_blobs(Store& store, std::vector<std::string> digests,
                 std::move_only_function<void(Result<void>)> done);

}  // namespace ganglion::ingress
