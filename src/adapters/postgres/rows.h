#pragma once

// What the tables hold, as the port knows it: from rows to values. The columns are those of statements.cc.

#include <map>
#include <string>

#include "adapters/postgres/result.h"
#include "base/result.h"
#include "ports/store.h"

namespace ganglion::postgres {

// A record's kind as the tables have it.
std::int64_t number_of(RecordKind kind);

std::string labels_text(const std::map<std::string, std::string>& labels);

// Of the columns seq, at, type, step, item, attempt, data.
JournalEntry read_entry(const Row& row);
inline constexpr int kEntryColumnCount = 7;
// Of a run's columns from `first` on. Error `store_corrupt` for labels that are none.
Result<RunRecord> read_run(const Row& row, int first = 0);

Record read_record(RecordKind kind, const Row& row);
TopicEvent read_event(const Row& row);

}  // namespace ganglion::postgres
