// `ganglion bench`.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/time.h"
#include "cli/grammar.h"
#include "core/coordination.h"
#include "project/suggestion.h"

namespace ganglion::cli {
namespace {

constexpr int kMaxClients = 5'000;
constexpr int kMaxBenchWorkers = 100;
constexpr int kMaxBatch = 256;
constexpr int kMaxCoordinators = 16;
constexpr std::size_t kMaxInFlight = 10'000;
constexpr std::size_t kMaxBenchPayload = 64 << 10;
constexpr double kMaxRate = 1'000'000;
constexpr Duration kMaxBenchTime{600'000};

std::unexpected<Notice> usage(std::string text) {
  return std::unexpected(Notice{kUsage, std::move(text)});
}

std::expected<Duration, Notice> time_of(const char* option, const std::string& text, Duration at_least) {
  const auto duration = parse_duration(text);
  if (!duration) return usage(std::string(option) + ": " + duration.error().message);
  if (*duration < at_least || *duration > kMaxBenchTime) {
    return usage(std::string(option) + ": " + text + " is not between " + format_duration(at_least) +
                 " and " + format_duration(kMaxBenchTime));
  }
  return *duration;
}

std::expected<std::vector<double>, Notice> rates_of(const std::vector<std::string>& texts) {
  std::vector<double> rates;
  for (std::string text : texts) {
    if (text.ends_with("/s")) text.resize(text.size() - 2);
    double rate = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), rate);
    const bool number = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (!number || !std::isfinite(rate) || rate < 0.1 || rate > kMaxRate)
      return usage("--rate: \"" + text + "\" is no number of runs a second between 0.1 and 1000000");
    rates.push_back(rate);
  }
  return rates;
}

bool is_known_store(const std::string& store) {
  return store == "sqlite:" || store == "memory:" || store.starts_with("redis") ||
         store.starts_with("postgres");
}

bool is_known_bus(const std::string& bus) {
  return bus.starts_with("redis") || bus.starts_with("amqp") || bus.starts_with("nats") ||
         bus.starts_with("kafka");
}

std::expected<std::vector<std::string>, Notice> strategies_of(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (const Strategy strategy : kStrategies) names.emplace_back(name_of(strategy));
  if (texts == std::vector<std::string>{"all"}) return names;
  for (const std::string& text : texts) {
    if (!strategy_named(text)) {
      return usage("--strategy: no strategy \"" + text + "\"" + project::did_you_mean(text, names) +
                   "; there are centralized, mesh, hierarchical and swarm, or `all`");
    }
  }
  return texts;
}

}  // namespace

