#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "core/ids.h"
#include "core/journal.h"
#include "core/run.h"
#include "core/workflow.h"

namespace ganglion {

// The run that a journal tells of. `project` is the one that its first entry names by digest. Error code
// `corrupt_journal`: a gap, an unknown event, a workflow or step that the project doesn't have.
Result<std::unique_ptr<Run>> fold(const RunId& id, std::shared_ptr<const Project> project,
                                  std::span<const JournalEntry> journal);

// Folds one more entry.
Result<void> fold_next(Run& run, const JournalEntry& entry);

}  // namespace ganglion
