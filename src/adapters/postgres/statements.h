#pragma once

// Every statement that a connection prepares, by name. Those of a commit's parts have a twin that does
// nothing where the commit was refused.

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace ganglion::postgres {

struct Statement {
  const char* name;
  std::string sql;
};

// --- groups of writes
extern const Statement kBegin, kCommitTransaction, kRollBack, kEndOther, kEnter, kBeginGroup;
extern const Statement kCommitToRun, kCommitToRunWithParts, kCreateRun, kCreateRunWithParts;
extern const Statement kPutRecord, kPutRecordPart, kRemoveRecords, kRemoveRecordPart;
extern const Statement kAppendEvents, kAppendEventsPart;
extern const Statement kWriteSessionPart, kWriteState, kExpireState;
extern const Statement kPutCachedPart, kKeepBlobsPart, kPutBlob, kCollectGarbage;
extern const Statement kPutDefinition, kPutSetting;
extern const Statement kTurnOutboxOn, kPutIntoOutbox, kTakeFromOutbox, kSettleOutbox;
// In the order in which they are prepared.
std::span<const Statement* const> writer_statements();

// --- reads
extern const Statement kReadJournal, kFindRun, kReadOpenRuns, kGetDefinition, kGetSetting;
extern const Statement kListRuns, kListRunsByWorkflow, kListRunsByStatus, kListRunsBySession,
    kListRunsByParent, kListRunsByLabel;
extern const Statement kFindRecord, kListRecords, kListRecordsOfRun;
extern const Statement kReadEventsForward, kReadEventsBackward, kReadTopicForward, kReadTopicBackward,
    kLastEvent;
extern const Statement kReadState, kFindCached, kGetBlob, kHasBlob, kLastTime;
extern const Statement kCountOutbox, kReadGrowth;
std::span<const Statement* const> reader_statements();

// Runs, or events, that a listing looks at before other reads get their turn.
inline constexpr std::int64_t kSlice = 500;

}  // namespace ganglion::postgres
