#pragma once

// Starts runs when their time has come: the `cron` triggers of the active project. Of each trigger the last
// slot that was dealt with is a setting in the store; the run of a slot is started under an idempotency key
// made from the trigger and the slot, so that a slot has one run however often it is tried, and by whomever.
// What a trigger is known by is its schedule, zone and workflow: it keeps its slots when a new project has it
// too. A new trigger begins with the first slot after it was activated.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time_zone.h"
#include "coordinator/coordinator.h"
#include "core/cron.h"

namespace ganglion {

class Schedules {
 public:
  // All outlive the schedules. `on_problem` is told of a slot that can't start its run.
  Schedules(Store& store, Clock& clock, Coordinator& coordinator, Definitions& definitions,
            std::function<void(const std::string& workflow, const Error&)> on_problem = {});
  ~Schedules();
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;

  // Takes the triggers of the active project, now and whenever another becomes the active one.
  void start();

 private:
  struct Entry;

  void take_triggers();
  void take_up(const std::shared_ptr<Entry>& entry);
  void begin(const std::shared_ptr<Entry>& entry, std::optional<Timestamp> last);
  void skip_missed(Entry& entry) const;
  void wait(const std::shared_ptr<Entry>& entry);
  void fire(const std::shared_ptr<Entry>& entry, Timestamp slot);
  void dealt_with(const std::shared_ptr<Entry>& entry, Timestamp slot);
  void later(const std::shared_ptr<Entry>& entry, std::move_only_function<void()> action);

  Store& store_;
  Clock& clock_;
  Coordinator& coordinator_;
  Definitions& definitions_;
  std::function<void(const std::string&, const Error&)> on_problem_;
  std::vector<std::shared_ptr<Entry>> entries_;  // an entry that is no longer here does nothing any more
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion
