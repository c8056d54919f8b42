#include "sim/world/audit_server.h"

namespace ganglion::sim {

std::uint64_t AuditServer::position_of(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? 0 : found->second.journal.size();
}

Result<void> AuditServer::append(const std::vector<JournalGrowth>& growth) {
  for (const auto& [record, entries] : growth) {
    if (entries.front().seq > position_of(record.id) + 1) return fail("gap", "entries are missing");
  }
  for (const JournalGrowth& run : growth) add(run);
  return {};
}

void AuditServer::add(const JournalGrowth& growth) {
  const std::string name = "the audit of run " + growth.record.id.text();
  Copied& copied = runs_.try_emplace(growth.record.id, growth.record).first->second;
  if (growth.entries.back().seq >= copied.journal.size()) copied.record = growth.record;
  for (const JournalEntry& entry : growth.entries) {
    if (entry.seq > copied.journal.size() + 1) violated_(name + " is given a gap");
    if (entry.seq == copied.journal.size() + 1) {
      copied.journal.push_back(entry);
    } else if (!other_entries_ && copied.journal[entry.seq - 1] != entry) {
      violated_(name + " is given another entry " + std::to_string(entry.seq));
    }
  }
}

}  // namespace ganglion::sim
