#include "audit/copier.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ganglion::audit {
namespace {

constexpr Duration kCountAnew{1'000};  // while there is always more to copy

// What is copied once `growth` is: the positions up to that of the last run that was answered. Runs without
// an answer before it aren't in the store; where there is no answer at all, none of them is.
std::vector<JournalPosition> copied_with(const std::vector<JournalGrowth>& growth,
                                         std::vector<JournalPosition> positions) {
  auto at = positions.begin();
  for (const JournalGrowth& run : growth) {
    at = std::ranges::find(at, positions.end(), run.record.id, &JournalPosition::run);
    GANGLION_ASSERT(at != positions.end());
    if (!run.entries.empty()) at->seq = run.entries.back().seq;
    ++at;
  }
  if (!growth.empty()) positions.erase(at, positions.end());
  return positions;
}

}  // namespace

Copier::Copier(Store& store, Audit& audit, Clock& clock, CopierOptions options)
    : store_(store), audit_(audit), clock_(clock), options_(std::move(options)) {
  GANGLION_ASSERT(options_.batch <= kMaxOutboxRuns && options_.lease <= kMaxOutboxLease);
}

Copier::~Copier() = default;

template <typename Handler>
auto Copier::guarded(Handler handler) {
  return [alive = std::weak_ptr(alive_), handler = std::move(handler)](auto answer) mutable {
    if (!alive.expired()) handler(std::move(answer));
  };
}

void Copier::after(Duration pause, std::move_only_function<void()> then) {
  clock_.at(clock_.now() + pause, [alive = std::weak_ptr(alive_), then = std::move(then)]() mutable {
    if (!alive.expired()) then();
  });
}

// --- the beginning
// ------------------------------------------------------------------------------------------------------

void Copier::start() {
  turn_on();
}

void Copier::turn_on() {
  store_.turn_outbox_on(guarded([this](Result<void> on) {
    if (!on) return fails(on.error(), [this] { turn_on(); });
    identify();
  }));
}

void Copier::identify() {
  audit_.identify(guarded([this](Result<std::string> audit) {
    if (!audit) return fails(audit.error(), [this] { identify(); });
    find_out_whether_filled(*audit);
  }));
}

void Copier::find_out_whether_filled(const std::string& audit) {
  store_.get_setting(kFilledSetting, guarded([this, audit](Result<std::string> filled) {
                       if (!filled && filled.error().code != "not_found")
                         return fails(filled.error(), [this, audit] { find_out_whether_filled(audit); });
                       if (!filled || *filled != audit) return fill(audit, std::nullopt);
                       goes_well();
                       copies_ = true;
                       look();
                     }));
}

// Every run that there is now; later ones come by their commits.
void Copier::fill(std::string audit, std::optional<RunId> before) {
  RunQuery query;
  query.before = before;
  query.limit = kMaxOutboxRuns;
  store_.list_runs(
      std::move(query), guarded([this, audit, before](Result<std::vector<RunRecord>> page) mutable {
        if (!page) return fails(page.error(), [this, audit, before] { fill(audit, before); });
        if (!page->empty()) return put_in(std::move(audit), *page);
        store_.put_setting(kFilledSetting, audit, guarded([this, audit, before](Result<void> put) {
                             if (!put)
                               return fails(put.error(), [this, audit, before] { fill(audit, before); });
                             find_out_whether_filled(audit);
                           }));
      }));
}

void Copier::put_in(std::string audit, const std::vector<RunRecord>& page) {
  std::vector<RunId> runs;
  for (const RunRecord& record : page) runs.push_back(record.id);
  const RunId last = runs.back();
  store_.put_into_outbox(std::move(runs), guarded([this, audit, page, last](Result<void> put) mutable {
                           if (put) return fill(std::move(audit), last);
                           fails(put.error(), [this, audit, page] { put_in(audit, page); });
                         }));
}

// --- one batch after another
// ------------------------------------------------------------------------------------------------------

void Copier::look() {
  next_look_ = TimerId(0);
  if (!copies_ || taking_ || batches_.size() >= kMaxBatches) return;
  taking_ = true;
  if (more_ && clock_.now() - last_count_ < kCountAnew) return take();
  store_.count_outbox(guarded([this](Result<std::uint64_t> runs) {
    if (!runs) return fails(runs.error(), [this] { look_again(); });
    last_count_ = clock_.now();
    backlog_ = *runs;
    if (backlog_ > 0) return take();
    taken({});
  }));
}

void Copier::look_again() {
  taking_ = false;
  look();
}

void Copier::look_later() {
  if (next_look_ != TimerId(0)) return;
  next_look_ = clock_.at(clock_.now() + options_.rest, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) look();
  });
}

void Copier::take() {
  store_.take_from_outbox(options_.batch, options_.lease, guarded([this](Result<std::vector<RunId>> runs) {
                            if (!runs) return fails(runs.error(), [this] { look_again(); });
                            taken(std::move(*runs));
                          }));
}

void Copier::taken(std::vector<RunId> runs) {
  taking_ = false;
  more_ = runs.size() == options_.batch;
  found_none_ = runs.empty();
  if (!runs.empty()) {
    batches_.push_back({.runs = std::move(runs), .oldest = clock_.now()});
    find_positions(std::prev(batches_.end()));
  } else if (batches_.empty()) {
    goes_well();
  }
  if (more_)
    look();
  else
    look_later();
  check_finished();
}

