#include "adapters/sqlite/worker.h"

#include <iterator>
#include <utility>

#include "base/overloaded.h"

namespace ganglion::sqlite {
namespace {

// Pages of 4 KiB in the write-ahead log at which it is moved into the file. Bounds the log, the time to open
// after a crash, and the pause of commits while it is moved (docs/internals/store.md).
constexpr int kCheckpointFrames = 1024;
// Then commits get their turn.
constexpr int kReadsPerTurn = 16;

DatabaseResult<CommitOutcome> apply(JournalWriter& writer, const Write& write) {
  if (write.refused) return StoreUnavailable{"the store can't keep up: 64 MiB wait to be written"};
  const auto as_outcome = [](const DatabaseResult<void>& put) -> DatabaseResult<CommitOutcome> {
    if (!put) return std::unexpected(put.error());
    return Committed{};
  };
  return std::visit(
      Overloaded{
          [&](const CommitWrite& w) { return writer.apply(w.commit); },
          [&](const DefinitionWrite& w) { return as_outcome(writer.put_definition(w.digest, w.source)); },
          [&](const SettingWrite& w) { return as_outcome(writer.put_setting(w.name, w.value)); }},
      write.request);
}

Result<void> as_result(const CommitOutcome& outcome) {
  if (const auto* unavailable = std::get_if<StoreUnavailable>(&outcome)) {
    return fail("unavailable", unavailable->reason);
  }
  return {};
}

Delivery completion(Write write, CommitOutcome outcome) {
  const auto complete_put = [&](auto& put) -> Delivery {
    return [done = std::move(put.done), result = as_result(outcome)]() mutable { done(std::move(result)); };
  };
  return std::visit(Overloaded{[&](CommitWrite& w) -> Delivery {
                                 return [done = std::move(w.done), outcome = std::move(outcome)]() mutable {
                                   done(std::move(outcome));
                                 };
                               },
                               [&](DefinitionWrite& w) { return complete_put(w); },
                               [&](SettingWrite& w) { return complete_put(w); }},
                    write.request);
}

}  // namespace

Worker::Worker(Options options, ProcessLock lock, Database database)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      database_(std::move(database)),
      tables_(database_) {}

Worker::~Worker() {
  *alive_ = false;
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

DatabaseResult<void> Worker::start() {
  database_.count_wal_frames(&wal_frames_);
  const DatabaseResult<void> loaded = tables_.writer.load();
  if (loaded) thread_ = std::thread([this] { run(); });
  return loaded;
}

void Worker::run() {
  for (;;) {
    const bool idle = reads_.empty();
    WorkQueue::Work work =
        queue_.take(idle ? WorkQueue::WhenIdle::wait : WorkQueue::WhenIdle::return_at_once);
    std::ranges::move(work.reads, std::back_inserter(reads_));
    if (!work.writes.empty()) write_group(std::move(work.writes));
    if (work.closed || failed_) return;
    answer_reads();
    checkpoint_if_due();
    if (failed_) return;
  }
}

void Worker::write_group(std::vector<Write> writes) {
  DatabaseResult<std::vector<CommitOutcome>> outcomes = apply_group(writes);
  if (!outcomes) {
    tables_.writer.roll_back();
    if (outcomes.error().severity() == Severity::fatal) return stop_for(outcomes.error());
    const StoreUnavailable unavailable{"the store can't be written: " + outcomes.error().message};
    outcomes = std::vector<CommitOutcome>(writes.size(), unavailable);
  }
  std::vector<Delivery> deliveries;
  deliveries.reserve(writes.size());
  for (std::size_t i = 0; i < writes.size(); ++i) {
    deliveries.push_back(completion(std::move(writes[i]), std::move((*outcomes)[i])));
  }
  deliver(std::move(deliveries));
}

DatabaseResult<std::vector<CommitOutcome>> Worker::apply_group(const std::vector<Write>& writes) {
  std::vector<CommitOutcome> outcomes;
  outcomes.reserve(writes.size());
  if (const auto begun = tables_.writer.begin(); !begun) return std::unexpected(begun.error());
  for (const Write& write : writes) {
    DatabaseResult<CommitOutcome> outcome = apply(tables_.writer, write);
    if (!outcome) return std::unexpected(outcome.error());
    outcomes.push_back(std::move(*outcome));
  }
  if (const auto committed = tables_.writer.commit(); !committed) return std::unexpected(committed.error());
  return outcomes;
}

void Worker::answer_reads() {
  std::vector<Delivery> deliveries;
  for (int turn = 0; turn < kReadsPerTurn && !reads_.empty(); ++turn) {
    Read read = std::move(reads_.front());
    reads_.pop_front();
    if (std::optional<Delivery> delivery = read(tables_))
      deliveries.push_back(std::move(*delivery));
    else
      reads_.push_back(std::move(read));
  }
  if (!deliveries.empty()) deliver(std::move(deliveries));
}

// A checkpoint that a full disk refuses is tried again after the next group; until then the log holds
// everything.
void Worker::checkpoint_if_due() {
  if (wal_frames_ < kCheckpointFrames) return;
  const DatabaseResult<void> done = database_.checkpoint();
  if (done)
    wal_frames_ = 0;
  else if (done.error().severity() == Severity::fatal)
    stop_for(done.error());
}

void Worker::deliver(std::vector<Delivery> deliveries) {
  options_.post_from_thread([alive = alive_, deliveries = std::move(deliveries)]() mutable {
    for (Delivery& delivery : deliveries) {
      if (!*alive) return;
      delivery();
    }
  });
}

void Worker::stop_for(const DatabaseError& error) {
  failed_ = true;
  queue_.close();
  const std::string what =
      error.is_corruption() ? "the store's file is damaged: " : "it is unknown what is durable: ";
  options_.fatal(what + error.message + " (SQLite error " + std::to_string(error.code) + ")");
}

}  // namespace ganglion::sqlite
