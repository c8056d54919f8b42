#pragma once

// Which of several engines over one store looks after a run: the run's home. The home keeps the run in memory
// while it is open, watches its deadlines and carries out what it asks for. Any other engine may decide on it
// just as well, because the version is the only lock; it tells the home, which reads what is new and carries
// that out. While engines come and go two of them may take themselves for the home, or none: neither breaks a
// promise, since tasks may be handed out twice and whoever becomes the home takes up what is open.

#include <string>

#include "core/ids.h"
#include "core/task.h"

namespace ganglion {

class Placement {
 public:
  virtual ~Placement() = default;

  // Whether this engine is the home of this run of that workflow.
  virtual bool is_home(const RunId& run, const std::string& workflow) const = 0;
  // This engine has written a run that may have another home: tells it, until it has heard.
  virtual void written(const RunId& run, const std::string& workflow) = 0;
  // Takes the report of a sub-run's end to the home of its parent, a run of that workflow.
  virtual void report(TaskReport report, const std::string& workflow) = 0;
  // Somebody here begins to follow a run that has another home, or has stopped to: what the home writes from
  // now on is wanted here (Coordinator::written_elsewhere).
  virtual void followed(const RunId& run, const std::string& workflow) = 0;
  virtual void unfollowed(const RunId& run) = 0;
};

}  // namespace ganglion
