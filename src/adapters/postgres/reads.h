#pragma once

// Every read of the port as calls to the server. A listing whose filters match rarely takes several, and lets
// other reads go between.

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/reader.h"
#include "adapters/postgres/rows.h"
#include "ports/store.h"

namespace ganglion::postgres {

template <typename T>
Delivery deliver(Store::Completion<Result<T>> done, Result<T> answer) {
  return [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); };
}

// A read that one call answers; `parse(const PGresult&)` gives a Result<T>.
template <typename T, typename Parse>
Read read_once(Call call, Parse parse, Store::Completion<Result<T>> done) {
  return {.call = std::move(call),
          .take = [parse = std::move(parse),
                   done = std::move(done)](std::expected<ResultPtr, Error> result) mutable -> NextStep {
            if (!result) return deliver<T>(std::move(done), std::unexpected(result.error()));
            return deliver<T>(std::move(done), parse(**result));
          }};
}

// A read in slices: `Scan` has `next()`, the call for the next slice; `take(const PGresult&)`, which gives
// whether it is finished; and `found`.
template <typename T, typename Scan>
Read read_in_slices(Scan scan, Store::Completion<Result<T>> done) {
  Call first = scan.next();
  return {.call = std::move(first),
          .take = [scan = std::move(scan),
                   done = std::move(done)](std::expected<ResultPtr, Error> result) mutable -> NextStep {
            if (!result) return deliver<T>(std::move(done), std::unexpected(result.error()));
            const Result<bool> finished = scan.take(**result);
            if (!finished) return deliver<T>(std::move(done), std::unexpected(finished.error()));
            if (!*finished) return scan.next();
            return deliver<T>(std::move(done), std::move(scan.found));
          }};
}

class RunScan {
 public:
  explicit RunScan(RunQuery query) : query_(std::move(query)) {}

  Call next() const;
  Result<bool> take(const PGresult& result);

  std::vector<RunRecord> found;

 private:
  RunQuery query_;
};

class EventScan {
 public:
  explicit EventScan(EventQuery query);

  Call next() const;
  Result<bool> take(const PGresult& result);

  std::vector<TopicEvent> found;

 private:
  EventQuery query_;
  std::optional<std::string> expression_;  // what the pattern is to the server
  std::size_t bytes_ = 0;
};

// First the record that the cursor names, if there is one, then the page.
class RecordScan {
 public:
  explicit RecordScan(RecordQuery query) : query_(std::move(query)) {}

  Call next() const;
  Result<bool> take(const PGresult& result);

  std::vector<Record> found;

 private:
  RecordQuery query_;
  std::optional<Record> last_;
};

Call read_journal(const RunId& run, std::uint64_t after, std::uint32_t limit);
Result<std::vector<JournalEntry>> journal_of(const RunId& run, std::uint64_t after, std::uint32_t limit,
                                             const PGresult& result);
Result<RunRecord> run_of(const RunId& run, const PGresult& result);
Call read_open_runs(const std::optional<RunId>& after, std::uint32_t limit);
Result<std::vector<OpenRun>> open_runs_of(const PGresult& result);
Call read_growth(const std::vector<JournalPosition>& from);
Result<std::vector<JournalGrowth>> growth_of(const std::vector<JournalPosition>& from,
                                             const PGresult& result);
Result<StateSnapshot> snapshot_of(std::optional<std::uint64_t> version, const PGresult& result);
Result<CachedOutput> cached_of(const std::string& key, const PGresult& result);
Result<std::string> blob_of(const std::string& digest, const PGresult& result);
// The bytes of the one column of the one row. Error `not_found`, where `what` is what there is none of.
Result<std::string> value_of(const std::string& what, const PGresult& result);
Result<Record> record_of(const RecordKey& key, const PGresult& result);

}  // namespace ganglion::postgres
