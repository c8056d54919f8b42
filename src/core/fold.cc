#include "core/fold.h"

#include <string>
#include <utility>

#include "core/event_codec.h"

namespace ganglion {

Result<void> fold_next(Run& run, const JournalEntry& entry) {
  if (entry.seq != run.version() + 1) {
    return fail("corrupt_journal", "after entry " + std::to_string(run.version()) + " comes " + std::to_string(entry.seq));
  }
  const auto event = decode(entry, run.workflow());
  if (!event) return std::unexpected(event.error());
  if ((entry.seq == 1) != std::holds_alternative<RunCreated>(*event)) {
    return fail("corrupt_journal", "a journal begins with run_created, and no other entry is one");
  }
  run.apply(*event, entry.at);
  return {};
}

Result<std::unique_ptr<Run>> fold(const RunId& id, std::shared_ptr<const Project> project,
                                  std::span<const JournalEntry> journal) {
  if (journal.empty()) return fail("corrupt_journal", "the journal of run " + id.text() + " is empty");
  const auto created = decode_created(journal.front());
  if (!created) return std::unexpected(created.error());
  const auto workflow = project->workflows.find(created->workflow);
  if (workflow == project->workflows.end()) {
    return fail("corrupt_journal", "project " + project->digest + " has no workflow \"" + created->workflow + "\"");
  }
  const WorkflowDefinition& definition = workflow->second;
  auto run = std::make_unique<Run>(id, std::move(project), definition);
  for (const JournalEntry& entry : journal) {
    if (auto folded = fold_next(*run, entry); !folded) return std::unexpected(folded.error());
  }
  return run;
}

}  // namespace ganglion
