#pragma once

// Records by kind and id; newest first they are sorted when they are listed.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/blobs.h"
#include "ports/store.h"

namespace ganglion::memory {

class Records {
 public:
  // `blobs` outlives this.
  explicit Records(Blobs& blobs) : blobs_(blobs) {}

  void put(Record record);
  std::uint64_t remove(RecordKind kind, const std::optional<std::string>& id);
  Result<Record> find(const RecordKey& key) const;
  Result<std::vector<Record>> list(const RecordQuery& query) const;

 private:
  Blobs& blobs_;
  std::map<std::pair<RecordKind, std::string>, Record> records_;
};

}  // namespace ganglion::memory
