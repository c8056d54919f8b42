#include "cluster/cluster.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "agents/pool.h"
#include "base/json_text.h"
#include "coordinator/coordinator.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "coordinator/event_router.h"
#include "core/workflow.h"
#include "ports/random.h"

namespace ganglion::cluster {
namespace {

constexpr const char* kWithdrawn = "withdrawn";  // topic: attempts that nobody wants any more
constexpr const char* kEvents = "events";        // topic: where the event log ends
constexpr const char* kProject = "project";      // topic: the digest of the active project
constexpr const char* kGiveBackType = "ganglion.give_back.v1";
constexpr const char* kPlainType = "ganglion.note.v1";  // of messages on topics

constexpr const char* kEventDuty = "events";  // one engine starts what events start
constexpr Duration kTryAgain{200};            // after a broker that was unavailable
// Of agents that this process carries out itself, where their definition says nothing; as the pool's.
constexpr std::uint32_t kProcessesAtOnce = 16;
constexpr std::uint32_t kCallsAtOnce = 64;
constexpr std::uint32_t kMostAtOnce = 1024;
constexpr Duration kPolledLately{40'000};  // longer than a poll waits usually

bool is_limited(const AgentDefinition& agent) {
  return agent.concurrency || agent.rate_limit;
}

}  // namespace

Cluster::Cluster(const Ports& ports, Options options)
    : ports_(ports),
      options_(std::move(options)),
      self_(
          RunId::make(ports.clock.now(), static_cast<std::uint16_t>(ports.random.next()), ports.random.next())
              .text()) {
  assemble();
}

Cluster::~Cluster() = default;

void Cluster::assemble() {
  const Roles& roles = options_.roles;
  membership_ = std::make_unique<Membership>(ports_.bus, ports_.clock,
                                             Member{.id = self_,
                                                    .coordinates = roles.coordinator,
                                                    .performs = roles.agents,
                                                    .domains = options_.domains},
                                             options_.membership);
  homes_.update(membership_->live(), strategy());
  mail_ = std::make_unique<Mail>(ports_.bus, ports_.clock, self_);
  publisher_ = std::make_unique<TaskPublisher>(TaskPublisher::Surroundings{
      .bus = ports_.bus,
      .clock = ports_.clock,
      .pool = roles.agents ? &ports_.pool : nullptr,
      .performs = [this](const std::string& name) { return performs(name); },
      .reply_to = [this](const std::string& workflow) { return coordinator_queue(domain_of(workflow)); },
      .withdrawn =
          [this](const std::vector<AttemptToken>& tokens) {
            std::vector<std::string> texts;
            for (const AttemptToken& token : tokens) texts.push_back(token.text());
            tell_all(kWithdrawn, cluster::join(texts));
          },
      .report = [this](TaskReport report) { decide(std::move(report), [](const Result<Verdict>&) {}); },
      .perform_again = [this](const AttemptToken& token) { coordinator_->hand_out_again(token); },
      .problem = [this](const Error& error) { problem(error); }});
  if (roles.agents) {
    consumer_ = std::make_unique<TaskConsumer>(TaskConsumer::Surroundings{
        .bus = ports_.bus,
        .clock = ports_.clock,
        .pool = ports_.pool,
        .prepare =
            [this](const std::string& definition, std::move_only_function<void(Result<void>)> done) {
              ports_.definitions.load(
                  definition,
                  [done = std::move(done)](Result<std::shared_ptr<const Project>> project) mutable {
                    done(project ? Result<void>() : std::unexpected(project.error()));
                  });
            },
        .performs = [this](const std::string& name) { return performs(name); },
        .claim =
            [this](const AttemptToken& token, const std::string& workflow,
                   std::move_only_function<void(bool)> heard) {
              const std::string home = elsewhere(token.run, workflow);
              if (home.empty()) return heard(publisher_->claimed(token, self_));
              mail_->ask(home, kClaimType, token.text(),
                         [heard = std::move(heard)](const Result<std::string>& answer) mutable {
                           heard(answer && *answer == "known");
                         });
            },
        .give_back =
            [this](const AttemptToken& token, const std::string& workflow) {
              const std::string home = elsewhere(token.run, workflow);
              if (!home.empty()) return mail_->tell(home, kGiveBackType, token.text());
              publisher_->forget(token);
              coordinator_->hand_out_again(token);
            },
        .problem = [this](const Error& error) { problem(error); }});
    ports_.pool.on_poll([this](const std::string& name) { polled(name); });
  }
  reports_ = std::make_unique<ReportRouter>(ReportRouter::Surroundings{
      .mail = *mail_,
      .clock = ports_.clock,
      .workflow_of =
          [this](const AttemptToken& token) { return consumer_ ? consumer_->workflow_of(token) : nullptr; },
      .elsewhere = [this](const RunId& run, const std::string& workflow) { return elsewhere(run, workflow); },
      .decide =
          [this](TaskReport report, TaskReports::Completion done) {
            coordinator_->report(std::move(report), std::move(done));
          },
      .decided = [this](const AttemptToken& token) { decided(token); }});
  heartbeats_ = std::make_unique<Heartbeats>(*mail_, ports_.pool, [this] {
    std::vector<std::string> others;
    for (const Member& member : membership_->live()) {
      if (member.performs && member.id != self_) others.push_back(member.id);
    }
    return others;
  });
  followers_ = std::make_unique<Followers>(
      *mail_, ports_.clock, self_,
      [this](const RunId& run, const std::string& workflow) { return elsewhere(run, workflow); });
  notices_ = std::make_unique<RunNotices>(RunNotices::Surroundings{
      .bus = ports_.bus,
      .clock = ports_.clock,
      .mail = *mail_,
      .self = self_,
      .domain_of = [this](const std::string& workflow) { return domain_of(workflow); },
      .home_of = [this](const RunId& run, const std::string& domain) { return home_of(run, domain); },
      .look = [this](const RunId& run) { coordinator_->written_elsewhere(run); },
      .inspect =
          [this](const RunId& run, std::move_only_function<void(bool)> seen) {
            coordinator_->written_elsewhere(run);
            coordinator_->inspect(run, [seen = std::move(seen)](const Result<const Run*>& read) mutable {
              seen(read || read.error().code != "unavailable");
            });
          },
      .problem = [this](const Error& error) { problem(error); }});
  if (!roles.coordinator) return;
  runs_ = std::make_unique<RunConsumer>(RunConsumer::Surroundings{
      .bus = ports_.bus,
      .clock = ports_.clock,
      .store = ports_.store,
      .report =
          [this](TaskReport report, const std::string& domain, TaskReports::Completion done) {
            const std::string home = home_of(report.token.run, domain);
            if (home.empty() || home == self_) return decide(std::move(report), std::move(done));
            reports_->report_to(home, std::move(report), std::move(done));
          },
      .take_up =
          [this](const RunNotice& notice, std::move_only_function<void(bool)> heard) {
            notices_->take_up(notice, std::move(heard));
          },
      .began =
          [this](const TaskReport& report) {
            const auto published = publisher_->published_at(report.token);
            if (published) return *published;
            return ports_.clock.now() - report.work.value_or(Duration(0));
          },
      .problem = [this](const Error& error) { problem(error); }});
}

void Cluster::connect(Coordinator& coordinator, EventLog& events, EventRouter& router) {
  coordinator_ = &coordinator;
  events_ = &events;
  router_ = &router;
  followers_->connect(coordinator);
  coordinator.connect(*this);
}

// --- coming and going
// ----------------------------------------------------------------------------------------------

void Cluster::join(std::move_only_function<void(Result<void>)> done) {
  mail_->on(kClaimType, [this](const std::string& from, const std::string& body, Mail::Reply reply) {
    const auto token = AttemptToken::parse(body);
    reply(token && publisher_->claimed(*token, from) ? "known" : "unknown");
  });
  mail_->on(kGiveBackType, [this](const std::string&, const std::string& body, const Mail::Reply&) {
    const auto token = AttemptToken::parse(body);
    if (!token) return;
    publisher_->forget(*token);
    coordinator_->hand_out_again(*token);
  });
  listen_to(kWithdrawn, [this](const std::string& body) {
    for (const std::string& text : split(body)) {
      const auto token = AttemptToken::parse(text);
      if (token && consumer_) consumer_->withdrawn(*token);
    }
  });
  listen_to(kEvents, [this](const std::string& body) {
    std::uint64_t last = 0;
    std::from_chars(body.data(), body.data() + body.size(), last);
    events_->published(last);
  });
  listen_to(kProject, [this](const std::string& body) {
    const auto active = ports_.definitions.active();
    if (active && active->digest == body) return;
    ports_.definitions.restore([this](const Result<void>& restored) {
      if (!restored) problem(restored.error());
    });
  });
  events_->on_written([this](std::uint64_t seq) {
    told_events_ = std::max(told_events_, seq);
    if (std::exchange(telling_events_, true)) return;
    ports_.clock.post([this, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      telling_events_ = false;
      tell_all(kEvents, std::to_string(told_events_));
    });
  });
  ports_.definitions.on_activated([this] {
    tell_all(kProject, ports_.definitions.active()->digest);
    project_changed();
  });
  mail_->start([this, done = std::move(done)](Result<void> listening) mutable {
    if (!listening) return done(std::move(listening));
    membership_->start([this, done = std::move(done)](Result<void> joined) mutable {
      if (!joined) return done(std::move(joined));
      homes_.update(membership_->live(), strategy());
      membership_->on_change([this](const Membership::Change& change) { changed(change); });
      done({});
    });
  });
}

void Cluster::open() {
  open_ = true;
  if (const auto project = ports_.definitions.active()) coordination_ = project->coordination;
  router_->set_duty(homes_.of_duty(kEventDuty) == self_);
  project_changed();
  if (runs_) sweep_later();
  look_later();
}

// What is told over a topic gets lost where a line is down, and whoever would tell it again may be dead.
void Cluster::look_later() {
  ports_.clock.at(ports_.clock.now() + options_.look_every, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    events_->look();
    ports_.definitions.restore([](const Result<void>&) {});
    look_later();
  });
}

// A member that could not reach the bus may have started runs and died before it could tell anybody: what
// nobody looks after is found by looking, now and then.
void Cluster::sweep_later() {
  ports_.clock.at(ports_.clock.now() + options_.sweep_every, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    coordinator_->homes_changed(Coordinator::Engines::lost, [this, alive](const Result<std::size_t>&) {
      if (!alive.expired()) sweep_later();
    });
  });
}

