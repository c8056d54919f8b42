#include "host/embedded_host.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "adapters/sqlite/store.h"
#include "adapters/system/process_usage.h"
#include "agents/pool.h"
#include "coordinator/definitions.h"
#include "ingress/api.h"
#include "project/project.h"

namespace ganglion {
namespace {

constexpr Duration kDrain{5'000};        // for requests under way when the engine stops
constexpr Duration kFinishAudit{2'000};  // for what is still to be copied then

Result<std::shared_ptr<const Project>> compile_project(const std::string& source, const std::string& name) {
  auto parsed = project::parse(source, name);
  if (parsed) return *std::move(parsed);
  std::string message;
  for (const project::Diagnostic& diagnostic : parsed.error()) {
    if (!message.empty()) message += '\n';
    message += diagnostic.text();
  }
  return fail("invalid_project", std::move(message));
}

// HOST:PORT or [HOST]:PORT.
Result<http::Options> listen_options(const std::string& listen) {
  const auto invalid = [&] {
    return fail("listen_failed",
                "\"" + listen + "\" is not an address to listen on; write HOST:PORT, such as 127.0.0.1:7420");
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos || colon + 1 == listen.size()) return invalid();
  http::Options options;
  options.address = listen.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']')) {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  const std::string port = listen.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return invalid();
  const unsigned long number = std::stoul(port);
  if (options.address.empty() || number > 65'535) return invalid();
  options.port = static_cast<std::uint16_t>(number);
  return options;
}

Result<http::Options> http_options(const cli::HostOptions& options) {
  auto http = listen_options(options.listen);
  if (!http) return http;
  if (options.token) http->tokens.push_back(*options.token);
  if (auto valid = http::validate(*http); !valid) {
    const Error& problem = valid.error();
    if (problem.code != "token_required") return fail("listen_failed", problem.message);
    return fail("token_needed", problem.message + "; set GANGLION_TOKEN, or listen on 127.0.0.1");
  }
  return http;
}

}  // namespace

std::vector<std::string> EmbeddedHost::weaker_promises() const {
  std::vector<std::string> promises = store_.store->weaker_promises();
  if (!bus_) return promises;
  for (std::string& promise : bus_->weaker_promises()) {
    if (std::ranges::find(promises, promise) == promises.end()) promises.push_back(std::move(promise));
  }
  return promises;
}

Result<std::unique_ptr<cli::Host>> EmbeddedHost::start(cli::HostOptions options) {
  auto http = http_options(options);
  if (!http) return std::unexpected(http.error());
  std::unique_ptr<EmbeddedHost> host(new EmbeddedHost(std::move(options)));
  if (auto read = host->read_project(); !read) return std::unexpected(read.error());
  if (auto opened = host->open(); !opened) return std::unexpected(opened.error());
  host->assemble(*std::move(http));

  std::promise<Result<void>> ready;
  std::future<Result<void>> answer = ready.get_future();
  host->loop_.post([&host = *host, ready = std::move(ready)]() mutable { host.begin(std::move(ready)); });
  host->thread_ = std::thread([&context = host->context_] {
    pthread_setname_np(pthread_self(), "ganglion-loop");
    const auto work = asio::make_work_guard(context);
    context.run();
  });
  if (auto started = answer.get(); !started) return std::unexpected(started.error());
  return host;
}

Result<void> EmbeddedHost::read_project() {
  directory_ = std::filesystem::current_path();
  if (!options_.project_file) return {};
  auto source = project::read_file(*options_.project_file);
  if (!source) return fail("invalid_project", source.error().message);
  auto compiled = compile_project(*source, *options_.project_file);
  if (!compiled) return std::unexpected(compiled.error());
  project_ = *std::move(compiled);
  directory_ = std::filesystem::absolute(*options_.project_file).parent_path();
  return {};
}

Result<void> EmbeddedHost::open() {
  if (options_.bus == kEmbeddedBus && !options_.domains.empty()) {
    return fail("no_bus",
                "--domain shares runs out among processes, which need a bus to hear of each other: "
                "give --bus redis://HOST, amqp://HOST or nats://HOST");
  }
  auto store = open_store(options_.store, context_, loop_);
  if (!store) return std::unexpected(store.error());
  store_ = *std::move(store);
  auto bus = open_bus(options_.bus, context_);
  if (!bus) return std::unexpected(bus.error());
  bus_ = *std::move(bus);
  if (!options_.audit) return {};
  auto audit = open_audit(*options_.audit, context_);
  if (!audit) return std::unexpected(audit.error());
  audit_ = *std::move(audit);
  return {};
}

void EmbeddedHost::assemble(http::Options http) {
  process_agents_ = std::make_unique<agents::ProcessExecutor>(
      context_, loop_, agents::ProcessExecutorOptions{.directory = directory_.string()});
  engine_ = std::make_unique<Engine>(
      Engine::Ports{
          .store = *store_.store,
          .clock = loop_,
          .random = random_,
          .not_before = [this](Timestamp time) { loop_.not_before(time); },
          .compile = [](const std::string& source) { return compile_project(source, "stored project"); },
          .process = process_agents_.get(),
          .http = &http_agents_,
          .bus = bus_.get(),
          .audit = audit_.get()},
      engine_options());
  server_ =
      std::make_unique<http::Server>(context_, loop_, random_, std::move(http), std::move(engine_->router()));
  engine_->api().watch(*server_);
  engine_->api().add_metrics([this] { return own_metrics(); });
}

namespace {

void add_audit_metrics(std::vector<ingress::Metric>& metrics, const audit::CopierStatistics& audit) {
  metrics.push_back({"ganglion_audit_backlog",
                     "Runs whose journals are still to be copied to the audit, of all processes.", "gauge",
                     "", static_cast<double>(audit.backlog)});
  metrics.push_back({"ganglion_audit_entries_total", "Entries that this process has copied to the audit.",
                     "counter", "", static_cast<double>(audit.entries)});
  metrics.push_back({"ganglion_audit_lag_seconds",
                     "How long what this process is about to copy to the audit has waited.", "gauge", "",
                     static_cast<double>(audit.lag.count()) / 1'000});
}

}  // namespace

std::vector<ingress::Metric> EmbeddedHost::own_metrics() const {
  const ProcessUsage usage = process_usage();
  std::vector<ingress::Metric> metrics = {
      {"process_cpu_seconds_total", "Processor time of this process.", "counter", "", usage.cpu_seconds},
      {"process_resident_memory_bytes", "Memory of this process.", "gauge", "",
       static_cast<double>(usage.resident_bytes)}};
  if (const cluster::Cluster* cluster = engine_->cluster()) {
    for (ingress::Metric& metric : cluster->metrics()) metrics.push_back(std::move(metric));
  }
  if (engine_->copier() != nullptr) add_audit_metrics(metrics, engine_->copier()->statistics());
  if (store_.sqlite == nullptr) return metrics;
  const sqlite::Statistics store = store_.sqlite->statistics();
  metrics.push_back({"ganglion_store_groups_total",
                     "Transactions of the store, each of which carries every write "
                     "that waited.",
                     "counter", "", static_cast<double>(store.groups)});
  metrics.push_back({"ganglion_store_writes_total", "Writes of the store, such as commits.", "counter", "",
                     static_cast<double>(store.writes)});
  metrics.push_back({"ganglion_store_syncs_total", "Fsyncs of the store's database and its log.", "counter",
                     "", static_cast<double>(store.syncs)});
  return metrics;
}

EngineOptions EmbeddedHost::engine_options() {
  EngineOptions options;
  options.work = works() ? EngineWork::on : EngineWork::off;
  options.coordinator.sharing = store_.sharing;
  options.coordinator.on_problem = [this](const RunId& run, const Error& problem) {
    const auto times =
        problem.code == "unavailable" ? store_outage_.another(loop_.now()) : std::optional<std::int64_t>(1);
    if (!times) return;
    log_.line(LogLevel::error, "run_problem")
        .add("run", run.text())
        .add("code", problem.code)
        .add("message", problem.message)
        .add("times", *times);
  };
  if (options_.transitions == cli::TransitionLog::on) {
    options.coordinator.on_transition = [this](const RunId& run, const JournalEntry& entry) {
      log_transition(run, entry);
    };
  }
  options.ingress.roles = options_.roles;
  options.ingress.weaker_promises = [this] { return weaker_promises(); };
  options.cluster.roles = options_.roles;
  options.cluster.domains = options_.domains;
  options.cluster.strategy = options_.strategy;
  options.cluster.on_problem = [this](const Error& problem) {
    log_.line(LogLevel::error, "cluster_problem").add("code", problem.code).add("message", problem.message);
  };
  options.cluster.on_change = [this](const cluster::Membership::Change& change) {
    log_.line(LogLevel::info, "members_changed")
        .add("joined", static_cast<std::int64_t>(change.joined.size()))
        .add("left", static_cast<std::int64_t>(change.left.size()));
  };
  options.cluster.on_taken_over = [this](std::size_t open_runs) {
    log_.line(LogLevel::info, "homes_changed").add("open_runs", static_cast<std::int64_t>(open_runs));
  };
  options.audit = copier_options();
  options.on_event_problem = [this](const TopicEvent& event, const Error& problem) {
    log_.line(LogLevel::error, "event_problem")
        .add("event", static_cast<std::int64_t>(event.seq))
        .add("topic", event.topic)
        .add("code", problem.code)
        .add("message", problem.message);
  };
  options.on_schedule_problem = [this](const std::string& workflow, const Error& problem) {
    log_.line(LogLevel::error, "schedule_problem")
        .add("workflow", workflow)
        .add("code", problem.code)
        .add("message", problem.message);
  };
  return options;
}

audit::CopierOptions EmbeddedHost::copier_options() {
  audit::CopierOptions options;
  options.on_problem = [this](const Error& problem) {
    const audit::CopierStatistics audit = engine_->copier()->statistics();
    log_.line(LogLevel::error, "audit_problem")
        .add("code", problem.code)
        .add("message", problem.message)
        .add("backlog", static_cast<std::int64_t>(audit.backlog))
        .add("lag_seconds", audit.lag.count() / 1'000);
  };
  options.on_recovered = [this] { log_.line(LogLevel::info, "audit_goes_on"); };
  return options;
}

void EmbeddedHost::begin(std::promise<Result<void>> ready) {
  engine_->start(project_, [this, ready = std::move(ready)](Result<std::size_t> open_runs) mutable {
    if (!open_runs) return ready.set_value(std::unexpected(open_runs.error()));
    log_.line(LogLevel::info, "recovered").add("open_runs", static_cast<std::int64_t>(*open_runs));
    serve(std::move(ready));
  });
}

void EmbeddedHost::serve(std::promise<Result<void>> ready) {
  if (auto listening = server_->start(); !listening) {
    return ready.set_value(fail("listen_failed", listening.error().message));
  }
  const std::size_t colon = options_.listen.rfind(':');
  url_ = "http://" + options_.listen.substr(0, colon) + ":" + std::to_string(server_->port());
  if (store_.sqlite != nullptr) {
    if (auto published = store_.sqlite->publish_endpoint(url_); !published) {
      log_.line(LogLevel::warning, "endpoint_not_published").add("message", published.error().message);
    }
  }
  if (supervises()) {
    const auto active = engine_->definitions().active();
    supervise(active ? active->workers : std::vector<WorkerProgram>());
    engine_->definitions().on_activated(
        [this] { supervisor_->apply(engine_->definitions().active()->workers); });
  }
  engine_->api().set_readiness(ingress::Api::Readiness::ready);
  log_.line(LogLevel::info, "serving").add("url", url_);
  ready.set_value({});
}

void EmbeddedHost::supervise(const std::vector<WorkerProgram>& programs) {
  const auto say = [this](const std::string& worker, const std::string& line) {
    if (options_.on_worker_output) options_.on_worker_output(worker, line);
  };
  agents::Supervisor::Callbacks callbacks;
  callbacks.log = [say](const std::string& worker, agents::WorkerStream, std::string_view line) {
    say(worker, std::string(line));
  };
  callbacks.event = [this, say](const agents::WorkerEvent& event) {
    if (event.kind == agents::WorkerEvent::Kind::started) {
      log_.line(LogLevel::info, "worker_started")
          .add("worker", event.worker)
          .add("pid", std::int64_t{event.pid});
      return;
    }
    const bool ended = event.kind == agents::WorkerEvent::Kind::ended;
    log_.line(LogLevel::warning, ended ? "worker_ended" : "worker_cannot_start")
        .add("worker", event.worker)
        .add("reason", event.reason);
    say(event.worker, (ended ? "ended: " : "can't be started: ") + event.reason);
  };
  callbacks.gone = [this](const std::string& worker) { engine_->pool().worker_gone(worker); };
  supervisor_ = std::make_unique<agents::Supervisor>(
      context_, loop_,
      agents::SupervisorOptions{.directory = directory_.string(), .server = url_, .token = options_.token},
      std::move(callbacks));
  supervisor_->start(programs);
}

Result<cli::Reloaded> EmbeddedHost::reload() {
  std::promise<Result<cli::Reloaded>> reloaded;
  loop_.post_from_thread([this, &reloaded] {
    read_project_again([this, &reloaded](Result<cli::Reloaded> result) {
      if (result) {
        log_.line(LogLevel::info, "project_reloaded").add("changed", result->changed);
      } else {
        log_.line(LogLevel::error, "project_not_reloaded")
            .add("code", result.error().code)
            .add("message", result.error().message);
      }
      reloaded.set_value(std::move(result));
    });
  });
  return reloaded.get_future().get();
}

void EmbeddedHost::read_project_again(ReloadDone done) {
  if (!options_.project_file) {
    return done(fail("no_project_file", "the server was started without a project file"));
  }
  auto source = project::read_file(*options_.project_file);
  if (!source) return done(fail("invalid_project", source.error().message));
  auto compiled = compile_project(*source, *options_.project_file);
  if (!compiled) return done(std::unexpected(compiled.error()));
  const auto active = engine_->definitions().active();
  const cli::Reloaded result{.changed = !active || active->digest != (*compiled)->digest};
  auto apply = [result, done = std::move(done)](Result<void> activated) mutable {
    if (!activated) return done(std::unexpected(activated.error()));
    done(result);
  };
  if (!result.changed) return apply({});
  engine_->definitions().activate(*compiled, std::move(apply));
}

void EmbeddedHost::log_transition(const RunId& run, const JournalEntry& entry) const {
  Log::Line line = log_.line(LogLevel::info, entry.type);
  line.add("run", run.text()).add("seq", static_cast<std::int64_t>(entry.seq));
  if (entry.step) line.add("step", *entry.step);
  if (entry.item) line.add("item", std::int64_t{*entry.item});
  if (entry.attempt) line.add("attempt", std::int64_t{*entry.attempt});
}

void EmbeddedHost::stop() {
  if (!thread_.joinable()) return;
  std::promise<void> stopped;
  loop_.post_from_thread([this, &stopped] {
    engine_->stop_handing_out();
    // Workers first: what they have in hand they still report.
    auto finish_audit = [this, &stopped] {
      engine_->finish_audit(kFinishAudit, [&stopped] { stopped.set_value(); });
    };
    auto drain = [this, finish_audit] { server_->stop(kDrain, finish_audit); };
    if (!supervisor_) return drain();
    supervisor_->stop(std::move(drain));
  });
  stopped.get_future().wait();
  context_.stop();
  thread_.join();
  // In the order of use, users first: nothing calls anything that is gone.
  supervisor_.reset();
  server_.reset();
  engine_.reset();
  process_agents_.reset();
  audit_.reset();
  bus_.reset();
  store_ = {};
}

}  // namespace ganglion
