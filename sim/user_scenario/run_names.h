#pragma once

// What runs are called in a simulation. A run's id is drawn by its engine and changes with everything that
// happens before; its name says where it comes from: `shipment:57` is the 57th arrival of that entry,
// `batch:1/ship[2]` a sub-run of one, `event.parcel.returned:5/returned` a reaction. So what is decided for a
// run by its name (what its agents answer, their bad luck) stays the same when other events are left out, and
// a failure can be shrunk.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/event.h"
#include "core/ids.h"
#include "ports/store.h"
#include "sim/world/world.h"

namespace ganglion::sim {

class RunNames {
 public:
  explicit RunNames(World& world) : world_(world) {}

  // Names a run that has been created; an arrival has its name as its idempotency key.
  const std::string& add(const RunId& run, const RunCreated& created,
                         const std::optional<IdempotencyClaim>& claim);
  // Of a run that nobody has named, its id.
  std::string of(const RunId& run) const;

 private:
  std::string origin(const RunCreated& created, const std::optional<IdempotencyClaim>& claim);
  std::string cause(const EventCause& cause);

  World& world_;
  std::map<RunId, std::string> names_;
  std::set<std::string> taken_;
};

}  // namespace ganglion::sim
