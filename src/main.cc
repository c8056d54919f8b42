// Which parts carry out which command.

#include <csignal>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "adapters/memory/store.h"
#include "bench/load/bench.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/interrupts.h"
#include "cli/main_command.h"
#include "cli/table.h"
#include "host/embedded_host.h"
#include "sim/command/simulate.h"

namespace ganglion {
namespace {

// The simulator's store and broker keep the rules of their ports in plain memory; it brings the faults
// itself.
cli::Outcome<cli::ExitCode> simulate(const cli::SimCommand& command) {
  sim::SimulateOptions options{.scenario = command.scenario,
                               .first_seed = command.seed.value_or(1),
                               .seeds = command.seed ? 1 : command.seeds,
                               .jobs = command.jobs,
                               .max_failures = command.max_failures,
                               .shrinks = command.shrinks,
                               .timeline = command.timeline,
                               .json = command.format == cli::Format::json,
                               .junit = command.junit};
  if (!command.only.empty()) options.only.emplace(command.only.begin(), command.only.end());
  const sim::SimulateIo io{.output = [](std::string_view text) { cli::write(cli::Stream::output, text); },
                           .message = [](std::string_view text) { cli::write(cli::Stream::messages, text); },
                           .live = cli::is_live(cli::Stream::messages)};
  const sim::Backends backends{
      .make_store = [](Clock& clock) { return std::make_unique<memory::Store>(clock); },
      .make_broker =
          [] {
            return [broker = std::make_shared<memory::Broker>()](Clock& clock) {
              return sim::bus_connection(std::make_unique<memory::Bus>(*broker, clock));
            };
          }};
  switch (sim::simulate(options, io, backends)) {
    case sim::Simulated::holds:
      return cli::ExitCode::done;
    case sim::Simulated::fails:
      return cli::ExitCode::failed;
    case sim::Simulated::invalid:
      return cli::ExitCode::usage;
  }
  return cli::ExitCode::usage;
}

bench::BenchOptions bench_options(const cli::BenchCommand& command) {
  return {.workloads = command.workloads,
          .traces = command.traces,
          .speedup = command.speedup,
          .clients = command.clients,
          .rates = command.rates,
          .duration = Duration(command.duration_ms),
          .warmup = Duration(command.warmup_ms),
          .workers = command.workers,
          .batch = command.batch,
          .payload_bytes = command.payload,
          .server = command.server,
          .token = command.token,
          .store = command.store,
          .bus = command.bus,
          .strategies = command.strategies,
          .coordinators = command.coordinators,
          .in_flight = command.in_flight,
          .folder = command.folder ? std::filesystem::path(*command.folder)
                                   : std::filesystem::temp_directory_path(),
          .json = command.format == cli::Format::json,
          .svg = command.svg};
}

cli::Outcome<cli::ExitCode> benchmark(const cli::BenchCommand& command) {
  const cli::Interrupts interrupts;
  const bench::BenchIo io{
      .output = [](std::string_view text) { cli::write(cli::Stream::output, text); },
      .message = [](std::string_view text) { cli::write(cli::Stream::messages, text); },
      .table =
          [](const bench::RowTable& table) {
            cli::write(cli::Stream::output,
                       cli::render({.header = table.header, .rows = table.lines}, cli::output_columns()));
          },
      .interrupted = [&] { return interrupts.arrived(); },
      .live = cli::is_live(cli::Stream::messages)};
  switch (bench::bench(bench_options(command), io)) {
    case bench::Benched::done:
      return cli::ExitCode::done;
    case bench::Benched::failed:
      return cli::ExitCode::failed;
    case bench::Benched::invalid:
      return cli::ExitCode::usage;
    case bench::Benched::unreachable:
      return cli::ExitCode::unreachable;
    case bench::Benched::interrupted:
      return cli::ExitCode::interrupted;
  }
  return cli::ExitCode::usage;
}

}  // namespace
}  // namespace ganglion

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return ganglion::cli::main_command(argc, argv, ganglion::EmbeddedHost::start, ganglion::simulate,
                                     ganglion::benchmark);
}
