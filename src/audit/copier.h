#pragma once

// Copies journals from the store to the audit, behind the commits: nothing waits for it, and whatever breaks
// it goes on where it was. What is still to be copied lies in the store's outbox, where each commit puts it.
//
//   take runs from the outbox, for a while alone      store
//     → ask how far they are copied                    audit
//     → read what their journals have behind that      store
//     → append it, many runs in one transaction        audit
//     → settle: out of the outbox, or again at once    store
//
// How far a run is copied only the audit itself says. So a process may die between any two steps, a lease may
// end too early, and several processes may copy the same: the audit then has the entries once, in order and
// without a gap. While the audit or the store is away, what was taken is tried again and the rest waits in
// the outbox.
//
// Belongs to the clock's event loop. Destroying it at any moment is like the death of its process.

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/audit.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::audit {

inline constexpr std::size_t kMaxBatches = 2;   // under way at the same time
inline constexpr std::size_t kMaxReports = 10;  // of trouble, in the time between two of the same
// The store's setting that names the audit into which every run has been put once.
inline constexpr const char* kFilledSetting = "audit";

struct CopierOptions {
  std::uint32_t batch = 500;  // runs
  Duration rest{100};         // before the next look, once all is copied
  Duration retry{500};        // before what has failed is tried again
  Duration lease{10'000};     // of runs that are being copied: what a dead process had waits for its end
  Duration report{60'000};    // between two reports of the same trouble
  // Something can't be copied for now, or a single run can't.
  std::function<void(const Error&)> on_problem = {};
  // After a problem: all that was under way is copied.
  std::function<void()> on_recovered = {};
};

struct CopierStatistics {
  std::uint64_t entries = 0;  // that this process has copied
  std::uint64_t backlog = 0;  // runs in the outbox when it was last looked at; at most kMaxOutboxCount
  Duration lag{0};            // how long what this process is about to copy has waited
  bool in_trouble = false;    // the last try of something has failed
};

class Copier {
 public:
  // All outlive it.
  Copier(Store& store, Audit& audit, Clock& clock, CopierOptions options = {});
  ~Copier();
  Copier(const Copier&) = delete;
  Copier& operator=(const Copier&) = delete;

  // Turns the outbox on, puts the history in where this audit hasn't got it, and copies from then on. Once.
  void start();
  // Calls `done` when nothing is left to copy, or after `patience`. Once, after `start`.
  void finish(Duration patience, std::move_only_function<void()> done);

  CopierStatistics statistics() const;

 private:
  struct Batch {
    std::vector<RunId> runs;  // still to be copied
    Timestamp oldest;         // of what it holds
    bool one_by_one = false;  // one of them is refused
  };
  using BatchAt = std::list<Batch>::iterator;

  // --- the beginning
  void turn_on();
  void identify();
  void find_out_whether_filled(const std::string& audit);
  void fill(std::string audit, std::optional<RunId> before);
  void put_in(std::string audit, const std::vector<RunRecord>& page);

  // --- one batch after another
  void look();
  void look_again();
  void look_later();
  void take();
  void taken(std::vector<RunId> runs);
  void find_positions(BatchAt batch);
  void read(BatchAt batch, std::vector<JournalPosition> positions);
  // `copied` is what counts as copied afterwards.
  void append(BatchAt batch, std::vector<JournalPosition> copied, std::vector<JournalGrowth> growth);
  void refused(BatchAt batch, const Error& why);
  void settle(BatchAt batch, std::vector<JournalPosition> copied);
  void end(BatchAt batch);

  // --- trouble
  void fails(const Error& why, std::move_only_function<void()> again);
  void report(const Error& why);
  void goes_well();
  void check_finished();

  template <typename Handler>
  auto guarded(Handler handler);
  void after(Duration pause, std::move_only_function<void()> then);

  Store& store_;
  Audit& audit_;
  Clock& clock_;
  const CopierOptions options_;

  std::list<Batch> batches_;  // under way
  bool copies_ = false;       // the beginning is over
  bool taking_ = false;
  bool more_ = false;        // the last take was full
  bool found_none_ = false;  // the last look
  TimerId next_look_{0};
  Timestamp last_count_;

  std::uint64_t entries_ = 0;
  std::uint64_t backlog_ = 0;
  std::optional<Timestamp> trouble_since_;
  std::vector<Error> reported_;  // since then
  Timestamp reported_since_;

  std::move_only_function<void()> finished_ = {};
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::audit
