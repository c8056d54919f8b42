#include "sim/world/audit_link.h"

#include <utility>

#include "sim/world/process_clock.h"

namespace ganglion::sim {

AuditLink::AuditLink(Timeline& timeline, Fate& fate, AuditServer& server, ProcessClock& clock,
                     const std::string& name, const AuditLinkFaults& faults)
    : timeline_(timeline),
      fate_(fate),
      server_(server),
      clock_(clock),
      faults_(faults),
      lost_request_(fate.site(name + ".audit.lost_request")),
      lost_answer_(fate.site(name + ".audit.lost_answer")),
      delay_(fate.site(name + ".audit.delay")) {}

// What has been carried out stays so, whether the process still lives to hear of it or not.
template <typename T>
void AuditLink::call(Completion<Result<T>> done, std::function<Result<T>(AuditServer&)> make) {
  Draw delay = fate_.draw(delay_);
  const bool request_lost = fate_.occasion(lost_request_, faults_.lost_request).happens;
  const bool answer_lost = fate_.occasion(lost_answer_, faults_.lost_answer).happens;
  const SimTime there = delay.between(faults_.latency_least, faults_.latency_most);
  const SimTime back = delay.between(faults_.latency_least, faults_.latency_most);
  timeline_.after(there, [this, alive = std::weak_ptr(alive_), &timeline = timeline_, &server = server_,
                          request_lost, answer_lost, back, done = std::move(done),
                          make = std::move(make)]() mutable {
    Result<T> answer = fail("unavailable", "the audit is away");
    if (server.up() && !request_lost) answer = make(server);
    if (answer_lost) answer = fail("unavailable", "the connection is lost");
    timeline.after(back, [this, alive = std::move(alive), done = std::move(done),
                          answer = std::move(answer)]() mutable {
      if (alive.expired()) return;
      clock_.post([alive = std::move(alive), done = std::move(done), answer = std::move(answer)]() mutable {
        if (!alive.expired()) done(std::move(answer));
      });
    });
  });
}

void AuditLink::identify(Completion<Result<std::string>> done) {
  call<std::string>(std::move(done), [](AuditServer&) { return std::string("the audit"); });
}

void AuditLink::find_positions(std::vector<RunId> runs,
                               Completion<Result<std::vector<JournalPosition>>> done) {
  call<std::vector<JournalPosition>>(std::move(done), [runs = std::move(runs)](AuditServer& server) {
    std::vector<JournalPosition> positions;
    for (const RunId& run : runs) positions.push_back({run, server.position_of(run)});
    return positions;
  });
}

void AuditLink::append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) {
  call<void>(std::move(done),
             [growth = std::move(growth)](AuditServer& server) { return server.append(growth); });
}

}  // namespace ganglion::sim
