#include "adapters/memory/audit.h"

#include <utility>

#include "base/assert.h"

namespace ganglion::memory {

template <typename T>
void Audit::complete(Completion<T> done, T value) {
  clock_.post([alive = std::weak_ptr(alive_), done = std::move(done), value = std::move(value)]() mutable {
    if (!alive.expired()) done(std::move(value));
  });
}

std::uint64_t Audit::position_of(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? 0 : found->second.journal.size();
}

void Audit::identify(Completion<Result<std::string>> done) {
  complete(std::move(done), Result<std::string>(name_));
}

void Audit::find_positions(std::vector<RunId> runs, Completion<Result<std::vector<JournalPosition>>> done) {
  std::vector<JournalPosition> positions;
  for (const RunId& run : runs) positions.push_back({run, position_of(run)});
  complete<Result<std::vector<JournalPosition>>>(std::move(done), std::move(positions));
}

void Audit::append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) {
  for (const auto& [record, entries] : growth) {
    GANGLION_ASSERT(!entries.empty());
    if (entries.front().seq > position_of(record.id) + 1)
      return complete<Result<void>>(std::move(done), fail("gap", "entries before these are missing"));
  }
  for (auto& [record, entries] : growth) {
    Copied& copied = runs_.try_emplace(record.id, record).first->second;
    if (entries.back().seq >= copied.journal.size()) copied.record = record;
    for (JournalEntry& entry : entries) {
      if (entry.seq <= copied.journal.size()) continue;
      GANGLION_ASSERT(entry.seq == copied.journal.size() + 1);
      copied.journal.push_back(std::move(entry));
    }
  }
  complete(std::move(done), Result<void>());
}

}  // namespace ganglion::memory
