#pragma once

// Every write of the port as calls to the server, and what their answers mean. `done` of the writes is the
// caller's to set.

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/postgres/write.h"
#include "ports/store.h"

namespace ganglion::postgres {

// A commit is one call that decides and its parts, which do nothing where it was refused.
Write write_of(const Commit& commit);
// How the calls of a commit were answered; `commit` tells which parts there are.
struct CommitShape {
  bool creates = false;
  bool publishes = false;
  bool writes_state = false;
};
CommitShape shape_of(const Commit& commit);
CommitOutcome outcome_of(const CommitShape& shape, Results results);

Write write_of(const Record& record);
Write removal_of(RecordKind kind, const std::optional<std::string>& id);

Write write_of(const std::vector<TopicEvent>& events);
std::vector<Appended> appended_of(const PGresult& result);

Write write_of(const std::string& session, const StateWrite& write, const StatePrecondition& precondition);
StateOutcome state_outcome_of(const PGresult& result);
Write expiry_of(Timestamp now, std::uint32_t limit);
std::vector<ExpiredState> expired_of(const PGresult& result);

// Of the outbox.
Write filling_of(const std::vector<RunId>& runs);
Write taking_of(std::uint32_t limit, Duration lease);
std::vector<RunId> taken_of(const PGresult& result);
Write settling_of(const std::vector<JournalPosition>& copied);

}  // namespace ganglion::postgres
