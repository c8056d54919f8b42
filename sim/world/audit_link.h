#pragma once

// The audit port of one process: a connection to the world's audit server. Calls take a while; some never
// arrive, and of some the answer is lost. While the server is down all are refused.

#include <functional>
#include <memory>
#include <string>

#include "ports/audit.h"
#include "sim/kernel/fate.h"
#include "sim/world/audit_server.h"

namespace ganglion::sim {

class ProcessClock;

struct AuditLinkFaults {
  double lost_request = 0;
  double lost_answer = 0;
  SimTime latency_least{100};
  SimTime latency_most{2'000};
};

class AuditLink final : public Audit {
 public:
  // `name` is the process's host in the names of events. `faults` may change while the link lives.
  AuditLink(Timeline& timeline, Fate& fate, AuditServer& server, ProcessClock& clock, const std::string& name,
            const AuditLinkFaults& faults);

  void identify(Completion<Result<std::string>> done) override;
  void find_positions(std::vector<RunId> runs,
                      Completion<Result<std::vector<JournalPosition>>> done) override;
  void append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) override;

 private:
  template <typename T>
  void call(Completion<Result<T>> done, std::function<Result<T>(AuditServer&)> make);

  Timeline& timeline_;
  Fate& fate_;
  AuditServer& server_;
  ProcessClock& clock_;
  const AuditLinkFaults& faults_;
  SiteId lost_request_, lost_answer_, delay_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::sim