void Cluster::leave() {
  leaving_ = true;
  membership_->leave();
}

void Cluster::listen_to(const std::string& topic, std::function<void(const std::string& body)> heard) {
  ports_.bus.listen(
      topic,
      [this, alive = std::weak_ptr(alive_), heard = std::move(heard)](const BusMessage& message) {
        if (!alive.expired() && message.reply_to != self_) heard(message.body);
      },
      [] {}, [](const Result<void>&) {});
}

void Cluster::tell_all(const std::string& topic, std::string body) {
  ports_.bus.broadcast(topic, {.id = {}, .type = kPlainType, .reply_to = self_, .body = std::move(body)});
}

void Cluster::changed(const Membership::Change& change) {
  members_changed();
  for (const Member& member : change.left) {
    mail_->gone(member.id);
    publisher_->member_gone(member.id);
  }
  const bool lost = !change.left.empty() || change.apart;
  if (!lost && change.joined.empty()) return;
  if (options_.on_change) options_.on_change(change);
  coordinator_->homes_changed(lost ? Coordinator::Engines::lost : Coordinator::Engines::joined,
                              [this, alive = std::weak_ptr(alive_)](const Result<std::size_t>& open_runs) {
                                if (alive.expired()) return;
                                if (!open_runs) return problem(open_runs.error());
                                if (options_.on_taken_over) options_.on_taken_over(coordinator_->open_runs());
                              });
}

