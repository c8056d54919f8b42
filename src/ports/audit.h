#pragma once

// Where journals are copied to for whoever looks back: rows beside the store that are only ever added. An
// audit is behind the store by what lies in the store's outbox (audit/copier.h), and never ahead of it.
//
// Calls are asynchronous; completions run on the event loop that made the call, never inside the call.
// Error `unavailable`: the same call may succeed later, and maybe it has been carried out.

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/ids.h"
#include "ports/store.h"

namespace ganglion {

class Audit {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;

  virtual ~Audit() = default;

  // A name that no other audit has; one that is to be filled anew gets another.
  virtual void identify(Completion<Result<std::string>> done) = 0;

  // How far it has the journals of these runs, in their order.
  virtual void find_positions(std::vector<RunId> runs,
                              Completion<Result<std::vector<JournalPosition>>> done) = 0;

  // All of it or nothing, durably. Entries that are there already are left as they are, so that a repetition
  // changes nothing; a run's record counts if it is as new as the entries. Errors: `gap`, where entries
  // before these are missing; `refused`, where one of the rows can't be held whatever is tried.
  virtual void append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) = 0;
};

}  // namespace ganglion