void Copier::find_positions(BatchAt batch) {
  if (batch->runs.empty()) return end(batch);
  std::vector<RunId> runs = batch->one_by_one ? std::vector{batch->runs.front()} : batch->runs;
  audit_.find_positions(std::move(runs),
                        guarded([this, batch](Result<std::vector<JournalPosition>> positions) {
                          if (!positions)
                            return fails(positions.error(), [this, batch] { find_positions(batch); });
                          read(batch, std::move(*positions));
                        }));
}

void Copier::read(BatchAt batch, std::vector<JournalPosition> positions) {
  std::vector<JournalPosition> from = positions;
  store_.read_growth(std::move(from), guarded([this, batch, positions = std::move(positions)](
                                                  Result<std::vector<JournalGrowth>> growth) mutable {
                       if (!growth) return fails(growth.error(), [this, batch] { find_positions(batch); });
                       append(batch, copied_with(*growth, std::move(positions)), std::move(*growth));
                     }));
}

void Copier::append(BatchAt batch, std::vector<JournalPosition> copied, std::vector<JournalGrowth> growth) {
  std::erase_if(growth, [](const JournalGrowth& run) { return run.entries.empty(); });
  if (growth.empty()) return settle(batch, std::move(copied));
  std::uint64_t entries = 0;
  for (const JournalGrowth& run : growth) {
    entries += run.entries.size();
    for (const JournalEntry& entry : run.entries) batch->oldest = std::min(batch->oldest, entry.at);
  }
  audit_.append(std::move(growth),
                guarded([this, batch, entries, copied = std::move(copied)](Result<void> appended) mutable {
                  if (appended) {
                    entries_ += entries;
                    return settle(batch, std::move(copied));
                  }
                  if (appended.error().code == "refused") return refused(batch, appended.error());
                  fails(appended.error(), [this, batch] { find_positions(batch); });
                }));
}

// One run that can't be copied must not keep the others from it: it stays in the outbox and is tried again
// when its lease is over.
void Copier::refused(BatchAt batch, const Error& why) {
  if (batch->runs.size() == 1 || batch->one_by_one) {
    report({why.code, "run " + batch->runs.front().text() + ": " + why.message});
    batch->runs.erase(batch->runs.begin());
  }
  batch->one_by_one = true;
  find_positions(batch);
}

void Copier::settle(BatchAt batch, std::vector<JournalPosition> copied) {
  std::vector<JournalPosition> told = copied;
  store_.settle_outbox(std::move(told),
                       guarded([this, batch, copied = std::move(copied)](Result<void> settled) mutable {
                         if (!settled) {
                           return fails(settled.error(), [this, batch, copied = std::move(copied)]() mutable {
                             settle(batch, std::move(copied));
                           });
                         }
                         const auto runs = static_cast<std::ptrdiff_t>(copied.size());
                         batch->runs.erase(batch->runs.begin(), batch->runs.begin() + runs);
                         found_none_ = false;
                         find_positions(batch);
                       }));
}

void Copier::end(BatchAt batch) {
  batches_.erase(batch);
  goes_well();
  // Otherwise the next look is due.
  if (more_ || next_look_ == TimerId(0)) look();
  check_finished();
}

// --- trouble, and the end
// ------------------------------------------------------------------------------------------------------

void Copier::fails(const Error& why, std::move_only_function<void()> again) {
  if (!trouble_since_) trouble_since_ = clock_.now();
  report(why);
  after(options_.retry, [this, again = std::move(again)]() mutable {
    store_.count_outbox(guarded([this, again = std::move(again)](Result<std::uint64_t> runs) mutable {
      if (runs) backlog_ = *runs;
      again();
    }));
  });
}

void Copier::report(const Error& why) {
  if (clock_.now() - reported_since_ >= options_.report) reported_.clear();
  if (reported_.size() >= kMaxReports || std::ranges::find(reported_, why) != reported_.end()) return;
  if (reported_.empty()) reported_since_ = clock_.now();
  reported_.push_back(why);
  if (options_.on_problem) options_.on_problem(why);
}

void Copier::goes_well() {
  if (!trouble_since_) return;
  trouble_since_.reset();
  if (options_.on_recovered) options_.on_recovered();
}

void Copier::finish(Duration patience, std::move_only_function<void()> done) {
  finished_ = std::move(done);
  after(patience, [this] {
    if (finished_) std::exchange(finished_, nullptr)();
  });
  found_none_ = false;
  look();
}

void Copier::check_finished() {
  if (!finished_ || !found_none_ || taking_ || !batches_.empty()) return;
  std::exchange(finished_, nullptr)();
}

CopierStatistics Copier::statistics() const {
  Timestamp oldest = std::min(clock_.now(), trouble_since_.value_or(clock_.now()));
  for (const Batch& batch : batches_) oldest = std::min(oldest, batch.oldest);
  return {.entries = entries_,
          .backlog = backlog_,
          .lag = clock_.now() - oldest,
          .in_trouble = trouble_since_.has_value()};
}

}  // namespace ganglion::audit
