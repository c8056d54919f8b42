#pragma once

// The store's reads, run between two group commits on the writer's connection. None takes longer than a
// bounded amount of work: a listing that has to look at many runs goes on after the commits that have come in
// meanwhile.

#include <cstdint>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/piece_table.h"
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
  // The tables exist. Both outlive the reader.
  RunReader(Database& database, PieceTable& pieces);

  Result<std::vector<JournalEntry>> read_journal(const RunId& run, std::uint64_t after, std::uint32_t limit);
  Result<RunRecord> find_run(const RunId& run);
  // True when the listing is finished, else call again.
  Result<bool> advance(ListScan& scan);
  // Fewer than `limit` where journals are large, at least one if there is one.
  Result<std::vector<OpenRun>> read_open_runs(const std::optional<RunId>& after, std::uint32_t limit);
  Result<std::vector<JournalGrowth>> read_growth(const std::vector<JournalPosition>& from);
  Result<std::string> get_definition(const std::string& digest);
  Result<std::string> get_setting(const std::string& name);

 private:
  // Whose rows a journal consists of: those of `handle` up to and with `last`.
  struct Segment {
    std::int64_t handle = 0;
    std::uint64_t last = 0;
  };

  // Of entries that are read: no more of them, and none once there are so many bytes.
  struct Bounds {
    std::uint64_t entries;
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
  };

  // In their order; more than one for a fork.
  DatabaseResult<std::vector<Segment>> find_segments(std::int64_t handle);
  DatabaseResult<std::vector<JournalEntry>> read_entries(std::int64_t handle, std::uint64_t after,
                                                         const Bounds& bounds);
  DatabaseResult<void> append_entries(const Segment& segment, std::uint64_t after, const Bounds& bounds,
                                      std::vector<JournalEntry>& entries);
  Statement& start(const ListScan& scan);
  Result<std::string> read_text(Statement& statement, const std::string& key, std::string_view what);

  PieceTable& pieces_;
  Statement find_run_, find_fork_, read_entries_, read_open_runs_, get_definition_, get_setting_;
  Statement list_all_, list_by_workflow_, list_by_status_, list_by_session_, list_by_parent_, list_by_label_;
};

}  // namespace ganglion::sqlite
