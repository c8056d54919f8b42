#pragma once

#include <filesystem>
#include <memory>

#include "adapters/sqlite/store.h"
#include "adapters/system/asio_loop.h"

namespace ganglion::bench {

// Ends the program where it can't be opened.
std::unique_ptr<sqlite::Store> open_store(const std::filesystem::path& folder, AsioLoop& loop);

// What a conversation costs that grows by a message a step and stands in every step's input and output.
void measure_conversation(const std::filesystem::path& folder);
// What commits notice while large blobs are written.
void measure_blobs(const std::filesystem::path& folder);

}  // namespace ganglion::bench