void Grammar::add_bench() {
  CLI::App& bench = add(app_, "bench", [this] { return finish_bench(); });
  bench
      .add_option("--workload", bench_.workloads,
                  "pipeline, diamond, fanout, logistics, delegation: some of them, or `all` (default "
                  "pipeline)")
      ->type_name("NAMES")
      ->delimiter(',');
  bench.add_option("--trace", bench_.traces, "Replay the model calls of a trace; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  bench.add_option("--speedup", bench_.speedup, "Replay traces so many times faster (default 100)")
      ->type_name("FACTOR")
      ->check(CLI::Range(0.01, 1e6).description(""));
  bench
      .add_option("--clients", bench_.clients,
                  "A row for each: so many runs at once (default 1,64,500; with --rate 500, at most)")
      ->type_name("LIST")
      ->delimiter(',')
      ->check(CLI::Range(1, kMaxClients).description(""));
  bench
      .add_option("--rate", raw_.rates,
                  "Open loop: start so many runs a second, whatever the server does; a row for each")
      ->type_name("LIST")
      ->delimiter(',');
  bench.add_option("--duration", raw_.duration, "Measure for so long (default 8s)")->type_name("TIME");
  bench.add_option("--warmup", raw_.warmup, "Load it for so long before (default 2s)")->type_name("TIME");
  bench.add_option("--workers", bench_.workers, "Connections of workers (default 4)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxBenchWorkers).description(""));
  bench.add_option("--batch", bench_.batch, "Tasks that a worker takes at once, at most (default 256)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxBatch).description(""));
  bench.add_option("--payload", bench_.payload, "Size of inputs and outputs (default 200)")
      ->type_name("BYTES")
      ->check(CLI::Range(std::size_t{0}, kMaxBenchPayload).description(""));
  bench
      .add_option("--server", bench_.server,
                  "A running server without a project of its own; else a fresh one for each row")
      ->type_name("URL");
  bench
      .add_option("--store", bench_.store,
                  "The fresh servers' stores: sqlite: (default), memory:, redis://… or postgres://…")
      ->type_name("STORE");
  bench.add_option("--folder", bench_.folder, "Where their SQLite files lie (default: the temporary folder)")
      ->type_name("DIR");
  bench.add_option("--svg", bench_.svg, "Also draw latency and throughput into this file")->type_name("FILE");
  add_json(bench, "Print the rows as JSON");
  add_strategies(bench);
}

void Grammar::add_strategies(CLI::App& bench) {
  bench
      .add_option(
          "--strategy", raw_.strategies,
          "Strategies side by side: centralized, mesh, hierarchical, swarm, or `all`; one coordinator of "
          "several is killed at the end of its row")
      ->type_name("NAMES")
      ->delimiter(',');
  bench
      .add_option("--coordinators", bench_.coordinators,
                  "With --strategy, a row for each: so many coordinators (default 1,3; without a bus 1)")
      ->type_name("LIST")
      ->delimiter(',')
      ->check(CLI::Range(1, kMaxCoordinators).description(""));
  bench
      .add_option("--bus", raw_.bus,
                  "With --strategy: what carries their messages, redis://…, amqp://…, nats://… or kafka://… "
                  "(default: "
                  "the store where that is Redis)")
      ->type_name("BUS");
  bench
      .add_option("--in-flight", bench_.in_flight,
                  "With --strategy: runs that are open when a coordinator is killed (default 1200)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMaxInFlight).description(""));
}

std::expected<void, Notice> Grammar::finish_strategies() {
  auto strategies = strategies_of(raw_.strategies);
  if (!strategies) return std::unexpected(strategies.error());
  bench_.strategies = *std::move(strategies);
  if (raw_.bus && *raw_.bus != kDefaultBus) bench_.bus = raw_.bus;
  if (bench_.strategies.empty()) {
    if (!bench_.bus && bench_.coordinators.empty()) return {};
    return usage("--bus and --coordinators are for strategies; say which with --strategy, or --strategy all");
  }
  if (bench_.server || !bench_.traces.empty()) {
    return usage("--strategy makes installations of its own: leave out --server and --trace");
  }
  if (bench_.bus && !is_known_bus(*bench_.bus)) return std::unexpected(not_available("--bus " + *bench_.bus));
  const bool one_process = bench_.store == "sqlite:" || bench_.store == "memory:";
  const bool has_bus = !one_process && (bench_.bus || is_known_bus(bench_.store));
  if (bench_.coordinators.empty()) bench_.coordinators = has_bus ? std::vector{1, 3} : std::vector{1};
  if (!has_bus && std::ranges::max(bench_.coordinators) > 1) {
    return usage(
        "--coordinators: several need a store that they share and a bus: --store redis://…, or --store "
        "postgres://… with --bus amqp://…");
  }
  if (one_process && bench_.bus) return usage("--bus: a store of one process has nobody to talk to");
  return {};
}

std::expected<std::vector<std::string>, Notice> Grammar::workloads() const {
  const std::vector<std::string> known = {"pipeline", "diamond", "fanout", "logistics", "delegation"};
  if (bench_.workloads == std::vector<std::string>{"all"}) return known;
  for (const std::string& name : bench_.workloads) {
    if (name == "trace") return usage("--workload trace: give the trace's file with --trace FILE");
    if (std::ranges::find(known, name) == known.end()) {
      return usage("no workload \"" + name + "\"" + project::did_you_mean(name, known) +
                   "; there are pipeline, diamond, fanout, logistics and delegation, and --trace FILE");
    }
  }
  const bool usual = bench_.workloads.empty() && bench_.traces.empty() && bench_.strategies.empty();
  if (usual) return std::vector<std::string>{"pipeline"};
  return bench_.workloads;
}

std::expected<Command, Notice> Grammar::finish_bench() {
  if (bench_.store.starts_with("sqlite:") && bench_.store != "sqlite:") {
    return usage("--store " + bench_.store +
                 ": a benchmark makes a fresh store for each row; give sqlite: and say where with --folder");
  }
  if (!is_known_store(bench_.store)) return std::unexpected(not_available("--store " + bench_.store));
  if (auto finished = finish_strategies(); !finished) return std::unexpected(finished.error());
  auto names = workloads();
  if (!names) return std::unexpected(names.error());
  bench_.workloads = *std::move(names);
  auto rates = rates_of(raw_.rates);
  if (!rates) return std::unexpected(rates.error());
  bench_.rates = *std::move(rates);
  if (bench_.clients.empty())
    bench_.clients =
        bench_.rates.empty() && bench_.strategies.empty() ? std::vector{1, 64, 500} : std::vector{500};
  const auto duration = time_of("--duration", raw_.duration, Duration(100));
  if (!duration) return std::unexpected(duration.error());
  const auto warmup = time_of("--warmup", raw_.warmup, Duration(0));
  if (!warmup) return std::unexpected(warmup.error());
  bench_.duration_ms = duration->count();
  bench_.warmup_ms = warmup->count();
  bench_.token = environment("GANGLION_TOKEN");
  bench_.format = format();
  return Command(bench_);
}

}  // namespace ganglion::cli
