#pragma once

// The disk's own limit: appends of one record, each followed by fdatasync, as a journal without group commit
// would write them. It differs from moment to moment where the disk is shared, which is why it is measured
// right before anything that is held against it.

#include <chrono>
#include <filesystem>

namespace ganglion::bench {

// In this folder. Throws std::runtime_error if it can't be written.
double appends_per_second(const std::filesystem::path& folder, std::chrono::milliseconds duration);

}  // namespace ganglion::bench
