#pragma once

// All of a commit in the one transaction of its group: the journal first, which alone can refuse it, then
// what belongs to it. Nothing after the journal can end in a conflict, so a refused commit has written
// nothing.

#include "adapters/sqlite/tables.h"

namespace ganglion::sqlite {

// Committed, VersionConflict or KeyTaken; after an error the transaction must be rolled back.
DatabaseResult<CommitOutcome> apply_commit(Tables& tables, const Commit& commit);

}  // namespace ganglion::sqlite