void Cluster::members_changed() {
  homes_.update(membership_->live(), strategy());
  if (!open_) return;
  router_->set_duty(homes_.of_duty(kEventDuty) == self_);
  take_agents();
}

void Cluster::project_changed() {
  homes_.update(membership_->live(), strategy());
  if (!open_) return;
  take_domains();
  take_agents();
}

void Cluster::take_domains() {
  if (!runs_) return;
  const auto project = ports_.definitions.active();
  const Coordination now = project ? project->coordination : Coordination();
  if (options_.domains.empty()) {
    runs_->serve(std::string(kDefaultDomain));
    for (const auto& [domain, workflows] : now.domains) runs_->serve(domain);
  }
  for (const std::string& domain : options_.domains) runs_->serve(domain);
  // Plain clients may come before the first task.
  if (project) {
    for (const auto& [name, agent] : project->agents) {
      if (std::holds_alternative<WorkerAgent>(agent.backend))
        ports_.bus.declare(agent_queue(name), {}, [](const Result<void>&) {});
    }
  }
  const Coordination before = std::exchange(coordination_, now);
  if (before.domains == now.domains && before.strategy == now.strategy) return;
  coordinator_->homes_changed(Coordinator::Engines::lost, [](const Result<std::size_t>&) {});
}

// Of agents with limits, only one member hands tasks out, so that the limits hold.
void Cluster::take_agents() {
  const auto project = ports_.definitions.active();
  if (!consumer_ || !project || leaving_) return;
  std::vector<std::string> takes;
  for (const auto& [name, agent] : project->agents) {
    const bool own = std::holds_alternative<ProcessAgent>(agent.backend) ||
                     std::holds_alternative<HttpAgent>(agent.backend);
    const auto polled = polled_.find(name);
    const bool lately = polled != polled_.end() && ports_.clock.now() - polled->second < kPolledLately;
    if (is_limited(agent) && (own || lately)) takes.push_back(name);
  }
  membership_->takes(std::move(takes));
  homes_.update(membership_->live(), strategy());
  for (const auto& [name, agent] : project->agents) {
    if (!performs(name)) continue;
    const bool process = std::holds_alternative<ProcessAgent>(agent.backend);
    const bool own = process || std::holds_alternative<HttpAgent>(agent.backend);
    const std::uint32_t usual = process ? kProcessesAtOnce : kCallsAtOnce;
    if (own) consumer_->serve(name, std::min(agent.concurrency.value_or(usual), kMostAtOnce));
    if (!own) consumer_->wanted(name);
  }
}

