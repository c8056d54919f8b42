#pragma once

// All of a commit in the one transaction of its group: whether the session's state is where it was, then the
// journal, then what belongs to it. Nothing after the journal can end in a conflict, so a refused commit has
// written nothing.

#include "adapters/sqlite/tables.h"

namespace ganglion::sqlite {

// Committed, StateMoved, VersionConflict or KeyTaken; after an error the transaction must be rolled back.
DatabaseResult<CommitOutcome> apply_commit(Tables& tables, const Commit& commit);

}  // namespace ganglion::sqlite
