#include "adapters/memory/records.h"

#include <algorithm>
#include <tuple>

namespace ganglion::memory {

void Records::put(Record record) {
  remove(record.kind, record.id);
  blobs_.refer_from(record.data);
  std::pair key(record.kind, record.id);
  records_.emplace(std::move(key), std::move(record));
}

std::uint64_t Records::remove(RecordKind kind, const std::optional<std::string>& id) {
  return std::erase_if(records_, [&](const auto& entry) {
    const bool meant = entry.first.first == kind && (!id || entry.first.second == *id);
    if (meant) blobs_.release_from(entry.second.data);
    return meant;
  });
}

Result<Record> Records::find(const RecordKey& key) const {
  const auto found = records_.find({key.kind, key.id});
  if (found == records_.end()) return fail("not_found", "there is no record " + key.id);
  return found->second;
}

Result<std::vector<Record>> Records::list(const RecordQuery& query) const {
  const auto position = [](const Record& record) { return std::tie(record.at, record.id); };
  std::optional<Record> last;
  if (query.before) {
    Result<Record> found = find({query.kind, *query.before});
    if (!found) return std::unexpected(found.error());
    last = std::move(*found);
  }
  std::vector<Record> listed;
  for (const auto& [key, record] : records_) {
    if (record.kind != query.kind || (query.run && record.run != query.run)) continue;
    if (!last || position(record) < position(*last)) listed.push_back(record);
  }
  std::ranges::sort(listed, [&](const Record& a, const Record& b) { return position(b) < position(a); });
  if (listed.size() > query.limit) listed.resize(query.limit);
  return listed;
}

}  // namespace ganglion::memory