Strategy Cluster::strategy() const {
  if (options_.strategy) return *options_.strategy;
  const auto project = ports_.definitions.active();
  return project ? project->coordination.strategy : Strategy::mesh;
}

std::vector<ingress::Metric> Cluster::metrics() const {
  const auto gauge = [](const char* name, const char* help, std::size_t value) {
    return ingress::Metric{name, help, "gauge", "", static_cast<double>(value)};
  };
  std::vector<ingress::Metric> metrics = {
      gauge("ganglion_members", "Processes of the installation that this one hears.",
            membership_->live().size()),
      gauge("ganglion_followed_runs", "Runs at home here for which somebody waits at another member.",
            followers_->watched()),
      gauge("ganglion_published_tasks", "Tasks of runs at home here that have no result yet.",
            publisher_->open()),
      gauge("ganglion_consumed_tasks", "Tasks from queues that this process has.",
            consumer_ ? consumer_->held() : 0)};
  std::set<std::string> domains = {std::string(kDefaultDomain)};
  for (const auto& [domain, workflows] : coordination_.domains) domains.insert(domain);
  for (const std::string& domain : domains) {
    const auto serving = std::ranges::count_if(membership_->live(),
                                               [&](const Member& member) { return member.serves(domain); });
    metrics.push_back({"ganglion_domain_coordinators",
                       "Processes that coordinate a domain; while there is none, its runs wait.", "gauge",
                       "domain=\"" + domain + "\"", static_cast<double>(serving)});
  }
  return metrics;
}

