#pragma once

// The engine of one process, put together from store, bus, coordinator, agents and API on an event loop of
// its own thread; the commands reach it over HTTP.

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/curl/curl_http_client.h"
#include "adapters/system/asio_loop.h"
#include "adapters/system/os_random.h"
#include "agents/http/http_executor.h"
#include "agents/process/process_executor.h"
#include "agents/worker/supervisor.h"
#include "base/asio/asio.h"
#include "cli/host.h"
#include "engine/engine.h"
#include "host/backends.h"
#include "host/outage_count.h"
#include "ingress/http/server.h"
#include "observability/log.h"

namespace ganglion {

class EmbeddedHost final : public cli::Host {
 public:
  static Result<std::unique_ptr<cli::Host>> start(cli::HostOptions options);

  ~EmbeddedHost() override { stop(); }

  std::string url() const override { return url_; }
  std::vector<std::string> weaker_promises() const override;
  Result<cli::Reloaded> reload() override;
  void stop() override;

 private:
  explicit EmbeddedHost(cli::HostOptions options)
      : options_(std::move(options)),
        log_(loop_, options_.on_log),
        curl_(context_),
        http_agents_(curl_, loop_) {}

  bool works() const { return options_.agents == cli::AgentsRole::on; }
  bool supervises() const { return works() && options_.roles.agents; }

  // On the caller's thread, before the loop runs.
  Result<void> open();
  Result<void> read_project();
  void assemble(http::Options http);
  EngineOptions engine_options();
  audit::CopierOptions copier_options();
  std::vector<ingress::Metric> own_metrics() const;
  // On the loop; the first calls the second.
  void begin(std::promise<Result<void>> ready);
  void serve(std::promise<Result<void>> ready);
  void supervise(const std::vector<WorkerProgram>& programs);
  using ReloadDone = std::move_only_function<void(Result<cli::Reloaded>)>;
  void read_project_again(ReloadDone done);
  void log_transition(const RunId& run, const JournalEntry& entry) const;

  cli::HostOptions options_;
  asio::io_context context_{1};
  AsioLoop loop_{context_};
  OsRandom random_;
  Log log_;
  host::OutageCount store_outage_;
  CurlHttpClient curl_;
  agents::HttpExecutor http_agents_;
  std::shared_ptr<const Project> project_;  // of the file, if there is one
  std::filesystem::path directory_;         // where the project's programs run
  OpenStore store_;
  std::unique_ptr<Bus> bus_;      // null for `embedded:`
  std::unique_ptr<Audit> audit_;  // null where none is named
  std::unique_ptr<agents::ProcessExecutor> process_agents_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<agents::Supervisor> supervisor_;
  std::string url_;
  std::thread thread_;
};

}  // namespace ganglion
