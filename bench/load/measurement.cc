#include "bench/load/measurement.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/load/text.h"

namespace ganglion::bench {
namespace {

constexpr double kMebibyte = 1 << 20;

std::optional<double> difference(std::optional<double> before, std::optional<double> after) {
  if (!before || !after) return std::nullopt;
  return *after - *before;
}

}  // namespace

Measurement::Measurement(const LoadOptions& load, const std::vector<MeasuredServer>& servers,
                         const Workload& workload, std::function<void(const std::string&)> now_and_then)
    : load_(load), servers_(servers), workload_(workload), now_and_then_(std::move(now_and_then)) {
  row_.workload = workload.name;
  row_.clients = load.clients;
  row_.rate = load.rate;
  row_.workers = load.workers;
}

Awaitable<void> Measurement::look(asio::io_context& context, Moment& moment) {
  std::vector<ProcessFigures> processes;
  for (const MeasuredServer& server : servers_)
    if (server.process) processes.push_back(process_figures(*server.process));
  if (!processes.empty()) moment.process = sum_of(processes);
  moment.own_cpu_seconds = own_cpu_seconds();
  std::vector<ServerFigures> told;
  for (const MeasuredServer& server : servers_) {
    const ServerFigures figures = co_await server_figures_on(context, server.address);
    told.push_back(figures);
  }
  moment.told = sum_of(told);
}

std::vector<ServerAddress> Measurement::addresses() const {
  std::vector<ServerAddress> addresses;
  for (const MeasuredServer& server : servers_) addresses.push_back(server.address);
  return addresses;
}

void Measurement::look_at_rest() {
  for (const MeasuredServer& server : servers_) {
    const auto resident = server.process
                              ? std::optional<double>(process_figures(*server.process).resident_bytes)
                              : server_figures(server.address).resident_bytes;
    if (resident)
      row_.resident_at_rest_mib = std::max(row_.resident_at_rest_mib.value_or(0), *resident / kMebibyte);
  }
}

void Measurement::go_on(WorkerProcess& workers) {
  if (workers.has_failed()) {
    workers.finish();  // throws what it was
    throw std::runtime_error("the workers' process has ended");
  }
  const auto now = Steady::now();
  const auto seconds = [](Steady::duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  if (now < window_.begin) return now_and_then_("warming up");
  if (now >= window_.end) return now_and_then_("waiting for the last runs");
  now_and_then_(fixed_text(seconds(now - window_.begin), 0) + " of " +
                fixed_text(seconds(window_.end - window_.begin), 0) + " s");
}

Row Measurement::run() {
  look_at_rest();
  window_.begin = Steady::now() + load_.warmup;
  window_.end = window_.begin + load_.duration;
  WorkerProcess workers(
      {.servers = addresses(), .connections = load_.workers, .batch = load_.batch, .window = window_},
      workload_);
  ClientLoop clients(
      {.servers = addresses(), .clients = load_.clients, .window = window_, .rate = load_.rate}, workload_,
      {.at_begin = [this](asio::io_context& context) { return look(context, before_); },
       .at_end = [this](asio::io_context& context) { return look(context, after_); },
       .now_and_then = [this, &workers] { go_on(workers); }});
  const ClientReport report = clients.run();
  fill_in(report, workers.finish());
  fill_in_server();
  if (report.failed > 0) {
    throw std::runtime_error(number_text(static_cast<double>(report.failed)) +
                             " runs did not complete; the first one was answered " + report.failure);
  }
  return std::move(row_);
}

void Measurement::fill_in(const ClientReport& clients, const WorkerReport& workers) {
  row_.seconds = std::chrono::duration<double>(window_.end - window_.begin).count();
  row_.runs = clients.ended_in_window;
  row_.completed = clients.completed;
  row_.failed = clients.failed;
  row_.unfinished = clients.unfinished;
  row_.run = clients.latency;
  row_.tasks = workers.tasks;
  row_.stale = workers.stale;
  row_.step = workers.overhead;
  row_.tasks_per_exchange =
      static_cast<double>(workers.tasks) / static_cast<double>(std::max<std::uint64_t>(workers.exchanges, 1));
  // The workers' part is that of all their life, which the warm-up lengthens.
  const double life = std::chrono::duration<double>(load_.warmup + load_.duration).count();
  row_.load_cores =
      (after_.own_cpu_seconds - before_.own_cpu_seconds) / row_.seconds + workers.cpu_seconds / life;
}

void Measurement::fill_in_server() {
  const double steps = static_cast<double>(std::max<std::uint64_t>(row_.tasks, 1));
  std::optional<double> cpu = difference(before_.told.cpu_seconds, after_.told.cpu_seconds);
  std::optional<double> resident = after_.told.resident_bytes;
  if (before_.process && after_.process) {
    const auto per_step = [&](std::uint64_t before, std::uint64_t after) {
      return static_cast<double>(after - before) / steps;
    };
    cpu = after_.process->cpu_seconds - before_.process->cpu_seconds;
    const double loop = after_.process->loop_cpu_seconds - before_.process->loop_cpu_seconds;
    row_.loop_us_per_step = loop * 1e6 / steps;
    row_.loop_cores = loop / row_.seconds;
    row_.store_us_per_step =
        (after_.process->store_cpu_seconds - before_.process->store_cpu_seconds) * 1e6 / steps;
    resident = static_cast<double>(after_.process->resident_bytes);
    // The kernel counts the two in different ways.
    row_.peak_mib = std::max(static_cast<double>(after_.process->peak_bytes), *resident) / kMebibyte;
    row_.disk_bytes_per_step = per_step(before_.process->disk_bytes, after_.process->disk_bytes);
    row_.written_bytes_per_step = per_step(before_.process->written_bytes, after_.process->written_bytes);
  }
  if (cpu) row_.cpu_ms_per_step = *cpu * 1000 / steps;
  if (cpu) row_.cores = *cpu / row_.seconds;
  if (resident) row_.resident_mib = *resident / kMebibyte;
  if (const auto syncs = difference(before_.told.syncs, after_.told.syncs))
    row_.syncs_per_1000_steps = *syncs * 1000 / steps;
  if (const auto groups = difference(before_.told.groups, after_.told.groups))
    row_.commits_per_1000_steps = *groups * 1000 / steps;
}

}  // namespace ganglion::bench