// --- who has what
// ---------------------------------------------------------------------------------------------------

std::string Cluster::domain_of(const std::string& workflow) const {
  const auto project = ports_.definitions.active();
  return project ? project->coordination.domain_of(workflow) : std::string(kDefaultDomain);
}

std::string Cluster::home_of(const RunId& run, const std::string& domain) const {
  return homes_.of_run(run.placement_key(), domain);
}

std::string Cluster::elsewhere(const RunId& run, const std::string& workflow) const {
  std::string home = home_of(run, domain_of(workflow));
  return home == self_ ? std::string() : home;
}

bool Cluster::is_home(const RunId& run, const std::string& workflow) const {
  return options_.roles.coordinator && home_of(run, domain_of(workflow)) == self_;
}

const AgentDefinition* Cluster::agent(const std::string& name) const {
  const auto project = ports_.definitions.active();
  if (!project) return nullptr;
  const auto found = project->agents.find(name);
  return found == project->agents.end() ? nullptr : &found->second;
}

bool Cluster::performs(const std::string& name) const {
  if (!options_.roles.agents || leaving_) return false;
  const AgentDefinition* definition = agent(name);
  if (!definition) return false;
  return !is_limited(*definition) || homes_.of_agent(name) == self_;
}

void Cluster::polled(const std::string& name) {
  const AgentDefinition* definition = agent(name);
  if (definition && is_limited(*definition)) {
    polled_[name] = ports_.clock.now();
    const auto& takes = membership_->self().takes;
    if (std::ranges::find(takes, name) == takes.end()) take_agents();
  }
  if (definition) publisher_->polled(name);
  consumer_->wanted(name);
}

// --- reports
// --------------------------------------------------------------------------------------------------------

void Cluster::decide(TaskReport report, TaskReports::Completion done) {
  reports_->decide(std::move(report), std::move(done));
}

void Cluster::decided(const AttemptToken& token) {
  publisher_->forget(token);
  if (consumer_) consumer_->decided(token);
}

// A sub-run's end, to its parent's domain.
void Cluster::report(TaskReport report, const std::string& workflow) {
  const std::string home = elsewhere(report.token.run, workflow);
  if (home.empty()) return queue_report(std::move(report), workflow);
  reports_->report_to(
      home, report, [this, alive = std::weak_ptr(alive_), report, workflow](const Result<Verdict>& verdict) {
        if (!alive.expired() && !verdict) queue_report(report, workflow);
      });
}

void Cluster::queue_report(TaskReport report, const std::string& workflow) {
  const std::string queue = coordinator_queue(domain_of(workflow));
  BusMessage message{
      .id = report.token.text(), .type = kReportType, .reply_to = {}, .body = report_message(report)};
  ports_.bus.declare(queue, {}, [](const Result<void>&) {});
  ports_.bus.publish(queue, std::move(message),
                     [this, alive = std::weak_ptr(alive_), report = std::move(report),
                      workflow](const Result<void>& published) {
                       if (alive.expired() || published) return;
                       ports_.clock.at(ports_.clock.now() + kTryAgain, [this, alive, report, workflow] {
                         if (!alive.expired()) queue_report(report, workflow);
                       });
                     });
}

// --- runs that others look after
// -----------------------------------------------------------------------------------

void Cluster::written(const RunId& run, const std::string& workflow) {
  notices_->written(run, workflow);
}

void Cluster::followed(const RunId& run, const std::string& workflow) {
  followers_->followed(run, workflow);
}

void Cluster::unfollowed(const RunId& run) {
  followers_->unfollowed(run);
}

void Cluster::problem(const Error& error) const {
  if (options_.on_problem) options_.on_problem(error);
}

}  // namespace ganglion::cluster
