#pragma once

// An engine as one of several over one store and one bus: puts the parts of this folder together and answers
// the coordinator's question of who looks after a run (Placement).
//
//   coordinator ──task──▶ TaskPublisher ──▶ own pool, or agent:{name} ──▶ TaskConsumer ──▶ a pool
//   coordinator ◀──────── ReportRouter ◀── own pool; mail of other members' pools
//   coordinator ◀──────── RunConsumer  ◀── coordinator:{domain}
//
// Single-threaded: belongs to the clock's event loop.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/followers.h"
#include "cluster/heartbeats.h"
#include "cluster/homes.h"
#include "cluster/mail.h"
#include "cluster/membership.h"
#include "cluster/messages.h"
#include "cluster/report_router.h"
#include "cluster/run_consumer.h"
#include "cluster/run_notices.h"
#include "cluster/task_consumer.h"
#include "cluster/task_publisher.h"
#include "coordinator/placement.h"
#include "core/coordination.h"
#include "ingress/api.h"

namespace ganglion {
class Coordinator;
class Definitions;
class EventLog;
class EventRouter;
class Random;
class Store;
struct AgentDefinition;
}  // namespace ganglion

namespace ganglion::cluster {

struct Options {
  Roles roles = {};
  std::vector<std::string> domains = {};  // that this process coordinates; empty for all of them
  std::optional<Strategy> strategy = {};  // in the place of the project's
  MembershipOptions membership = {};
  Duration sweep_every{30'000};  // for open runs that nobody looks after
  Duration look_every{2'000};    // for events and a project that nobody here has heard of
  std::function<void(const Error& problem)> on_problem = {};
  // Told who has come and gone as soon as it is noticed, and then how many open runs are looked after here,
  // once those that have got another home by it are.
  std::function<void(const Membership::Change& change)> on_change = {};
  std::function<void(std::size_t open_runs)> on_taken_over = {};
};

class Cluster final : public Placement {
 public:
  struct Ports {
    Bus& bus;
    Store& store;
    Clock& clock;
    Random& random;
    Definitions& definitions;
    agents::Pool& pool;
  };

  Cluster(const Ports& ports, Options options);
  ~Cluster() override;

  // Where the coordinator hands out its tasks, and the pool its reports.
  TaskQueue& tasks() { return *publisher_; }
  TaskReports& reports() { return *reports_; }
  // For signs of life of workers whose attempts another member has.
  agents::HeartbeatRelay& heartbeats() { return *heartbeats_; }

  void connect(Coordinator& coordinator, EventLog& events, EventRouter& router);

  // Joins the others; before the coordinator's recovery. Answered when it knows who is there.
  void join(std::move_only_function<void(Result<void>)> done);
  // After recovery: takes what comes in.
  void open();
  // Says goodbye, and takes nothing any more.
  void leave();

  const Membership& membership() const { return *membership_; }
  // For /metrics.
  std::vector<ingress::Metric> metrics() const;
  Strategy strategy() const;

  // Placement
  bool is_home(const RunId& run, const std::string& workflow) const override;
  void written(const RunId& run, const std::string& workflow) override;
  void report(TaskReport report, const std::string& workflow) override;
  void followed(const RunId& run, const std::string& workflow) override;
  void unfollowed(const RunId& run) override;

 private:
  void assemble();
  std::string domain_of(const std::string& workflow) const;
  std::string home_of(const RunId& run, const std::string& domain) const;
  std::string elsewhere(const RunId& run, const std::string& workflow) const;
  const AgentDefinition* agent(const std::string& name) const;
  bool performs(const std::string& agent) const;
  void polled(const std::string& agent);
  void decide(TaskReport report, TaskReports::Completion done);
  void decided(const AttemptToken& token);

  void listen_to(const std::string& topic, std::function<void(const std::string& body)> heard);
  void tell_all(const std::string& topic, std::string body);
  void changed(const Membership::Change& change);
  void members_changed();
  void project_changed();
  void sweep_later();
  void look_later();
  void take_domains();
  void take_agents();

  void queue_report(TaskReport report, const std::string& workflow);
  void problem(const Error& error) const;

  Ports ports_;
  Options options_;
  std::string self_;
  Coordinator* coordinator_ = nullptr;
  EventLog* events_ = nullptr;
  EventRouter* router_ = nullptr;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<Mail> mail_;
  std::unique_ptr<TaskPublisher> publisher_;
  std::unique_ptr<TaskConsumer> consumer_;  // with the role `agents`
  std::unique_ptr<RunConsumer> runs_;       // with the role `coordinator`
  std::unique_ptr<ReportRouter> reports_;
  std::unique_ptr<Heartbeats> heartbeats_;
  std::unique_ptr<Followers> followers_;
  std::unique_ptr<RunNotices> notices_;
  Homes homes_;
  Coordination coordination_;  // as of the last look at the project
  bool open_ = false;
  bool leaving_ = false;
  std::map<std::string, Timestamp>
      polled_;  // agents with limits, and when a worker last asked for their tasks
  std::uint64_t told_events_ = 0;
  bool telling_events_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster
