#pragma once

// The store's reads, run between two group commits on the writer's connection. None takes longer than a
// bounded amount of work: a listing that has to look at many runs goes on after the commits that have come in
// meanwhile.

#include <cstdint>
#include <vector>

#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace ganglion::sqlite {

// How far a listing has come.
struct ListScan {
  RunQuery query;
  std::optional<RunId> position;  // every run from here on has been looked at
  std::vector<RunRecord> found;
};

class RunReader {
 public:
  // The tables exist. `database` outlives the reader.
  explicit RunReader(Database& database);

  Result<std::vector<JournalEntry>> read_journal(const RunId& run, std::uint64_t after, std::uint32_t limit);
  Result<RunRecord> find_run(const RunId& run);
  // True when the listing is finished, else call again.
  Result<bool> advance(ListScan& scan);
  // Fewer than `limit` where journals are large, at least one if there is one.
  Result<std::vector<OpenRun>> read_open_runs(const std::optional<RunId>& after, std::uint32_t limit);
  Result<std::string> get_definition(const std::string& digest);
  Result<std::string> get_setting(const std::string& name);

 private:
  DatabaseResult<std::vector<JournalEntry>> read_entries(std::int64_t handle, std::uint64_t after,
                                                         std::int64_t limit);
  Statement& start(const ListScan& scan);
  Result<std::string> read_text(Statement& statement, const std::string& key, std::string_view what);

  Statement find_run_, read_entries_, read_open_runs_, get_definition_, get_setting_;
  Statement list_all_, list_by_workflow_, list_by_status_, list_by_session_, list_by_label_;
};

}  // namespace ganglion::sqlite
