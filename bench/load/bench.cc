#include "bench/load/bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>

#include "base/asio/asio.h"
#include "base/json_text.h"
#include "bench/load/disk.h"
#include "bench/load/installation.h"
#include "bench/load/measurement.h"
#include "bench/load/plot.h"
#include "bench/load/text.h"
#include "bench/load/trace.h"
#include "bench/load/usage_error.h"

namespace ganglion::bench {
namespace {

constexpr std::chrono::milliseconds kDiskFor{1'000};

struct Interrupted {};

// A client is a connection, here and in the server.
void allow_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

double load_average() {
  double average = 0;
  return getloadavg(&average, 1) == 1 ? average : 0;
}

std::string read_trace_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError("--trace: can't read " + path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() > kMaxTraceBytes) throw UsageError("--trace: " + path + " is larger than 16 MiB");
  return text;
}

Workload trace_workload(const std::string& path, const BenchOptions& options) {
  const auto calls = read_trace(read_trace_file(path));
  if (!calls) throw UsageError("--trace: " + path + ": " + calls.error().message);
  Workload workload =
      make_trace_workload(std::filesystem::path(path).stem().string(), *calls, options.speedup);
  if (workload.shortest_run >= options.duration) {
    throw UsageError("a run of " + path + " takes at least " + duration_text(workload.shortest_run) +
                     " at --speedup " + short_text(options.speedup) +
                     ", longer than is measured; give a larger --speedup or --duration");
  }
  return workload;
}

std::string kind_of(const std::string& url) {
  return url.substr(0, url.find(':'));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// Events and domains are what two of them are for.
std::string usual_workload(const std::string& strategy) {
  return strategy == "hierarchical" ? "delegation" : "pipeline";
}

struct Setup {
  std::optional<std::string> strategy;
  int coordinators = 1;
};

class Bench {
 public:
  Bench(const BenchOptions& options, const BenchIo& io) : options_(options), io_(io) {}

  void run() {
    // Everything is read before anything is measured.
    std::vector<Workload> workloads;
    if (options_.strategies.empty()) {
      for (const std::string& name : options_.workloads)
        workloads.push_back(make_workload(name, options_.payload_bytes));
    }
    for (const std::string& path : options_.traces) workloads.push_back(trace_workload(path, options_));
    if (options_.server) {
      remote_ = address_of(*options_.server);
      remote_->token = options_.token;
    }
    if (!remote_ && !std::filesystem::is_directory(options_.folder))
      throw UsageError("--folder: there is no folder " + options_.folder.string());
    std::optional<std::ofstream> svg;
    if (options_.svg) {
      svg.emplace(*options_.svg, std::ios::binary);
      if (!*svg) throw UsageError("--svg: can't write " + *options_.svg);
    }
    allow_descriptors();
    for (const Workload& workload : workloads) measure(workload);
    if (!options_.strategies.empty()) measure_strategies();
    if (options_.json) io_.output(json() + "\n");
    if (svg && !(*svg << plot_svg(rows_)).flush()) throw UsageError("--svg: can't write " + *options_.svg);
  }

  // Runs, when a coordinator was killed.
  bool has_lost() const { return has_lost_; }

  void clear_progress() {
    if (std::exchange(is_drawn_, false)) io_.message("\r\x1b[2K");
  }

 private:
  // A closed loop for each number of clients, or an open one for each number and rate.
  std::vector<LoadOptions> loads() const {
    std::vector<LoadOptions> loads;
    for (const int clients : options_.clients) {
      if (options_.rates.empty()) loads.push_back(load_of(clients, std::nullopt));
      for (const double rate : options_.rates) loads.push_back(load_of(clients, rate));
    }
    return loads;
  }

  void measure(const Workload& workload) {
    std::vector<Row> rows;
    for (const LoadOptions& load : loads()) rows.push_back(row_of(workload, load, {}));
    show(table_of(rows));
    std::ranges::move(rows, std::back_inserter(rows_));
  }

  void measure_strategies() {
    for (const std::string& strategy : options_.strategies) {
      auto names = options_.workloads;
      if (names.empty()) names.push_back(usual_workload(strategy));
      for (const std::string& name : names) {
        const Workload workload = make_workload(name, options_.payload_bytes, Attempts::several);
        for (const int coordinators : options_.coordinators) {
          for (const LoadOptions& load : loads())
            rows_.push_back(row_of(workload, load, {strategy, coordinators}));
        }
      }
    }
    show(strategy_table(rows_));
  }

  void show(const RowTable& table) {
    clear_progress();
    if (options_.json) return;
    io_.table(table);
    io_.output("\n");
  }

  LoadOptions load_of(int clients, std::optional<double> rate) const {
    return {.clients = clients,
            .rate = rate,
            .workers = options_.workers,
            .batch = options_.batch,
            .warmup = options_.warmup,
            .duration = options_.duration};
  }

  Row row_of(const Workload& workload, LoadOptions load, const Setup& setup) {
    const std::string who =
        setup.strategy ? *setup.strategy + " of " + std::to_string(setup.coordinators) + ", " : std::string();
    const std::string name = who + workload.name + ", " + std::to_string(load.clients) +
                             (load.clients == 1 ? " client" : " clients") +
                             (load.rate ? ", " + short_text(*load.rate) + " runs a second" : "") + ": ";
    const double average = load_average();
    std::optional<double> appends;
    const bool on_disk = !remote_ && options_.store == "sqlite:";
    if (on_disk) {
      progress(name + "measuring the disk");
      appends = appends_per_second(options_.folder, std::min(kDiskFor, options_.duration));
    }
    progress(name + "starting the server");
    std::optional<Installation> own;
    std::vector<MeasuredServer> servers;
    if (remote_) {
      servers.push_back({.address = *remote_, .process = {}});
      put_project(*remote_, workload.project);
    } else {
      own.emplace(OwnServerOptions{.folder = options_.folder,
                                   .store = options_.store,
                                   .bus = options_.bus,
                                   .strategy = setup.strategy,
                                   .place = {},
                                   .project = workload.project},
                  static_cast<std::size_t>(setup.coordinators));
      servers = own->servers();
      if (on_disk) say_once(own->first().weaker_promises());
    }
    // As many for each.
    load.workers = (load.workers + setup.coordinators - 1) / setup.coordinators * setup.coordinators;
    const auto say = [&](const std::string& what) { progress(name + what); };
    Row row = Measurement(load, servers, workload, say).run();
    row.appends_per_s = appends;
    row.load_average = average;
    if (!setup.strategy) return row;
    row.strategy = setup.strategy;
    row.coordinators = setup.coordinators;
    row.peaks_mib = own->peaks_mib();
    row.taken_for_dead = own->deaths_noticed();
    const bool crashes = setup.coordinators > 1 && !load.rate;
    if (crashes) row.recovery = recovery_of(*own, workload, load.workers, say);
    return row;
  }

  Recovery recovery_of(Installation& installation, const Workload& workload, int workers,
                       const std::function<void(const std::string&)>& say) {
    std::vector<ServerAddress> addresses;
    for (const MeasuredServer& server : installation.servers()) addresses.push_back(server.address);
    const Recovery recovery = RecoveryLoad({.servers = std::move(addresses),
                                            .in_flight = options_.in_flight,
                                            .workers = static_cast<std::size_t>(workers)},
                                           workload,
                                           {.kill = [&] { installation.kill_first(); },
                                            .noticed = [&] { return installation.has_noticed(); },
                                            .now_and_then = say})
                                  .run();
    has_lost_ = has_lost_ || recovery.lost > 0 || recovery.failed > 0;
    return recovery;
  }

  void say_once(const std::vector<std::string>& promises) {
    if (std::exchange(has_said_, true)) return;
    clear_progress();
    for (const std::string& promise : promises)
      io_.message("ganglion: weaker than promised: " + promise + "\n");
  }

  void progress(const std::string& text) {
    if (io_.interrupted()) throw Interrupted();
    if (!io_.live) return;
    io_.message("\r\x1b[2K" + text);
    is_drawn_ = true;
  }

  std::string json() const {
    std::string rows = "[";
    for (const Row& row : rows_) rows += (rows.size() > 1 ? "," : "") + row_json(row);
    return JsonObject()
        .add("cores", std::int64_t{std::thread::hardware_concurrency()})
        .add("loop", options_.rates.empty() ? "closed" : "open")
        .add("strategy", options_.strategies.empty() ? "mesh" : joined(options_.strategies))
        .add("store", remote_ ? "remote" : kind_of(options_.store))
        .add("bus", options_.bus                          ? kind_of(*options_.bus)
                    : options_.store.starts_with("redis") ? "redis"
                                                          : "embedded")
        .add_raw("rows", rows + "]")
        .finish();
  }

  const BenchOptions& options_;
  const BenchIo& io_;
  std::optional<ServerAddress> remote_;
  std::vector<Row> rows_;
  bool is_drawn_ = false;
  bool has_said_ = false;
  bool has_lost_ = false;
};

}  // namespace

Benched bench(const BenchOptions& options, const BenchIo& io) {
  Bench benchmark(options, io);
  const auto give_up = [&](Benched how, const std::string& why) {
    benchmark.clear_progress();
    io.message("ganglion: " + why + "\n");
    return how;
  };
  try {
    benchmark.run();
    return benchmark.has_lost() ? Benched::failed : Benched::done;
  } catch (const Interrupted&) {
    return give_up(Benched::interrupted, "interrupted; nothing is left behind");
  } catch (const UsageError& error) {
    return give_up(Benched::invalid, error.what());
  } catch (const boost::system::system_error& error) {
    return give_up(Benched::unreachable, "the server" + (options.server ? " at " + *options.server : "") +
                                             " doesn't answer: " + error.code().message());
  } catch (const std::exception& error) {
    return give_up(Benched::failed, error.what());
  }
}

}  // namespace ganglion::bench
